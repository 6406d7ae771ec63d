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

// A text's queries, keys and values of one layer, as the projections leave them: q [B, T, heads,
// D], k and v [B, T, kv_heads, D].
struct TextProjections {
  at::Tensor q, k, v;
};

// Writes k, turned by its position, and v into the slots [B, kv_heads, slots, D] that `positions`
// [B, T] name, and returns q turned. Positions are below the number of slots and of the table's
// rows. CPU and CUDA through ATen; half precision on CUDA in one kernel (rope.cu).
at::Tensor rope_and_append(const TextProjections& text, const at::Tensor& positions,
                           const RopeTable& table, at::Tensor& key_slots, at::Tensor& value_slots);
at::Tensor rope_and_append_plain(const TextProjections& text, const at::Tensor& positions,
                                 const RopeTable& table, at::Tensor& key_slots,
                                 at::Tensor& value_slots);

}  // namespace vidi
