// Products of many rows on the CPU, made in pieces: see interruption.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <vector>

#include "kernels/aten.h"
#include "kernels/interruption.h"

namespace vidi {

// Rows that are one piece, where a row takes so many operations; 1 or more.
inline int64_t rows_in_piece(double operations_of_row) {
  return std::max<int64_t>(1, static_cast<int64_t>(kPieceOperations / operations_of_row));
}

// So many rows that what a library does to a weight before it multiplies is worth it.
constexpr int64_t kBlockRows = 1024;

// x [..., K] -> work(x) [..., N], where a row of the result hangs on that row of x alone. On the
// CPU at most `most` rows are worked on at a time.
template <class Work>
at::Tensor in_blocks_of_rows(const at::Tensor& x, int64_t most, const Work& work) {
  const int64_t width = x.size(-1), n = width > 0 ? x.numel() / width : 0;
  interruption_point();
  if (!x.is_cpu() || n <= most) return work(x);
  const at::Tensor rows = x.reshape({n, width});
  at::Tensor out;
  for (int64_t at = 0; at < n; at += most) {
    if (at > 0) interruption_point();
    const int64_t n_here = std::min(most, n - at);
    const at::Tensor made = work(rows.narrow(0, at, n_here));
    if (!out.defined()) out = at::empty({n, made.size(-1)}, made.options());
    out.narrow(0, at, n_here).copy_(made);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = out.size(-1);
  return out.view(shape);
}

}  // namespace vidi
