#include "kernels/gated_mlp.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

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

at::Tensor gated_activation_plain(const at::Tensor& gate, const at::Tensor& up,
                                  Activation activation) {
  return activate(gate, activation).mul_(up);
}

at::Tensor gated_activation(at::Tensor gate, const at::Tensor& up, Activation activation) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "gated_activation: ", gate.sizes(), " and ", up.sizes());
  if (!fits_own_kernels(gate) || !fits_own_kernels(up) || gate.device() != up.device() ||
      gate.scalar_type() != up.scalar_type() || gate.numel() == 0 || gate.size(-1) % 8 != 0) {
    return gated_activation_plain(gate, up, activation);
  }
  GateTask task;
  task.gate = task.out = gate.data_ptr(), task.up = up.data_ptr();
  task.width = static_cast<int>(gate.size(-1)), task.rows = gate.numel() / gate.size(-1);
  task.gate_stride = task.up_stride = task.width;
  task.activation = activation;
  c10::DeviceGuard guard(gate.device());
  launch_gate(task, element_type(gate.scalar_type()), current_stream(gate.device()));
  return gate;
}

at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                     const at::Tensor& down, Activation activation) {
  at::Tensor hidden = gated_activation(at::linear(x, gate), at::linear(x, up), activation);
  return at::linear(hidden, down);
}

}  // namespace vidi
