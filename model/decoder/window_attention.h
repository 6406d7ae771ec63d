// Text that asks about several windows in one pass: each row sees its own text and the window that
// it is about.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/attention/attention.h"
#include "model/decoder/kv_cache.h"

namespace vidi {

// The next `n` rows of a pass ask about this window.
struct WindowRows {
  const MediaCache* media = nullptr;
  int64_t n = 0;
};
using PassWindows = std::vector<WindowRows>;

// summed_attention() of every row to its own keys and to those of its window, whose rows together
// are q's. One window after the other: a kernel that knows of windows takes this function's place.
// What a window has on other devices is read there, and only what comes of it travels: for each row
// and head a vector and a number.
at::Tensor window_attention(const at::Tensor& q, const OwnKeys& own, const PassWindows& windows,
                            size_t layer, const AttentionScale& scale);

}  // namespace vidi
