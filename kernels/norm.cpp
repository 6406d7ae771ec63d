#include "kernels/norm.h"

#include <ATen/ATen.h>

namespace vidi {
namespace {

at::Tensor normalized_float(const at::Tensor& x, double eps) {
  at::Tensor wide = x.to(at::kFloat);
  return wide * (wide.square().mean(-1, /*keepdim=*/true) + eps).rsqrt_();
}

}  // namespace

at::Tensor rms_normalize(const at::Tensor& x, double eps) {
  return normalized_float(x, eps).to(x.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool weight_offset) {
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == x.size(-1), "rms_norm: weight ",
              weight.sizes(), " for rows of ", x.size(-1));
  if (!weight_offset) return rms_normalize(x, eps) * weight;
  return (normalized_float(x, eps) * (weight.to(at::kFloat) + 1.0)).to(x.scalar_type());
}

AddedNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& y_weight,
                   const at::Tensor& weight, double eps, bool weight_offset) {
  at::Tensor sum = x + (y_weight.defined() ? rms_norm(y, y_weight, eps, weight_offset) : y);
  return {sum, rms_norm(sum, weight, eps, weight_offset)};
}

}  // namespace vidi
