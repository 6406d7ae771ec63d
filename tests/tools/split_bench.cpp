#include "tests/tools/split_bench.h"

#include <cstdio>

namespace vidi {
namespace {

// Through the API; the model is gone afterwards.
std::vector<Phase> whole_phases(const Arguments& a) {
  Bench bench(a);
  bench.run_whole();
  return bench.phases();
}

}  // namespace

void bench_split(const Arguments& a) {
  Arguments alone = a, split = a;
  alone.open.device = a.open.device.substr(0, a.open.device.find(','));
  split.open.split_windows = true;
  const std::vector<Phase> one = whole_phases(alone), all = whole_phases(split);
  std::printf("%d s of video\n%-36s %12s %12s  ratio  of core time\n", a.seconds, "",
              alone.open.device.c_str(), split.open.device.c_str());
  for (size_t i = 0; i < one.size() && i < all.size(); ++i) {
    if (!one[i].name.starts_with("whole: ")) continue;
    std::printf("%-36s %10.3f s %10.3f s  %5.2f  %.2f\n", one[i].name.c_str(), one[i].seconds,
                all[i].seconds, all[i].seconds / one[i].seconds,
                all[i].core_seconds / one[i].core_seconds);
  }
}

}  // namespace vidi
