// The feed-forward block of Gemma and Mistral: down(act(gate(x)) * up(x)). CPU and CUDA through
// ATen.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/config.h"

namespace vidi {

at::Tensor activate(const at::Tensor& x, Activation activation);

// x [..., H], gate and up [M, H], down [H, M] -> [..., H].
at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                     const at::Tensor& down, Activation activation);

}  // namespace vidi
