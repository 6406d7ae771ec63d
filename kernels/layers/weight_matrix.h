// A product's weight as it lies in memory: the numbers that were published, or 8 bits of each.
//
// 8 bits: symmetric, w = q * scale with q in [-127, 127] and one scale for 128 columns of a row
// (the last group may be shorter), fp16, rounded before q is chosen. On CUDA the bytes lie as the
// product's kernel reads them (packed_linear_launch.h), on the CPU as rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace vidi {

class WeightMatrix {
 public:
  WeightMatrix() = default;
  explicit WeightMatrix(at::Tensor native) : native_(std::move(native)) {}

  // Whether [n_out, n_in] can be stored in 8 bits on this device; what cannot stays as it is.
  static bool can_pack(int64_t n_out, int64_t n_in, at::Device device, at::ScalarType dtype);
  // Makes an uninitialised tensor of a shape and dtype on the matrix's device.
  using Allocate = std::function<at::Tensor(at::IntArrayRef, at::ScalarType)>;
  // Without contents, to be filled by pack_rows(). `dtype`: of what is multiplied with it.
  // `allocate` gives its numbers and then its scales their memory; null: at::empty.
  static WeightMatrix packed(int64_t n_out, int64_t n_in, at::Device device, at::ScalarType dtype,
                             const Allocate& allocate = nullptr);
  static int64_t packed_bytes(int64_t n_out, int64_t n_in);
  // Bytes that a product of many rows takes beside it on a GPU, while the matrix is expanded; 0 for
  // one so large that its rows go through it some at a time instead (a tied head).
  static int64_t expanded_bytes(int64_t n_out, int64_t n_in, at::ScalarType dtype);

  // Quantises rows [n, n_in] of this matrix's device and dtype into rows [first, first + n), both
  // multiples of 16.
  void pack_rows(int64_t first, const at::Tensor& rows);

  // The scales of some rows, of a packed one: not finite where a number of theirs is not, or is too
  // large. Multiples of 16.
  at::Tensor scales_of(int64_t first, int64_t n) const { return rows(first, n).scales_; }

  bool defined() const { return native_.defined() || bytes_.defined(); }
  bool is_packed() const { return bytes_.defined(); }
  const at::Tensor& native() const { return native_; }  // undefined when packed
  int64_t n_out() const { return is_packed() ? n_out_ : native_.size(0); }
  int64_t n_in() const { return is_packed() ? n_in_ : native_.size(1); }
  at::Device device() const { return is_packed() ? bytes_.device() : native_.device(); }
  at::ScalarType dtype() const { return is_packed() ? dtype_ : native_.scalar_type(); }
  at::TensorOptions options() const { return at::TensorOptions(device()).dtype(dtype()); }

  // What it is made of: the native tensor, or the packed numbers and their scales, whose rows lie
  // one behind the other.
  std::vector<at::Tensor> memory() const {
    if (is_packed()) return {bytes_, scales_};
    return {native_};
  }

  // Some of its rows, on the same memory; of a packed one multiples of 16.
  WeightMatrix rows(int64_t first, int64_t n) const;
  // [n_out, n_in] in dtype(): the native tensor, or a new one.
  at::Tensor expanded() const;
  // The columns are heads of `width` numbers, `group` neighbours of which meet the same input: the
  // sum of each group's, [n_out, n_in / group] in dtype().
  at::Tensor folded(int64_t group, int64_t width) const;
  // The rows with these ids, int64 on its device: [ids..., n_in].
  at::Tensor chosen_rows(const at::Tensor& ids) const;

 private:
  friend at::Tensor packed_product(const at::Tensor& x, const WeightMatrix& weight);
  at::Tensor native_;
  at::Tensor bytes_;     // CUDA: uint8 [n_out / 16, n_in / 32, 512]; CPU: int8 [n_out, n_in]
  at::Tensor scales_;    // fp16; CUDA: [n_out / 16, G, 16]; CPU: [n_out, G]
  at::Tensor counters_;  // CUDA: the product's
  int64_t n_out_ = 0, n_in_ = 0;
  at::ScalarType dtype_ = at::kFloat;
};

// x [..., K] weight^T -> [..., N] in x's dtype.
at::Tensor apply_linear(const at::Tensor& x, const WeightMatrix& weight);
// The same into `out`, [M, N] with contiguous rows; x [M, K].
void apply_linear_into(const at::Tensor& out, const at::Tensor& x, const WeightMatrix& weight);

}  // namespace vidi
