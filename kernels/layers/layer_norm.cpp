#include "kernels/layers/layer_norm.h"

#include <c10/core/DeviceGuard.h>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/layer_norm_launch.h"

namespace vidi {
namespace {

void check_rows(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                const at::Tensor& bias) {
  TORCH_CHECK(x.sizes() == added.sizes(), "add_and_layer_norm: ", x.sizes(), " and ",
              added.sizes());
  TORCH_CHECK(weight.defined() == bias.defined(), "add_and_layer_norm: a weight or a bias alone");
  for (const at::Tensor* t : {&weight, &bias}) {
    TORCH_CHECK(!t->defined() || (t->dim() == 1 && t->size(0) == x.size(-1)),
                "add_and_layer_norm: ", t->sizes(), " for rows of ", x.size(-1));
  }
}

// Another dtype than the rows' is ATen's affair: it promotes.
bool has_kernel(const at::Tensor& x, at::TensorList others) {
  if (!fits_own_kernels(x) || x.numel() == 0 || x.size(-1) % 8 != 0 || x.size(-1) > kMaxNormWidth)
    return false;
  for (const at::Tensor& t : others) {
    if (t.defined() &&
        (!fits_own_kernels(t) || t.scalar_type() != x.scalar_type() || t.device() != x.device()))
      return false;
  }
  return true;
}

}  // namespace

Residual add_and_layer_norm_plain(const at::Tensor& x, const at::Tensor& added,
                                  const at::Tensor& weight, const at::Tensor& bias, double eps,
                                  double limit) {
  check_rows(x, added, weight, bias);
  at::Tensor sum = x + added;
  if (limit > 0) sum.clamp_(-limit, limit);
  if (!weight.defined()) return {sum, {}};
  return {sum, at::layer_norm(sum, weight.sizes(), weight, bias, eps)};
}

Residual add_and_layer_norm(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, double eps, double limit) {
  check_rows(x, added, weight, bias);
  if (!has_kernel(x, {added, weight, bias}))
    return add_and_layer_norm_plain(x, added, weight, bias, eps, limit);
  Residual out{at::empty_like(x), weight.defined() ? at::empty_like(x) : at::Tensor()};
  LayerNormTask task;
  task.x = x.data_ptr(), task.added = added.data_ptr(), task.sum = out.sum.data_ptr();
  if (weight.defined()) {
    task.weight = weight.data_ptr(), task.bias = bias.data_ptr();
    task.normalized = out.normalized.data_ptr();
  }
  task.rows = x.numel() / x.size(-1), task.width = static_cast<int>(x.size(-1));
  task.eps = static_cast<float>(eps), task.limit = static_cast<float>(limit);
  c10::DeviceGuard guard(x.device());
  launch_layer_norm(task, element_type(x.scalar_type()), current_stream(x.device()));
  return out;
}

}  // namespace vidi
