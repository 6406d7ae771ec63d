#include "kernels/attention/key_matrix.h"

#include <c10/core/DeviceGuard.h>

#include "kernels/aten.h"
#include "kernels/attention/attention_plan.h"
#include "kernels/attention/key_matrix_launch.h"
#include "kernels/cuda/dispatch.h"

namespace vidi {
namespace {

constexpr double kLargest = 127;  // -128 is not used: the numbers are symmetric

// put() as one kernel; `numbers` and `scales` are those of the rows.
void pack_on_device(const at::Tensor& numbers, const at::Tensor& scales, const at::Tensor& rows,
                    bool turns) {
  c10::DeviceGuard guard(rows.device());
  PackKeysTask task;
  task.rows = rows.data_ptr(), task.turns = turns;
  task.numbers = numbers.data_ptr<int8_t>(), task.scales = scales.data_ptr();
  task.n = numbers.size(1);
  task.heads = static_cast<int>(numbers.size(0));
  task.head_dim = static_cast<int>(numbers.size(2));
  task.head_stride = numbers.stride(0), task.scale_stride = scales.stride(0);
  launch_pack_keys(task, element_type(rows.scalar_type()), current_stream(rows.device()));
}

}  // namespace

KeyMatrix KeyMatrix::packed(int64_t n_tokens, int64_t kv_heads, int64_t head_dim,
                            const at::TensorOptions& options, const Rotation& rotation) {
  const int64_t pitch = (n_tokens + kScalesTogether - 1) / kScalesTogether * kScalesTogether;
  KeyMatrix keys;
  keys.bytes_ = at::empty({kv_heads, n_tokens, head_dim}, options.dtype(at::kChar));
  keys.scales_ = at::zeros({kv_heads, pitch}, options);
  keys.rotation_ = rotation;
  return keys;
}

// A scale of 0, where all numbers of a head are 0 or nearly so, leaves them 0.
void KeyMatrix::put(int64_t first, const at::Tensor& rows) const {
  const int64_t n = rows.size(0);
  if (!is_packed()) {
    native_.narrow(0, first, n).copy_(rows);
    return;
  }
  const at::Tensor bytes = bytes_.narrow(1, first, n), scales = scales_.narrow(1, first, n);
  if (fits_own_kernels(rows) && attention_kernel_has(static_cast<int>(bytes_.size(2)))) {
    pack_on_device(bytes, scales, rows, rotation_.defined());
    return;
  }
  at::Tensor x = rows.view({n, bytes_.size(0), bytes_.size(2)}).transpose(0, 1);
  if (rotation_.defined()) x = rotation_.keys(x);
  scales.copy_(x.abs().amax(-1).to(at::kFloat).div_(kLargest));
  at::Tensor inverse = scales.to(at::kFloat).reciprocal();
  inverse.masked_fill_(scales == 0, 0);
  bytes.copy_(x.to(at::kFloat).mul(inverse.unsqueeze(-1)).round_().clamp_(-kLargest, kLargest));
}

int64_t KeyMatrix::n_bytes() const {
  return static_cast<int64_t>(is_packed() ? bytes_.nbytes() + scales_.nbytes() : native_.nbytes());
}

at::Tensor KeyMatrix::expanded_heads() const {
  const at::Tensor scales = scales_.narrow(1, 0, bytes_.size(1)).unsqueeze(-1);
  return bytes_.to(scales_.scalar_type()).mul_(scales);
}

at::Tensor KeyMatrix::expanded() const {
  return is_packed() ? expanded_heads().transpose(0, 1).flatten(1) : native_;
}

at::Tensor KeyMatrix::restored() const {
  if (!rotation_.defined()) return expanded();
  return rotation_.restored_keys(expanded_heads()).transpose(0, 1).flatten(1);
}

}  // namespace vidi
