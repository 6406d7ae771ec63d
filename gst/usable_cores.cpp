#include "gst/usable_cores.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace vidi {
namespace {

// Cores' worth of time that the control group grants (`cpu.max`: quota and period, or "max"); 0 =
// no limit is stated.
double granted_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

}  // namespace

int usable_cores() {
  const int n = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const double granted = granted_cores();
  return granted > 0 ? std::clamp(static_cast<int>(std::lround(granted)), 1, n) : n;
}

}  // namespace vidi
