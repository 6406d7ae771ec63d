// How many cores this process may really use.
#pragma once

#include <string>

namespace vidi {

// The cores that the calling thread may run on, at most as many as the container's quota pays for;
// 1 or more.
int usable_cores();

// Cores' worth of time that control groups grant, 0 = no limit is stated: the least of the group's
// own and those around it. `groups` is what /proc/self/cgroup says, `mount` where groups are
// mounted, /sys/fs/cgroup.
double granted_cores(const std::string& groups, const std::string& mount);

}  // namespace vidi
