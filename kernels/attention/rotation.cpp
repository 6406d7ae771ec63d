#include "kernels/attention/rotation.h"

#include <c10/core/DeviceGuard.h>

#include <bit>
#include <cmath>

#include "kernels/aten.h"
#include "kernels/attention/attention_plan.h"
#include "kernels/attention/rotation_launch.h"
#include "kernels/cuda/dispatch.h"
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

static at::Tensor in_places(const at::Tensor& x) {
  at::Tensor from = at::empty({x.size(-1)}, at::kLong);  // of each place
  for (int64_t dim = 0; dim < x.size(-1); ++dim)
    from.data_ptr<int64_t>()[query_place(static_cast<int>(dim))] = dim;
  return x.index_select(-1, from.to(x.device()));
}

at::Tensor Rotation::kernel_queries(const at::Tensor& x) const {
  const auto head_dim = static_cast<int>(x.size(-1));
  if (!own_kernels_run(x.device(), x.scalar_type()) || !attention_kernel_has(head_dim) ||
      !has_even_rows(x))
    return in_places(queries(x));
  c10::DeviceGuard guard(x.device());
  at::Tensor out = at::empty(x.sizes(), x.options());
  TurnTask task;
  task.q = x.data_ptr(), task.row_stride = x.stride(1), task.out = out.data_ptr();
  task.rows = x.size(0) * x.size(1);
  task.heads = static_cast<int>(x.size(2)), task.head_dim = head_dim;
  launch_turn_queries(task, element_type(x.scalar_type()), current_stream(x.device()));
  return out;
}

at::Tensor Rotation::restored_keys(const at::Tensor& turned) const {
  return apply_linear(turned, for_queries_);
}

}  // namespace vidi
