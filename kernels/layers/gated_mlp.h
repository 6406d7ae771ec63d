// The feed-forward block of Gemma and Mistral: down(act(gate(x)) * up(x)). CPU and CUDA through
// ATen; the activation and the product in one kernel in half precision on CUDA (gated_mlp.cu).
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/activation.h"
#include "kernels/layers/weight_matrix.h"

namespace vidi {

// act(gate) * up of both [..., 2 M], gate before up -> [..., M].
at::Tensor gated_activation(const at::Tensor& both, Activation activation);
at::Tensor gated_activation_plain(const at::Tensor& both, Activation activation);

// x [..., H], gate_up [2 M, H] with the gate's rows first, down [H, M] -> [..., H].
at::Tensor gated_mlp(const at::Tensor& x, const at::Tensor& gate_up, const at::Tensor& down,
                     Activation activation);

// The same with weights that may be packed.
at::Tensor gated_mlp(const at::Tensor& x, const WeightMatrix& gate_up, const WeightMatrix& down,
                     Activation activation);

}  // namespace vidi
