// The feed-forward block of Gemma and Mistral: down(act(gate(x)) * up(x)). CPU and CUDA through
// ATen; the activation and the product in one kernel in half precision on CUDA (gated_mlp.cu).
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config.h"

namespace vidi {

at::Tensor activate(const at::Tensor& x, Activation activation);

// act(gate) * up of one shape, into gate's memory: no caller needs it afterwards.
at::Tensor gated_activation(at::Tensor gate, const at::Tensor& up, Activation activation);
at::Tensor gated_activation_plain(const at::Tensor& gate, const at::Tensor& up,
                                  Activation activation);

// x [..., H], gate and up [M, H], down [H, M] -> [..., H].
at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                     const at::Tensor& down, Activation activation);

}  // namespace vidi
