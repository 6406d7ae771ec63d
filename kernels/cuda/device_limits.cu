// What the kernels ask about a device, once each.
#include <cuda_runtime.h>

#include <mutex>
#include <vector>

#include "kernels/cuda/device_limits.h"
#include "kernels/cuda/launch.cuh"

namespace vidi {
namespace {

// What wait_for_previous() is compiled for: older code does not wait.
constexpr int kEarlyStart = 90;

__global__ void probe() {}

// The architecture, as nvcc counts, that the code this GPU takes was compiled for: a later GPU than
// the build knows takes the portable code of an earlier one. 0 when the build holds no code for it;
// the driver then has no such kernel.
int code_for(int device) {
  int current = 0;
  cudaFuncAttributes attributes;
  if (cudaGetDevice(&current) != cudaSuccess || cudaSetDevice(device) != cudaSuccess) return 0;
  const bool found = cudaFuncGetAttributes(&attributes, probe) == cudaSuccess;
  cudaSetDevice(current);
  return found ? attributes.ptxVersion : 0;
}

DeviceLimits ask(int device) {
  const KernelSupport support = kernel_support(device);
  if (!support.has_code) return {};
  DeviceLimits limits;
  limits.generation = support.capability / 10;
  const bool answers =
      cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device) ==
          cudaSuccess &&
      cudaDeviceGetAttribute(&limits.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                             device) == cudaSuccess;
  limits.starts_early = limits.generation >= 9 && code_for(device) >= kEarlyStart;
  cudaGetLastError();  // what failed here is an answer, not an error
  return answers ? limits : DeviceLimits{};
}

}  // namespace

bool starts_early() {
  int device = 0;
  return cudaGetDevice(&device) == cudaSuccess && device_limits(device).starts_early;
}

KernelSupport kernel_support(int device) {
  int major = 0, minor = 0;
  const bool answers =
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  const bool has_code = answers && major >= 8 && code_for(device) > 0;
  cudaGetLastError();
  return {true, answers ? 10 * major + minor : 0, has_code};
}

DeviceLimits device_limits(int device) {
  static std::mutex mutex;
  static std::vector<DeviceLimits> known;
  static std::vector<bool> asked;
  const std::lock_guard lock(mutex);
  if (device < 0) return {};
  if (static_cast<size_t>(device) >= known.size())
    known.resize(device + 1), asked.resize(device + 1);
  if (!asked[device]) known[device] = ask(device), asked[device] = true;
  return known[device];
}

}  // namespace vidi
