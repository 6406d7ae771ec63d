// Rotary position embedding, dimension d paired with d + head_dim / 2 (RoFormer; the pairing of
// Hugging Face's models).
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

// cos and sin of position * theta^(-2d / head_dim), [n_positions, head_dim / 2], computed in
// float32, cast to `dtype`.
struct RopeTable {
  at::Tensor cos, sin;
  static RopeTable make(int64_t n_positions, int64_t head_dim, double theta, at::Device device,
                        at::ScalarType dtype);
};

// x [B, T, heads, head_dim] at positions [B, T] (int64, on x's device). Returns a new tensor.
at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table);

}  // namespace vidi
