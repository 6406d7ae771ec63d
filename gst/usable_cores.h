// How many cores this process may really use.
#pragma once

namespace vidi {

// The cores it may run on, at most as many as the container's quota pays for; 1 or more.
int usable_cores();

}  // namespace vidi
