// How a .cu file starts its kernels.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace vidi {

inline void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

// Once for each kernel and device (`done` is the kernel's own): more than 48 KB of shared memory
// must be asked for; and all of a multiprocessor's, so that as many blocks fit as were planned.
template <typename Kernel>
void allow_shared_memory(const char* what, Kernel kernel, int bytes, std::atomic<uint64_t>& done) {
  int device = 0;
  check_cuda(cudaGetDevice(&device), what);
  const uint64_t bit = uint64_t{1} << (device % 64);
  if (done.load() & bit) return;
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             what);
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                                  cudaSharedmemCarveoutMaxShared),
             what);
  done.fetch_or(bit);
}

// Kernels of a step follow each other so fast that it counts when a block starts: one that is
// launched by start_early() may begin while the kernel before it still works (programmatic
// dependent launch, from Hopper on). It may read what never changes meanwhile, weights and a
// window's keys, and must call wait_for_previous() before anything else, in every thread that
// touches memory.
__device__ __forceinline__ void wait_for_previous() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  cudaGridDependencySynchronize();
#endif
}

// The next kernel's blocks may take the room that this one's leave.
__device__ __forceinline__ void let_next_start() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
#endif
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

// The current device is a Hopper or later, and so is what its kernels were compiled for.
bool starts_early();

template <typename... Arguments, typename... Given>
void start_early(const char* what, void (*kernel)(Arguments...), dim3 grid, int threads,
                 int shared_bytes, void* stream, Given... given) {
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  config.attrs = &early;
  config.numAttrs = starts_early() ? 1 : 0;
  check_cuda(cudaLaunchKernelEx(&config, kernel, given...), what);
}

}  // namespace vidi
