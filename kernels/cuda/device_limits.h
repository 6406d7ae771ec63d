// What a device gives a kernel. Plain, for .cu files too.
#pragma once

namespace vidi {

struct DeviceLimits {
  int multiprocessors = 0;
  int shared_bytes = 0;  // that one block can have
  int generation = 0;    // the compute capability's first number: 8 Ampere and Ada, 9 Hopper
};

// All 0 where our kernels do not run (no nvcc in the build, a GPU before Ampere, one that the build
// has no code for).
DeviceLimits device_limits(int device);

}  // namespace vidi
