// What a device gives a kernel. Plain, for .cu files too.
#pragma once

namespace vidi {

struct DeviceLimits {
  int multiprocessors = 0;
  int shared_bytes = 0;       // that one block can have
  int generation = 0;         // the compute capability's first number: 8 Ampere and Ada, 9 Hopper
  bool starts_early = false;  // its code was compiled for Hopper or later, too (launch.cuh)
};

// What speaks for our kernels on a device, or against them.
struct KernelSupport {
  bool built = false;     // there was an nvcc
  int capability = 0;     // the device's, as nvcc counts: 86
  bool has_code = false;  // of this build for it; from Ampere on
};
KernelSupport kernel_support(int device);

// All 0 where our kernels do not run (no nvcc in the build, a GPU before Ampere, one that the build
// has no code for).
DeviceLimits device_limits(int device);

}  // namespace vidi
