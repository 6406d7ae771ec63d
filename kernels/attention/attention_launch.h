// The door of a CUDA kernel: plain C++ with raw pointers, so that the operation needs neither a
// toolkit nor `#if`. The .cu file is behind it, or launch_stub.cpp in a build without nvcc.
//
// A launch goes to the current device, on `stream` (a cudaStream_t), and returns at once; it
// allocates nothing and reads no device memory, so a CUDA graph can record it. One that CUDA
// refuses throws std::runtime_error. All pointers are multiples of 16 bytes.
#pragma once

#include "kernels/attention/attention_plan.h"
#include "kernels/cuda/element_type.h"

namespace vidi {

// Both steps of attention over `task`'s key sets as planned; `workspace` has
// plan.workspace_bytes() bytes.
void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream);

}  // namespace vidi
