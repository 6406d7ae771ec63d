#include "kernels/attention/rotation.h"

#include <bit>
#include <cmath>

#include "kernels/aten.h"
#include "kernels/layers/linear.h"

namespace vidi {
namespace {

// Sylvester's: +1 where the two indices share an even number of bits.
at::Tensor signs(int64_t order) {
  at::Tensor all = at::empty({order, order}, at::kFloat);
  float* value = all.mutable_data_ptr<float>();
  for (uint64_t row = 0; row < static_cast<uint64_t>(order); ++row) {
    for (uint64_t column = 0; column < static_cast<uint64_t>(order); ++column)
      *value++ = std::popcount(row & column) % 2 == 0 ? 1.0F : -1.0F;
  }
  return all;
}

}  // namespace

bool Rotation::has(int64_t head_dim) {
  return head_dim >= 16 && head_dim <= 256 && std::has_single_bit(static_cast<uint64_t>(head_dim));
}

Rotation::Rotation(int64_t head_dim, const at::TensorOptions& options) {
  TORCH_CHECK(has(head_dim), "a rotation of order ", head_dim,
              ", expected a power of two, 16 to 256");
  const int bits = std::countr_zero(static_cast<uint64_t>(head_dim));
  const at::Tensor plain = signs(head_dim);
  for_keys_ = plain.mul(std::ldexp(1.0, -(bits / 2))).to(options);
  for_queries_ = plain.mul(std::ldexp(1.0, -(bits - bits / 2))).to(options);
}

at::Tensor Rotation::keys(const at::Tensor& x) const { return apply_linear(x, for_keys_); }

at::Tensor Rotation::queries(const at::Tensor& x) const { return apply_linear(x, for_queries_); }

at::Tensor Rotation::restored_keys(const at::Tensor& turned) const {
  return apply_linear(turned, for_queries_);
}

}  // namespace vidi
