// The door of the CUDA attention over several windows; what holds for all of them:
// kernels/cuda/element_type.h.
#pragma once

#include <cstdint>

#include "kernels/attention/attention_plan.h"
#include "kernels/cuda/element_type.h"

namespace vidi {

// The rows of a pass that ask about one window.
struct WindowJob {
  AttentionTask task;
  AttentionPlan plan;
  int64_t workspace_at = 0;  // bytes from the pass's workspace on, which has room for each plan
};

// They travel as a kernel's parameters, of which there are 32,764 bytes, so that a recorded pass
// has its own.
constexpr int kMostJobs = 32;
struct WindowJobs {
  int n = 0;
  WindowJob jobs[kMostJobs];
};
static_assert(sizeof(WindowJobs) < 32'000);

// As launch_attention(), for all of `jobs`, whose heads, head size and tile are the same, in two
// kernels.
void launch_windows_attention(const WindowJobs& jobs, ElementType type, void* workspace,
                              void* stream);

}  // namespace vidi
