#include "kernels/layers/rope.h"

#include <c10/core/DeviceGuard.h>

#include <cmath>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/rope_launch.h"

namespace vidi {

RopeTable RopeTable::make(int64_t n_positions, int64_t head_dim, double theta, at::Device device,
                          at::ScalarType dtype) {
  // float32 throughout, as the published code: the frequency, the position and their product.
  at::Tensor frequency = at::empty({head_dim / 2}, at::kFloat);
  float* f = frequency.data_ptr<float>();
  for (int64_t d = 0; d < head_dim / 2; ++d) {
    f[d] = 1.0f / std::pow(static_cast<float>(theta), static_cast<float>(2 * d) / head_dim);
  }
  at::Tensor position = at::arange(n_positions, at::TensorOptions(at::kFloat).device(device));
  at::Tensor angle = at::outer(position, frequency.to(device));
  return {angle.cos().to(dtype), angle.sin().to(dtype)};
}

at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table) {
  at::Tensor cos = table.cos.index_select(0, positions.flatten());
  at::Tensor sin = table.sin.index_select(0, positions.flatten());
  cos = cos.view({x.size(0), x.size(1), 1, -1});
  sin = sin.view({x.size(0), x.size(1), 1, -1});
  const int64_t half = x.size(-1) / 2;
  at::Tensor low = x.narrow(-1, 0, half), high = x.narrow(-1, half, half);
  return at::cat({low * cos - high * sin, high * cos + low * sin}, -1);
}

at::Tensor rope_and_append_plain(const TextProjections& text, const at::Tensor& positions,
                                 const RopeTable& table, at::Tensor& key_slots,
                                 at::Tensor& value_slots) {
  at::Tensor k = apply_rope(text.k, positions, table).transpose(1, 2);  // [B, kv_heads, T, D]
  at::Tensor slots = positions.view({k.size(0), 1, k.size(2), 1}).expand_as(k);
  key_slots.scatter_(2, slots, k);
  value_slots.scatter_(2, slots, text.v.transpose(1, 2));
  return apply_rope(text.q, positions, table);
}

namespace {

bool has_kernel(const TextProjections& text, const at::Tensor& positions, const RopeTable& table,
                const at::Tensor& key_slots, const at::Tensor& value_slots) {
  if (!own_kernels_run(text.q.device(), text.q.scalar_type())) return false;
  auto goes_along = [&](const at::Tensor& t) {
    return t.scalar_type() == text.q.scalar_type() && t.device() == text.q.device();
  };
  for (const at::Tensor* t : {&text.q, &text.k, &text.v}) {
    if (!has_even_rows(*t) || !goes_along(*t)) return false;
  }
  for (const at::Tensor* t : {&table.cos, &table.sin, &key_slots, &value_slots}) {
    if (!fits_own_kernels(*t) || !goes_along(*t)) return false;
  }
  return text.q.size(3) % 16 == 0 && positions.is_contiguous() &&
         positions.device() == text.q.device();
}

RopeTask rope_task(const TextProjections& text, const at::Tensor& positions,
                   const RopeTable& table) {
  RopeTask task;
  task.queries = static_cast<int>(text.q.size(1));
  task.rows = static_cast<int>(text.q.size(0)) * task.queries;
  task.heads = static_cast<int>(text.q.size(2)), task.kv_heads = static_cast<int>(text.k.size(2));
  task.head_dim = static_cast<int>(text.q.size(3));
  task.q = text.q.data_ptr(), task.k = text.k.data_ptr(), task.v = text.v.data_ptr();
  task.q_stride = text.q.stride(1), task.k_stride = text.k.stride(1);
  task.v_stride = text.v.stride(1);
  task.positions = positions.data_ptr<int64_t>();
  task.cos = table.cos.data_ptr(), task.sin = table.sin.data_ptr();
  task.table_rows = table.cos.size(0);
  return task;
}

}  // namespace

at::Tensor rope_and_append(const TextProjections& text, const at::Tensor& positions,
                           const RopeTable& table, at::Tensor& key_slots, at::Tensor& value_slots) {
  const at::Tensor &q = text.q, &k = text.k;
  TORCH_CHECK(k.sizes() == text.v.sizes() && key_slots.sizes() == value_slots.sizes() &&
                  q.size(0) == k.size(0) && q.size(1) == k.size(1) && q.size(3) == k.size(3) &&
                  key_slots.size(0) == k.size(0) && key_slots.size(1) == k.size(2) &&
                  key_slots.size(3) == k.size(3) && positions.numel() == q.size(0) * q.size(1),
              "rope_and_append: q ", q.sizes(), ", k ", k.sizes(), ", v ", text.v.sizes(),
              " and positions ", positions.sizes(), " for slots ", key_slots.sizes());
  if (!has_kernel(text, positions, table, key_slots, value_slots))
    return rope_and_append_plain(text, positions, table, key_slots, value_slots);
  at::Tensor turned = at::empty(q.sizes(), q.options());
  RopeTask task = rope_task(text, positions, table);
  task.turned = turned.data_ptr();
  task.key = key_slots.data_ptr(), task.value = value_slots.data_ptr();
  task.slots = key_slots.size(2);
  c10::DeviceGuard guard(q.device());
  launch_rope(task, element_type(q.scalar_type()), current_stream(q.device()));
  return turned;
}

}  // namespace vidi
