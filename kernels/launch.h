// The doors of the CUDA kernels: plain C++ with raw pointers, so that operations need neither a
// toolkit nor `#if`. The .cu files are behind them, or launch_stub.cpp in a build without nvcc.
//
// All launches go to the current device, on `stream` (a cudaStream_t), and return at once; they
// allocate nothing and read no device memory, so a CUDA graph can record them. A launch that CUDA
// refuses throws std::runtime_error.
#pragma once

#include <cstddef>

#include "kernels/attention_plan.h"

namespace vidi {

enum class ElementType { kHalf, kBFloat16 };

// What a device gives a kernel; all 0 where these kernels do not run (no nvcc in the build, a GPU
// before Ampere, one that the build has no code for).
DeviceLimits device_limits(int device);

// Both steps of attention over `task`'s key sets as planned; `workspace` has
// plan.workspace_bytes() bytes.
void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream);

}  // namespace vidi
