#include "kernels/gated_mlp.h"

#include <ATen/ATen.h>

#include <vector>

namespace vidi {

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kSilu:
      return at::silu(x);
  }
  TORCH_CHECK(false, "activate: unknown activation");
}

at::Tensor activated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) {
  if (!x.is_cuda() || x.scalar_type() == at::kFloat || activation != Activation::kGeluTanh) {
    return activate(at::linear(x, weight, bias), activation);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  at::Tensor rows = x.reshape({-1, x.size(-1)});
  return at::_addmm_activation(bias, rows, weight.t(), 1, 1, /*use_gelu=*/true).view(shape);
}

at::Tensor gated(const at::Tensor& both, Activation activation) {
  const int64_t width = both.size(-1) / 2;
  TORCH_CHECK(both.size(-1) == 2 * width, "gated: an odd width of ", both.size(-1));
  return activate(both.narrow(-1, 0, width), activation).mul_(both.narrow(-1, width, width));
}

at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate_up, const at::Tensor& down,
                     Activation activation) {
  return at::linear(gated(at::linear(x, gate_up), activation), down);
}

}  // namespace vidi
