#include "kernels/gated_mlp.h"

#include <ATen/ATen.h>

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

at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                     const at::Tensor& down, Activation activation) {
  at::Tensor hidden = activate(at::linear(x, gate), activation);
  return at::linear(hidden.mul_(at::linear(x, up)), down);
}

}  // namespace vidi
