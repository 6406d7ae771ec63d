// The small pieces that towers and projector share: linear layers, layer norms, a stack of Linear
// and GELU.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "kernels/layers/layer_norm.h"
#include "model/checkpoint/weights.h"

namespace vidi {

struct Linear {
  at::Tensor weight, bias;  // [out, in], [out] or undefined
  void take(Weights& weights, const std::string& name, int64_t out, int64_t in,
            const std::string& field, bool has_bias = true);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct LayerNorm {
  at::Tensor weight, bias;
  double eps = 1e-5;
  void take(Weights& weights, const std::string& name, int64_t width, double eps,
            const std::string& field);
  at::Tensor operator()(const at::Tensor& x) const;
  // x + added, within +-limit if there is one, and the norm of that (layer_norm.h).
  Residual after_sum(const at::Tensor& x, const at::Tensor& added, double limit = 0) const;
};

// Linear layers `name`.0, .2, .4 ... with exact GELU between them, as the published mlpNx_gelu
// projectors.
struct Mlp {
  std::vector<Linear> layers;
  void take(Weights& weights, const std::string& name, int64_t n_layers, int64_t in, int64_t hidden,
            const std::string& field);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Self-attention without a mask over x [B, S, heads * D] (towers): projections, heads apart, heads
// together.
struct SelfAttention {
  Linear qkv, out;  // queries, keys and values below each other
  int64_t heads = 1;
  // `name`.q_proj, .k_proj, .v_proj and .out_proj; Whisper's keys have no bias.
  void take(Weights& weights, const std::string& name, int64_t n_heads, int64_t width,
            const std::string& field, bool key_has_bias);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Conv1d as a matrix product: x [B, L, C], weight [out, C, kernel], bias [out] or undefined, zero
// padding at both ends -> [B, floor((L + 2 padding - kernel) / stride) + 1, out].
at::Tensor conv1d_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, int64_t padding);

}  // namespace vidi
