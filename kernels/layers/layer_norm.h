// Layer normalisation over the last dimension and the residual sum before it, as encoders have them
// between two blocks. CPU and CUDA through ATen; half precision on CUDA in one kernel
// (layer_norm.cu).
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/layers/norm.h"

namespace vidi {

// sum = x + added, held within [-limit, limit] if there is a limit; normalized = (sum - mean) /
// sqrt(variance + eps) * weight + bias, statistics in float32, undefined without `weight`. x and
// added [..., C]; weight and bias [C], both or neither; limit 0: none.
Residual add_and_layer_norm(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, double eps, double limit = 0);

// The specification: ATen alone, on any device.
Residual add_and_layer_norm_plain(const at::Tensor& x, const at::Tensor& added,
                                  const at::Tensor& weight, const at::Tensor& bias, double eps,
                                  double limit = 0);

}  // namespace vidi
