#include "model/towers/layers.h"

#include "kernels/aten.h"
#include "kernels/attention/self_attention.h"
#include "kernels/layers/linear.h"

namespace vidi {

void Linear::take(Weights& weights, const std::string& name, int64_t out, int64_t in,
                  const std::string& field, bool has_bias) {
  weights.take(weight, name + ".weight", {out, in}, field);
  if (has_bias) weights.take(bias, name + ".bias", {out}, field);
}

at::Tensor Linear::operator()(const at::Tensor& x) const { return apply_linear(x, weight, bias); }

void LayerNorm::take(Weights& weights, const std::string& name, int64_t width, double epsilon,
                     const std::string& field) {
  eps = epsilon;
  weights.take(weight, name + ".weight", {width}, field);
  weights.take(bias, name + ".bias", {width}, field);
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

Residual LayerNorm::after_sum(const at::Tensor& x, const at::Tensor& added, double limit) const {
  return add_and_layer_norm(x, added, weight, bias, eps, limit);
}

void Mlp::take(Weights& weights, const std::string& name, int64_t n_layers, int64_t in,
               int64_t hidden, const std::string& field) {
  layers.resize(n_layers);
  for (int64_t i = 0; i < n_layers; ++i) {
    layers[i].take(weights, name + "." + std::to_string(2 * i), hidden, i == 0 ? in : hidden,
                   field);
  }
}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  at::Tensor y = layers.front()(x);
  for (size_t i = 1; i < layers.size(); ++i) y = layers[i](at::gelu(y));
  return y;
}

void SelfAttention::take(Weights& weights, const std::string& name, int64_t n_heads, int64_t width,
                         const std::string& field, bool key_has_bias) {
  heads = n_heads;
  const std::string q = name + ".q_proj", k = name + ".k_proj", v = name + ".v_proj";
  weights.take_joined(
      qkv.weight,
      {{q + ".weight", width, field}, {k + ".weight", width, field}, {v + ".weight", width, field}},
      width);
  weights.take_joined(qkv.bias,
                      {{q + ".bias", width, field},
                       {key_has_bias ? k + ".bias" : "", width, field},
                       {v + ".bias", width, field}},
                      0);
  out.take(weights, name + ".out_proj", width, width, field);
}

at::Tensor SelfAttention::operator()(const at::Tensor& x) const {
  const int64_t batch = x.size(0), n = x.size(1), dim = x.size(2) / heads;
  at::Tensor all = qkv(x).view({batch, n, 3, heads, dim}).permute({2, 0, 3, 1, 4});
  return out(self_attention(all[0], all[1], all[2]));
}

at::Tensor conv1d_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, int64_t padding) {
  const int64_t kernel = weight.size(2);
  at::Tensor padded = padding > 0 ? at::constant_pad_nd(x, {0, 0, padding, padding}) : x;
  // Channels inside: a row of a patch is copied as one piece.
  at::Tensor patches = padded.unfold(1, kernel, stride).transpose(2, 3);  // [B, L', kernel, C]
  return apply_linear(patches.flatten(2), weight.transpose(1, 2).flatten(1), bias);
}

}  // namespace vidi
