// What the kernels ask about a device, once each.
#include <cuda_runtime.h>

#include <mutex>
#include <vector>

#include "kernels/cuda/device_limits.h"

namespace vidi {
namespace {

__global__ void probe() {}

// The build may hold no code for this GPU; the driver then has no such kernel.
bool has_code_for(int device) {
  int current = 0;
  cudaFuncAttributes attributes;
  if (cudaGetDevice(&current) != cudaSuccess || cudaSetDevice(device) != cudaSuccess) return false;
  const bool found = cudaFuncGetAttributes(&attributes, probe) == cudaSuccess;
  cudaSetDevice(current);
  return found;
}

DeviceLimits ask(int device) {
  DeviceLimits limits;
  const bool answers =
      cudaDeviceGetAttribute(&limits.generation, cudaDevAttrComputeCapabilityMajor, device) ==
          cudaSuccess &&
      cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device) ==
          cudaSuccess &&
      cudaDeviceGetAttribute(&limits.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                             device) == cudaSuccess;
  const bool usable = answers && limits.generation >= 8 && has_code_for(device);
  cudaGetLastError();  // what failed here is an answer, not an error
  return usable ? limits : DeviceLimits{};
}

}  // namespace

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
