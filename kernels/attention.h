// Grouped-query attention with an optional soft cap. Keys and values are never repeated in memory:
// the query heads that share a key/value head become rows of one matrix product. CPU and CUDA
// through ATen.
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

struct AttentionScale {
  double scale = 1;
  double softcap = 0;  // 0 = none; else logits = softcap * tanh(logits / softcap)
};

// q [B, T, heads, D]; k, v [B, kv_heads, S, D] (any strides with the last one 1); query head j
// reads key/value head j div (heads / kv_heads). `mask` bool [B, T, S], true = the query sees the
// key, or undefined = sees all. Softmax in float32. Returns [B, T, heads * D]. Scores are made for
// a bounded number of queries at a time.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionScale& scale, const at::Tensor& mask);

}  // namespace vidi
