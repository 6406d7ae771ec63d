// Attention of a pass that asks about several windows: each row sees its own text and the window
// that it is about.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/attention/attention.h"

namespace vidi {

// The next `n_rows` of a pass ask about a window with these keys.
struct WindowKeys {
  std::vector<SharedKeys> shared;
  int64_t n_rows = 0;
};

// summed_attention() of every row, q [B, T, heads, D] and `own` of all, to its own keys and to
// those of its window; the windows' rows together are q's. Returns [B, T, heads * D].
//
// Where attention_kernel_runs: two kernels for 32 windows (windows_attention.cu), which a CUDA
// graph can record; else one window after the other, which is the specification.
at::Tensor windows_attention(const at::Tensor& q, const OwnKeys& own,
                             const std::vector<WindowKeys>& windows, const AttentionScale& scale);
at::Tensor windows_attention_plain(const at::Tensor& q, const OwnKeys& own,
                                   const std::vector<WindowKeys>& windows,
                                   const AttentionScale& scale);

}  // namespace vidi
