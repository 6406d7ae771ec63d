#include "kernels/usable_cores.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

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

// Whether a group of these controllers, "cpu,cpuacct", may limit processor time. Version 2 names
// none.
bool limits_time(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return controllers.empty();
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

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

double granted_cores(const std::string& groups, const std::string& mount) {
  double least = 0;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!limits_time(controllers)) continue;
    // Up to the root: a container without a name space of its own sees its group there, under a
    // path that it cannot see.
    for (std::string path = line.substr(second + 1);;) {
      const double granted = granted_by(mount + (controllers.empty() ? "" : "/cpu") + path);
      if (granted > 0) least = least > 0 ? std::min(least, granted) : granted;
      if (path.empty()) break;
      path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
    }
  }
  return least;
}

int usable_cores() {
  const int n = std::max(1, scheduled_cores());
  const double granted = granted_cores(text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  return granted > 0 ? std::clamp(static_cast<int>(std::lround(granted)), 1, n) : n;
}

}  // namespace vidi
