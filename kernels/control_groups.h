// The control groups that limit this process (cgroups(7)), of version 1 and 2.
#pragma once

#include <functional>
#include <string>

namespace vidi {

// Called with the folder of every group that may limit `controller` ("cpu", "memory"): the
// process's own and all around it, up to the root, since a container without a name space of its
// own sees its group there, under a path that it cannot see. `groups` is what /proc/self/cgroup
// says, `mount` where groups are mounted, /sys/fs/cgroup.
void for_each_group(const std::string& groups, const std::string& mount,
                    const std::string& controller,
                    const std::function<void(const std::string& folder)>& visit);

// All of a small file; empty when there is none.
std::string text_of_file(const std::string& path);

}  // namespace vidi
