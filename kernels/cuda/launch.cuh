// How a .cu file starts its kernels.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace vidi {

inline void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

template <typename... Arguments, typename... Given>
void start(const char* what, void (*kernel)(Arguments...), dim3 grid, int threads, int shared_bytes,
           void* stream, Given... given) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  check_cuda(cudaLaunchKernelEx(&config, kernel, given...), what);
}

}  // namespace vidi
