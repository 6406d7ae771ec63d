// The product of every layer: x weight^T + bias, an activation behind it where there is one.
//
// Float32 on AMD's processors goes through oneDNN, which takes their widest vectors; ATen's own
// product is MKL's, which uses half of them there. All else is at::linear.
//
// The order of a sum is the library's affair: it depends on the number of rows, on the threads and
// on the processor. So a row's result is the same in any company but for rounding.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/activation.h"

namespace vidi {

at::Tensor activate(const at::Tensor& x, Activation activation);

// x [..., K], weight [N, K], bias [N] or undefined -> [..., N].
at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
// The same into `out`, [M, N] with contiguous rows; x [M, K].
void apply_linear_into(const at::Tensor& out, const at::Tensor& x, const at::Tensor& weight);
// True: activated_linear() costs as much as apply_linear(), in float32 on the CPU.
bool activates_in_product(const at::Tensor& x, const at::Tensor& weight);
// act(x weight^T + bias). In half precision on CUDA the tanh GELU is part of the product
// (cuBLASLt), in float32 on the CPU every activation is.
at::Tensor activated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation);

}  // namespace vidi
