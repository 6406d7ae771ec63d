// What the threads of this process cost the host: seconds of a processor, as its scheduler counts
// them.
#pragma once

#include <map>
#include <string>

namespace vidi {

struct ThreadTime {
  std::string name;
  double cpu_s = 0;
};

// By thread. Linux only; a thread that ends while it is looked at is left out.
std::map<int, ThreadTime> thread_times();

// Between two looks, of the threads that the second one saw: one that has ended counts for nothing.
std::map<int, ThreadTime> since(const std::map<int, ThreadTime>& before,
                                const std::map<int, ThreadTime>& now);

}  // namespace vidi
