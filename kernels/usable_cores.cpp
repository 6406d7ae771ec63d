#include "kernels/usable_cores.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "kernels/control_groups.h"

namespace vidi {
namespace {

// Version 2 has one file with quota ("max": none) and period, version 1 one for each (quota -1:
// none). 0: no limit.
double granted_by(const std::string& folder) {
  std::ifstream both(folder + "/cpu.max"), quota_file(folder + "/cpu.cfs_quota_us"),
      period_file(folder + "/cpu.cfs_period_us");
  std::string quota;
  double period = 0;
  if (!(both >> quota >> period) && !(quota_file >> quota && period_file >> period)) return 0;
  return period > 0 ? std::max(0.0, std::strtod(quota.c_str(), nullptr) / period) : 0;
}

// CPUs that the scheduler lets the calling thread have. std::thread counts the machine's in some C
// libraries.
int scheduled_cores() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double granted_cores(const std::string& groups, const std::string& mount) {
  double least = 0;
  for_each_group(groups, mount, "cpu", [&](const std::string& folder) {
    const double granted = granted_by(folder);
    if (granted > 0) least = least > 0 ? std::min(least, granted) : granted;
  });
  return least;
}

int usable_cores() {
  const int n = std::max(1, scheduled_cores());
  const double granted = granted_cores(text_of_file("/proc/self/cgroup"), "/sys/fs/cgroup");
  return granted > 0 ? std::clamp(static_cast<int>(std::lround(granted)), 1, n) : n;
}

}  // namespace vidi
