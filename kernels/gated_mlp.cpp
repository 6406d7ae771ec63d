#include "kernels/gated_mlp.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <vector>

#include "kernels/device_call.h"

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

at::Tensor gated_activation_plain(const at::Tensor& both, Activation activation) {
  const int64_t width = both.size(-1) / 2;
  return activate(both.narrow(-1, 0, width), activation).mul_(both.narrow(-1, width, width));
}

at::Tensor gated_activation(const at::Tensor& both, Activation activation) {
  const int64_t width = both.size(-1) / 2;
  TORCH_CHECK(both.size(-1) == 2 * width, "gated_activation: an odd width of ", both.size(-1));
  if (!fits_own_kernels(both) || both.numel() == 0 || width % 8 != 0) {
    return gated_activation_plain(both, activation);
  }
  std::vector<int64_t> shape = both.sizes().vec();
  shape.back() = width;
  at::Tensor out = at::empty(shape, both.options());
  GateTask task;
  task.gate = both.data_ptr(), task.up = both.narrow(-1, width, width).data_ptr();
  task.out = out.data_ptr();
  task.width = static_cast<int>(width), task.rows = out.numel() / width;
  task.gate_stride = task.up_stride = 2 * width;
  task.activation = activation;
  c10::DeviceGuard guard(both.device());
  launch_gate(task, element_type(both.scalar_type()), current_stream(both.device()));
  return out;
}

at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate_up, const at::Tensor& down,
                     Activation activation) {
  return at::linear(gated_activation(at::linear(x, gate_up), activation), down);
}

}  // namespace vidi
