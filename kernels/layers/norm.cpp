#include "kernels/layers/norm.h"

#include <c10/core/DeviceGuard.h>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/norm_launch.h"

namespace vidi {
namespace {

at::Tensor normalized_float(const at::Tensor& x, double eps) {
  at::Tensor wide = x.to(at::kFloat);
  return wide * (wide.square().mean(-1, /*keepdim=*/true) + eps).rsqrt_();
}

void check_weight(const at::Tensor& weight, const at::Tensor& x) {
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == x.size(-1), "rms_norm: weight ",
              weight.sizes(), " for rows of ", x.size(-1));
}

bool has_kernel(const at::Tensor& x) {
  return fits_own_kernels(x) && x.numel() > 0 && x.size(-1) % 8 == 0 && x.size(-1) <= kMaxNormWidth;
}

// Another dtype than the rows' is ATen's affair: it promotes.
bool goes_with(const at::Tensor& other, const at::Tensor& x) {
  return !other.defined() || (fits_own_kernels(other) && other.scalar_type() == x.scalar_type() &&
                              other.device() == x.device());
}

NormTask norm_task(const at::Tensor& x, double eps, bool weight_offset) {
  NormTask task;
  task.x = x.data_ptr();
  task.rows = x.numel() / x.size(-1), task.width = static_cast<int>(x.size(-1));
  task.eps = static_cast<float>(eps), task.weight_offset = weight_offset;
  return task;
}

void run(const NormTask& task, const at::Tensor& x) {
  c10::DeviceGuard guard(x.device());
  launch_norm(task, element_type(x.scalar_type()), current_stream(x.device()));
}

}  // namespace

at::Tensor rms_normalize(const at::Tensor& x, double eps) {
  return normalized_float(x, eps).to(x.scalar_type());
}

at::Tensor rms_norm_plain(const at::Tensor& x, const at::Tensor& weight, double eps,
                          bool weight_offset) {
  check_weight(weight, x);
  if (!weight_offset) return rms_normalize(x, eps) * weight;
  return (normalized_float(x, eps) * (weight.to(at::kFloat) + 1.0)).to(x.scalar_type());
}

Residual add_and_norm_plain(const at::Tensor& x, const at::Tensor& added,
                            const at::Tensor& added_weight, const at::Tensor& weight, double eps,
                            bool weight_offset) {
  at::Tensor sum =
      x +
      (added_weight.defined() ? rms_norm_plain(added, added_weight, eps, weight_offset) : added);
  return {sum, weight.defined() ? rms_norm_plain(sum, weight, eps, weight_offset) : at::Tensor()};
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool weight_offset) {
  check_weight(weight, x);
  if (!has_kernel(x) || !goes_with(weight, x)) return rms_norm_plain(x, weight, eps, weight_offset);
  at::Tensor out = at::empty_like(x);
  NormTask task = norm_task(x, eps, weight_offset);
  task.weight = weight.data_ptr(), task.normalized = out.data_ptr();
  run(task, x);
  return out;
}

Residual add_and_norm(const at::Tensor& x, const at::Tensor& added, const at::Tensor& added_weight,
                      const at::Tensor& weight, double eps, bool weight_offset) {
  TORCH_CHECK(x.sizes() == added.sizes(), "add_and_norm: ", x.sizes(), " and ", added.sizes());
  for (const at::Tensor* w : {&added_weight, &weight}) {
    if (w->defined()) check_weight(*w, x);
  }
  if (!has_kernel(x) || !goes_with(added, x) || !goes_with(added_weight, x) ||
      !goes_with(weight, x)) {
    return add_and_norm_plain(x, added, added_weight, weight, eps, weight_offset);
  }
  Residual out{at::empty_like(x), weight.defined() ? at::empty_like(x) : at::Tensor()};
  NormTask task = norm_task(x, eps, weight_offset);
  task.added = added.data_ptr(), task.sum = out.sum.data_ptr();
  if (added_weight.defined()) task.added_weight = added_weight.data_ptr();
  if (weight.defined()) {
    task.weight = weight.data_ptr(), task.normalized = out.normalized.data_ptr();
  }
  run(task, x);
  return out;
}

}  // namespace vidi
