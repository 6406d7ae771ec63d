#include "kernels/layers/gated_mlp.h"

#include <c10/core/DeviceGuard.h>

#include <vector>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/gated_mlp_launch.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/pieces.h"

namespace vidi {

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

namespace {

at::Tensor gated_mlp_of(const at::Tensor& x, const at::Tensor& gate_up, const at::Tensor& down,
                        Activation activation) {
  if (activates_in_product(x, gate_up)) {
    const int64_t width = gate_up.size(0) / 2;
    at::Tensor gate = activated_linear(x, gate_up.narrow(0, 0, width), {}, activation);
    at::Tensor up = apply_linear(x, gate_up.narrow(0, width, width));
    return apply_linear(gate.mul_(up), down);
  }
  return apply_linear(gated_activation(apply_linear(x, gate_up), activation), down);
}

}  // namespace

// On the CPU some rows go through the whole block, so that the wide part in the middle is never
// there for all of them.
at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate_up, const at::Tensor& down,
                     Activation activation) {
  return in_blocks_of_rows(x, kBlockRows, [&](const at::Tensor& rows) {
    return gated_mlp_of(rows, gate_up, down, activation);
  });
}

at::Tensor gated_mlp(const at::Tensor& x, const WeightMatrix& gate_up, const WeightMatrix& down,
                     Activation activation) {
  if (!gate_up.is_packed() && !down.is_packed())
    return gated_mlp(x, gate_up.native(), down.native(), activation);
  return in_blocks_of_rows(x, kBlockRows, [&](const at::Tensor& rows) {
    return apply_linear(gated_activation(apply_linear(rows, gate_up), activation), down);
  });
}

}  // namespace vidi
