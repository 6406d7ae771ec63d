#include "gst/usable_cores.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace vidi {
namespace {

// Cores' worth of time that the control group grants, 0 = no limit is stated. Version 2 has one
// file with quota ("max": none) and period, version 1 one for each (quota -1: none).
double granted_cores() {
  std::ifstream both("/sys/fs/cgroup/cpu.max"), quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
      period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  std::string quota;
  double period = 0;
  if (!(both >> quota >> period) && !(quota_file >> quota && period_file >> period)) return 0;
  return period > 0 ? std::max(0.0, std::strtod(quota.c_str(), nullptr) / period) : 0;
}

}  // namespace

int usable_cores() {
  const int n = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const double granted = granted_cores();
  return granted > 0 ? std::clamp(static_cast<int>(std::lround(granted)), 1, n) : n;
}

}  // namespace vidi
