#include "model/attention_layer.h"

#include <ATen/ATen.h>

#include <vector>

#include "kernels/attention.h"

namespace vidi {

void AttentionLayer::take(Weights& weights, const std::string& name, const DecoderConfig& config,
                          bool sliding) {
  config_ = config;
  sliding_ = sliding;
  const int64_t hidden = config.hidden, own = int64_t{config.heads} * config.head_dim;
  const int64_t shared = int64_t{config.kv_heads} * config.head_dim;
  weights.take(q_, name + ".q_proj.weight", {own, hidden},
               "num_attention_heads * head_dim, hidden_size");
  weights.take(k_, name + ".k_proj.weight", {shared, hidden},
               "num_key_value_heads * head_dim, hidden_size");
  weights.take(v_, name + ".v_proj.weight", {shared, hidden},
               "num_key_value_heads * head_dim, hidden_size");
  weights.take(o_, name + ".o_proj.weight", {hidden, own},
               "hidden_size, num_attention_heads * head_dim");
}

at::Tensor AttentionLayer::text(const at::Tensor& xn, const TextPass& pass, TextKeys& own,
                                int64_t longest, const MediaCache& media, size_t layer) const {
  const int64_t batch = xn.size(0), n = xn.size(1), dim = config_.head_dim;
  at::Tensor q = at::linear(xn, q_).view({batch, n, config_.heads, dim});
  at::Tensor k = at::linear(xn, k_).view({batch, n, config_.kv_heads, dim});
  at::Tensor v = at::linear(xn, v_).view({batch, n, config_.kv_heads, dim});

  OwnKeys text;
  text.key = own.key, text.value = own.value, text.n_slots = longest;
  text.q = turn_and_store({q, k, v}, pass.positions, *pass.rope, own.key, own.value);
  text.positions = pass.positions;
  text.window_keys = sliding_ ? pass.window_keys : 0;
  text.mask = sliding_ ? pass.sliding_mask : pass.mask;
  std::vector<SharedKeys> shared;  // pictures and sound see the queries without rope
  for (Modality m : {Modality::kImage, Modality::kAudio}) {
    if (media.has(m)) shared.push_back({media.at(m, layer).key, media.at(m, layer).value});
  }
  at::Tensor sum =
      summed_attention(q, text, shared, {config_.attention_scale, config_.attention_softcap});
  return at::linear(sum, o_);  // one product: o_proj is linear and has no bias
}

at::Tensor AttentionLayer::media_keys(const at::Tensor& vn, const MediaKeys& keys,
                                      int64_t first) const {
  at::Tensor key = keys.key.narrow(0, first, vn.size(0));
  at::Tensor value = keys.value.narrow(0, first, vn.size(0));
  at::mm_out(key, vn, k_.t());
  at::mm_out(value, vn, v_.t());
  return value;
}

at::Tensor AttentionLayer::media_output(const at::Tensor& values) const {
  const int64_t n = values.size(0), group = config_.heads / config_.kv_heads;
  at::Tensor heads = values.view({n, config_.kv_heads, 1, config_.head_dim});
  heads = heads.expand({n, config_.kv_heads, group, config_.head_dim});
  return at::linear(heads.reshape({n, -1}), o_);
}

}  // namespace vidi
