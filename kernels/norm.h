// RMS normalisation over the last dimension, statistics in float32. CPU and CUDA through ATen.
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

// x / sqrt(mean(x^2) + eps), computed in float32 and cast back to x's dtype. x [..., C].
at::Tensor rms_normalize(const at::Tensor& x, double eps);

// weight [C]. Plain (Mistral, mm_rand_*): normalised, cast back, then times the weight in x's
// dtype. With `weight_offset` (Gemma): normalised times (1 + weight) in float32, then cast back.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool weight_offset);

// The end of one block and the start of the next.
struct AddedNorm {
  at::Tensor sum, normed;  // as x
};

// sum = x + y, or x + rms_norm(y, y_weight) where y_weight is defined (Gemma-2 also norms what a
// block gives); normed = rms_norm(sum, weight). x, y [..., C]; weights [C].
AddedNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& y_weight,
                   const at::Tensor& weight, double eps, bool weight_offset);

}  // namespace vidi
