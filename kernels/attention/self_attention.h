// Attention of a tower: every place of a picture or of a stretch of sound attends to every other.
//
// Long float32 rows on the CPU go block by block through the products of linear.h; all else is
// ATen's.
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

// q, k, v [B, heads, n, D], of any strides -> [B, n, heads * D].
at::Tensor self_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);
at::Tensor self_attention_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace vidi
