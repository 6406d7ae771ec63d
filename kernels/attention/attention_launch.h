// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
#pragma once

#include "kernels/attention/attention_plan.h"
#include "kernels/cuda/element_type.h"

namespace vidi {

// Both steps of attention over `task`'s key sets as planned; `workspace` has
// plan.workspace_bytes() bytes.
void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream);

}  // namespace vidi
