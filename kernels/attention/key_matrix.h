// The keys, or the values, of one layer that all questions share, as they lie in memory: the
// numbers that were computed, or 8 bits of each.
//
// 8 bits: symmetric, x = q * scale with q in [-127, 127] and one scale for each token and head, in
// the dtype of what was computed, rounded before q is chosen. Keys are rotated before
// (rotation.h), values are not: their rotation would have to be undone on every result.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

#include "kernels/attention/rotation.h"

namespace vidi {

class KeyMatrix {
 public:
  KeyMatrix() = default;
  // [tokens, kv_heads * head_dim]. Implicit: numbers as they are computed are keys.
  KeyMatrix(at::Tensor native) : native_(std::move(native)) {}  // NOLINT

  // Without contents, to be filled by put(). `rotation`: of keys; not defined: these are values.
  static KeyMatrix packed(int64_t n_tokens, int64_t kv_heads, int64_t head_dim,
                          const at::TensorOptions& options, const Rotation& rotation);

  // Rows [n, kv_heads * head_dim] as they were computed become rows [first, first + n).
  void put(int64_t first, const at::Tensor& rows) const;

  bool is_packed() const { return bytes_.defined(); }
  // int8 [kv_heads, tokens, head_dim]: what a block of the attention reads lies together.
  const at::Tensor& bytes() const { return bytes_; }
  // [kv_heads, tokens rounded up to kScalesTogether], zeros behind the tokens'.
  const at::Tensor& scales() const { return scales_; }
  static constexpr int64_t kScalesTogether = 8;
  const at::Tensor& native() const { return native_; }  // undefined when packed
  int64_t width() const { return is_packed() ? bytes_.size(0) * bytes_.size(2) : native_.size(1); }
  const Rotation& rotation() const { return rotation_; }
  // Where they are, and in what they are computed with.
  at::TensorOptions options() const { return is_packed() ? scales_.options() : native_.options(); }
  int64_t n_bytes() const;

  // Of packed ones, the numbers as queries see them that are turned as these are: [kv_heads,
  // tokens, head_dim], a new tensor.
  at::Tensor expanded_heads() const;
  // The same as [tokens, kv_heads * head_dim]; the native tensor of others.
  at::Tensor expanded() const;
  at::Tensor restored() const;  // the same, not turned

 private:
  at::Tensor native_;
  at::Tensor bytes_, scales_;
  Rotation rotation_;
};

}  // namespace vidi
