#include "model/decoder/attention_layer.h"

#include "kernels/aten.h"
#include "kernels/attention/attention.h"
#include "kernels/layers/linear.h"

namespace vidi {

void AttentionLayer::take(Weights& weights, const std::string& name, const DecoderConfig& config,
                          bool sliding) {
  config_ = config;
  sliding_ = sliding;
  const int64_t hidden = config.hidden, own = int64_t{config.heads} * config.head_dim;
  const int64_t shared = int64_t{config.kv_heads} * config.head_dim;
  const char* shared_field = "num_key_value_heads * head_dim, hidden_size";
  weights.take_joined(
      qkv_,
      {{name + ".q_proj.weight", own, "num_attention_heads * head_dim, hidden_size"},
       {name + ".k_proj.weight", shared, shared_field},
       {name + ".v_proj.weight", shared, shared_field}},
      hidden);
  weights.take(o_, name + ".o_proj.weight", {hidden, own},
               "hidden_size, num_attention_heads * head_dim");
}

at::Tensor AttentionLayer::text(const at::Tensor& xn, const TextPass& pass, TextKeys& own,
                                int64_t longest, const PassWindows& windows, size_t layer) const {
  const int64_t batch = xn.size(0), n = xn.size(1), dim = config_.head_dim;
  const int64_t heads = config_.heads, kv_heads = config_.kv_heads;
  at::Tensor qkv = apply_linear(xn, qkv_).view({batch, n, heads + 2 * kv_heads, dim});
  at::Tensor q = qkv.narrow(2, 0, heads), k = qkv.narrow(2, heads, kv_heads);
  at::Tensor v = qkv.narrow(2, heads + kv_heads, kv_heads);

  OwnKeys text;
  text.key = own.key, text.value = own.value, text.n_slots = longest;
  text.q = rope_and_append({q, k, v}, pass.positions, *pass.rope, own.key, own.value);
  text.positions = pass.positions;
  text.window_keys = sliding_ ? pass.window_keys : 0;
  text.mask = sliding_ ? pass.sliding_mask : pass.mask;
  // Pictures and sound see the queries without rope.
  at::Tensor sum = window_attention(q, text, windows, layer,
                                    {config_.attention_scale, config_.attention_softcap});
  return apply_linear(sum, o_);  // one product: o_proj is linear and has no bias
}

// Rows [first, first + n) of `keys` become the product, which comes back as it was computed.
static at::Tensor product_into(const KeyMatrix& keys, int64_t first, const at::Tensor& x,
                               const WeightMatrix& weight) {
  if (keys.is_packed()) {
    at::Tensor rows = apply_linear(x, weight);
    keys.put(first, rows);
    return rows;
  }
  at::Tensor rows = keys.native().narrow(0, first, x.size(0));
  apply_linear_into(rows, x, weight);
  return rows;
}

at::Tensor AttentionLayer::media_keys(const at::Tensor& vn, const MediaKeys& keys,
                                      int64_t first) const {
  const int64_t first_key = int64_t{config_.heads} * config_.head_dim, width = keys.key.width();
  product_into(keys.key, first, vn, qkv_.rows(first_key, width));
  return product_into(keys.value, first, vn, qkv_.rows(first_key + width, width));
}

at::Tensor AttentionLayer::media_output(const at::Tensor& values) const {
  const int64_t group = config_.heads / config_.kv_heads;
  return apply_linear(values, o_.folded(group, config_.head_dim));
}

}  // namespace vidi
