#include "tests/tools/host_watch.h"

#include <charconv>
#include <filesystem>
#include <fstream>

namespace vidi {
namespace {

int number_of(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::map<int, ThreadTime> thread_times() {
  std::map<int, ThreadTime> times;
  std::error_code none;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", none)) {
    ThreadTime time;
    double ns = 0;  // first of the numbers: spent on a processor
    if (!(std::ifstream(task.path() / "schedstat") >> ns)) continue;
    if (!std::getline(std::ifstream(task.path() / "comm"), time.name)) continue;
    time.cpu_s = ns * 1e-9;
    times[number_of(task.path().filename())] = std::move(time);
  }
  return times;
}

std::map<int, ThreadTime> since(const std::map<int, ThreadTime>& before,
                                const std::map<int, ThreadTime>& now) {
  std::map<int, ThreadTime> spent = now;
  for (auto& [thread, time] : spent) {
    const auto was = before.find(thread);
    if (was != before.end()) time.cpu_s -= was->second.cpu_s;
  }
  return spent;
}

}  // namespace vidi
