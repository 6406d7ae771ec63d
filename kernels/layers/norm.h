// RMS normalisation over the last dimension, statistics in float32, and the residual sum that goes
// with it. CPU and CUDA through ATen; half precision on CUDA in one kernel (norm.cu).
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

// x / sqrt(mean(x^2) + eps), computed in float32 and cast back to x's dtype. x [..., C].
at::Tensor rms_normalize(const at::Tensor& x, double eps);

// weight [C]. Plain (Mistral, mm_rand_*): normalised, cast back, then times the weight in x's
// dtype. With `weight_offset` (Gemma): normalised times (1 + weight) in float32, then cast back.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool weight_offset);

struct Residual {
  at::Tensor sum, normalized;
};

// What stands between two blocks of a decoder layer: sum = x + added, where `added` goes through
// rms_norm first if it has a weight (Gemma's norms after a block), and normalized = rms_norm of the
// sum, undefined without `weight`. x and added [..., C], weights [C] or undefined.
Residual add_and_norm(const at::Tensor& x, const at::Tensor& added, const at::Tensor& added_weight,
                      const at::Tensor& weight, double eps, bool weight_offset);

// The specifications: ATen alone, on any device.
at::Tensor rms_norm_plain(const at::Tensor& x, const at::Tensor& weight, double eps,
                          bool weight_offset);
Residual add_and_norm_plain(const at::Tensor& x, const at::Tensor& added,
                            const at::Tensor& added_weight, const at::Tensor& weight, double eps,
                            bool weight_offset);

}  // namespace vidi
