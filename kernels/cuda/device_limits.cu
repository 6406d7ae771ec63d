// What the kernels ask about a device, once each.
#include <cuda_runtime.h>

#include <mutex>
#include <vector>

#include "kernels/cuda/device_limits.h"
#include "kernels/cuda/launch.cuh"

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
  const KernelSupport support = kernel_support(device);
  if (!support.has_code) return {};
  DeviceLimits limits;
  limits.generation = support.capability / 10;
  const bool answers =
      cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device) ==
          cudaSuccess &&
      cudaDeviceGetAttribute(&limits.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                             device) == cudaSuccess;
  cudaGetLastError();  // what failed here is an answer, not an error
  return answers ? limits : DeviceLimits{};
}

}  // namespace

bool starts_early() {
  int device = 0;
  return cudaGetDevice(&device) == cudaSuccess && device_limits(device).generation >= 9;
}

KernelSupport kernel_support(int device) {
  int major = 0, minor = 0;
  const bool answers =
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  const bool has_code = answers && major >= 8 && has_code_for(device);
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
