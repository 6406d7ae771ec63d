// A Hadamard rotation of keys and queries: what a few channels of a head have too large is spread
// over all of them, so that one scale for the head's 8-bit numbers serves each of them (QuaRot,
// arXiv 2404.00456). Scores do not change: (q R) . (k R) = q . k, since R is orthonormal. That is
// for keys without a rotary embedding, as a window's are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vidi {

class Rotation {
 public:
  // Powers of two from 16 to 256.
  static bool has(int64_t head_dim);

  Rotation() = default;
  explicit Rotation(int64_t head_dim, const at::TensorOptions& options);
  bool defined() const { return for_keys_.defined(); }

  // x [..., head_dim] of the rotation's device and dtype -> the same shape, contiguous. The dot
  // product of a turned query and a turned key is that of the two. (Of an order that is no square,
  // 1 / sqrt(D) is no number of half precision: the keys get the larger power of two, the queries
  // the smaller.)
  at::Tensor keys(const at::Tensor& x) const;
  at::Tensor queries(const at::Tensor& x) const;
  at::Tensor restored_keys(const at::Tensor& turned) const;

 private:
  at::Tensor for_keys_, for_queries_;  // [head_dim, head_dim], symmetric
};

}  // namespace vidi
