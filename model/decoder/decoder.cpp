#include "model/decoder/decoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/aten.h"
#include "kernels/attention/attention.h"
#include "kernels/layers/gated_mlp.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/norm.h"
#include "model/result.h"

namespace vidi {
namespace {

// Prompts without what all of them begin with. Shorter ones are filled up on the right: no earlier
// token sees what comes later, and the answer's tokens overwrite it.
struct Rests {
  int64_t n_common = 0;  // tokens that all begin with; 0 for a single prompt
  at::Tensor ids;        // [B, longest rest] int64 on the host
  at::Tensor last;       // [B] int64 on the host: place of each one's last token in its row
};

size_t n_common(const std::vector<std::vector<int>>& prompts) {
  if (prompts.size() < 2) return 0;
  size_t n = prompts.front().size();
  for (const auto& p : prompts) {
    n = std::min(n, p.size() - 1);  // a token is left to every one
    n = std::mismatch(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(n),
                      prompts.front().begin())
            .first -
        p.begin();
  }
  return n;
}

Rests rests_of(const std::vector<std::vector<int>>& prompts) {
  const int64_t batch = prompts.size(), common = n_common(prompts);
  int64_t longest = 0;
  for (const auto& p : prompts) longest = std::max<int64_t>(longest, p.size() - common);
  Rests rests{common, at::zeros({batch, longest}, at::kLong), at::empty({batch}, at::kLong)};
  for (int64_t b = 0; b < batch; ++b) {
    std::copy(prompts[b].begin() + common, prompts[b].end(),
              rests.ids.data_ptr<int64_t>() + b * longest);
    rests.last.data_ptr<int64_t>()[b] = prompts[b].size() - common - 1;
  }
  return rests;
}

}  // namespace

void Decoder::take(Weights& weights, const DecoderConfig& config) {
  config_ = config;
  weights.take(embeddings_, "model.embed_tokens.weight", {config.vocab, config.hidden},
               "vocab_size, hidden_size");
  if (!config.tied_embeddings) {
    weights.take(head_, "lm_head.weight", {config.vocab, config.hidden}, "vocab_size, hidden_size");
  }
  weights.take(final_norm_, "model.norm.weight", {config.hidden}, "hidden_size");
  layers_.resize(config.layers);
  for (size_t i = 0; i < layers_.size(); ++i) take_layer(weights, layers_[i], i);
}

void Decoder::take_layer(Weights& weights, Layer& layer, int64_t index) {
  const std::string name = "model.layers." + std::to_string(index);
  const int64_t hidden = config_.hidden, mlp = config_.mlp;
  const bool sliding = config_.sliding_window > 0 && index % 2 == 0;
  layer.attention.take(weights, name + ".self_attn", config_, sliding);
  const char* field = "intermediate_size, hidden_size";
  weights.take_joined(
      layer.gate_up,
      {{name + ".mlp.gate_proj.weight", mlp, field}, {name + ".mlp.up_proj.weight", mlp, field}},
      hidden);
  weights.take(layer.down, name + ".mlp.down_proj.weight", {hidden, mlp},
               "hidden_size, intermediate_size");
  auto norm = [&](at::Tensor& slot, const char* which) {
    weights.take(slot, name + "." + which + ".weight", {hidden}, "hidden_size");
  };
  norm(layer.input_norm, "input_layernorm");
  if (config_.sandwich_norms) {
    norm(layer.after_attention_norm, "post_attention_layernorm");
    norm(layer.before_mlp_norm, "pre_feedforward_layernorm");
    norm(layer.after_mlp_norm, "post_feedforward_layernorm");
  } else {
    norm(layer.before_mlp_norm, "post_attention_layernorm");
  }
}

at::Tensor Decoder::norm(const at::Tensor& x, const at::Tensor& weight) const {
  return rms_norm(x, weight, config_.rms_eps, config_.norm_adds_one);
}

// A layer from its attention's result on: the state it leaves, and that state under the norm that
// reads it next, the next layer's or the last one.
Residual Decoder::rest_of_layer(const at::Tensor& x, size_t index,
                                const at::Tensor& attended) const {
  const Layer& layer = layers_[index];
  auto add = [&](const at::Tensor& to, const at::Tensor& y, const at::Tensor& y_norm,
                 const at::Tensor& next_norm) {
    return add_and_norm(to, y, y_norm, next_norm, config_.rms_eps, config_.norm_adds_one);
  };
  Residual r = add(x, attended, layer.after_attention_norm, layer.before_mlp_norm);
  at::Tensor y = gated_mlp(r.normalized, layer.gate_up, layer.down, config_.activation);
  const bool is_last = index + 1 == layers_.size();
  return add(r.sum, y, layer.after_mlp_norm, is_last ? final_norm_ : layers_[index + 1].input_norm);
}

// sqrt(hidden) is rounded to the working dtype before it multiplies, as the published code does.
static double rounded_scale(int64_t hidden, at::ScalarType dtype) {
  return at::scalar_tensor(std::sqrt(static_cast<double>(hidden)), at::kDouble)
      .to(dtype)
      .item<double>();
}

at::Tensor Decoder::embed(const at::Tensor& ids) const {
  at::Tensor x = embeddings_.chosen_rows(ids);
  return config_.scale_embeddings ? x * rounded_scale(config_.hidden, x.scalar_type()) : x;
}

MediaCache Decoder::make_media_cache(int64_t n_image_tokens, int64_t n_audio_tokens) const {
  MediaCache cache;
  add_media(cache, Modality::kImage, n_image_tokens);
  add_media(cache, Modality::kAudio, n_audio_tokens);
  return cache;
}

void Decoder::add_media(MediaCache& cache, Modality modality, int64_t n_tokens) const {
  const auto m = static_cast<int>(modality);
  cache.n_tokens[m] = n_tokens;
  if (n_tokens == 0) return;
  cache.layers[m].resize(layers_.size());
  for (MediaKeys& keys : cache.layers[m]) {
    keys.key = make_keys(n_tokens, key_rotation_);
    keys.value = make_keys(n_tokens, {});
  }
}

KeyMatrix Decoder::make_keys(int64_t n_tokens, const Rotation& rotation) const {
  const int64_t heads = config_.kv_heads, dim = config_.head_dim;
  if (packs_keys()) return KeyMatrix::packed(n_tokens, heads, dim, embeddings_.options(), rotation);
  return at::empty({n_tokens, heads * dim}, embeddings_.options());
}

bool Decoder::pack_keys() {
  if (Rotation::has(config_.head_dim))
    key_rotation_ = Rotation(config_.head_dim, embeddings_.options());
  return packs_keys();
}

int64_t Decoder::media_bytes(int64_t n_tokens) const {
  const auto of_layer = key_tensor_bytes(config_, n_tokens,
                                         static_cast<int64_t>(at::elementSize(embeddings_.dtype())),
                                         packs_keys() ? KeyFormat::kInt8 : KeyFormat::kNative);
  return config_.layers * std::accumulate(of_layer.begin(), of_layer.end(), int64_t{0});
}

int64_t Decoder::expanded_media_bytes(int64_t n_tokens) const {
  const at::ScalarType dtype = at::typeMetaToScalarType(embeddings_.options().dtype());
  if (!packs_keys() || attention_kernel_runs(device(), dtype, config_.head_dim)) return 0;
  return 2 * n_tokens * config_.kv_heads * config_.head_dim *
         static_cast<int64_t>(at::elementSize(embeddings_.dtype()));
}

void Decoder::prefill_media(const at::Tensor& tokens, Modality modality, int64_t first,
                            const MediaCache& cache, const Cancel& cancel, int64_t piece) const {
  for (int64_t at = 0; at < tokens.size(0); at += piece) {
    at::Tensor v = tokens.narrow(0, at, std::min(piece, tokens.size(0) - at));
    if (config_.scale_embeddings) v = v * rounded_scale(config_.hidden, v.scalar_type());
    Residual r{v, norm(v, layers_[0].input_norm)};
    LayerSpill::Pass weights(spill_.get());
    for (size_t i = 0; i < layers_.size(); ++i) {
      cancel.check();
      weights.use(static_cast<int64_t>(i));
      const AttentionLayer& attention = layers_[i].attention;
      at::Tensor values = attention.media_keys(r.normalized, cache.at(modality, i), first + at);
      if (i + 1 == layers_.size()) break;  // nobody reads what the last layer would add
      r = rest_of_layer(r.sum, i, attention.media_output(values));
      weights.done(static_cast<int64_t>(i));
    }
  }
}

void Decoder::reserve(TextCache& text, int64_t batch, int64_t slots) const {
  if (slots <= text.capacity) return;
  const int64_t capacity = std::max(slots + 64, text.capacity * 2);
  text.layers.resize(layers_.size());
  for (TextKeys& keys : text.layers) {
    for (at::Tensor* t : {&keys.key, &keys.value}) {
      // Where memory ran out half-way, some of them have grown already.
      if (t->defined() && t->size(2) >= capacity) continue;
      at::Tensor grown =
          at::zeros({batch, config_.kv_heads, capacity, config_.head_dim}, embeddings_.options());
      if (t->defined()) grown.narrow(2, 0, t->size(2)).copy_(*t);
      *t = grown;
    }
  }
  text.capacity = capacity;
  text.rope = RopeTable::make(capacity, config_.head_dim, config_.rope_theta, embeddings_.device(),
                              embeddings_.dtype());
}

// x [B, T, H] -> [B, T, H] under the final norm.
at::Tensor Decoder::run_layers(const at::Tensor& x, const PassRange& range,
                               const PassWindows& windows, TextCache& text, const Tap& tap,
                               const Cancel& cancel) const {
  TextPass pass;
  pass.positions = range.positions, pass.window_keys = range.window_keys, pass.rope = &text.rope;
  // The kernel goes by positions alone.
  if (!attention_kernel_runs(x.device(), x.scalar_type(), config_.head_dim)) {
    pass.mask = visible_keys(range.positions, range.end, 0);
    if (config_.sliding_window > 0)
      pass.sliding_mask = visible_keys(range.positions, range.end, range.window_keys);
  }
  Residual r{x, norm(x, layers_[0].input_norm)};
  LayerSpill::Pass weights(spill_.get());
  for (size_t i = 0; i < layers_.size(); ++i) {
    cancel.check();
    weights.use(static_cast<int64_t>(i));
    at::Tensor attended =
        layers_[i].attention.text(r.normalized, pass, text.layers[i], range.end, windows, i);
    r = rest_of_layer(r.sum, i, attended);
    weights.done(static_cast<int64_t>(i));
    if (tap) tap("decoder.layer" + std::to_string(i) + ".hidden", r.sum.flatten(0, 1));
  }
  return r.normalized;
}

// xn [..., H], under the final norm.
at::Tensor Decoder::logits(const at::Tensor& xn) const {
  at::Tensor y = apply_linear(xn, config_.tied_embeddings ? embeddings_ : head_);
  if (config_.float_logits) y = y.to(at::kFloat);
  if (config_.final_softcap > 0) {
    y = y.div(config_.final_softcap).tanh_().mul_(config_.final_softcap);
  }
  return y;
}

// Reads what all prompts begin with, once, and gives it to every row.
void Decoder::prefill_common(const std::vector<int>& ids, const MediaCache& media, TextCache& text,
                             const Cancel& cancel) const {
  const int64_t n = ids.size();
  TextCache first;  // the first row of `text`
  first.rope = text.rope;
  for (const TextKeys& keys : text.layers) {
    first.layers.push_back({keys.key.narrow(0, 0, 1), keys.value.narrow(0, 0, 1)});
  }
  const at::Tensor on_device = at::tensor(ids, at::kLong).unsqueeze(0).to(embeddings_.device());
  const PassRange range{at::arange(n, on_device.options()).unsqueeze(0), n,
                        config_.sliding_window + 1};
  run_layers(embed(on_device), range, {{&media, 1}}, first, {}, cancel);
  for (const TextKeys& keys : text.layers) {
    for (const at::Tensor& all : {keys.key, keys.value}) {
      const int64_t others = all.size(0) - 1;
      all.narrow(0, 1, others).narrow(2, 0, n).copy_(all.narrow(0, 0, 1).narrow(2, 0, n));
    }
  }
}

at::Tensor Decoder::prefill(const std::vector<std::vector<int>>& prompts, const MediaCache& media,
                            TextCache& text, const Tap& tap, const Cancel& cancel) const {
  const Rests rests = rests_of(prompts);
  const int64_t batch = prompts.size(), common = rests.n_common, width = rests.ids.size(1);
  text = {};
  reserve(text, batch, common + width);
  const auto first = prompts.front().begin();
  if (common > 0) prefill_common({first, first + common}, media, text, cancel);

  at::Tensor ids = rests.ids.to(embeddings_.device());
  at::Tensor x = embed(ids);
  tap_into(tap, "prompt.embeds", x.flatten(0, 1));
  at::Tensor positions = at::arange(common, common + width, ids.options()).unsqueeze(0);
  // While a prompt is read, a sliding layer shows a query its window and one key more (vidi-model
  // page, section 6).
  x = run_layers(
      x,
      {positions.expand({batch, width}).contiguous(), common + width, config_.sliding_window + 1},
      {{&media, batch}}, text, tap, cancel);
  at::Tensor last = rests.last.to(embeddings_.device()).view({batch, 1, 1});
  return logits(x.gather(1, last.expand({batch, 1, x.size(2)})).squeeze(1));
}

at::Tensor Decoder::step(const at::Tensor& ids, const at::Tensor& positions, int64_t end,
                         const PassWindows& windows, TextCache& text, const Cancel& cancel) const {
  reserve(text, ids.size(0), end);
  const PassRange range{positions, end, config_.sliding_window};
  return logits(run_layers(embed(ids), range, windows, text, {}, cancel));
}

void Decoder::keep_rows(TextCache& text, const at::Tensor& rows) const {
  std::vector<TextKeys> kept;
  for (const TextKeys& keys : text.layers)
    kept.push_back({keys.key.index_select(0, rows), keys.value.index_select(0, rows)});
  text.layers = std::move(kept);
}

// [rows of a, rows of b], each with as many slots as the longer one has.
static at::Tensor below_each_other(const at::Tensor& a, const at::Tensor& b) {
  std::vector<int64_t> sizes = a.sizes().vec();
  sizes[0] += b.size(0), sizes[2] = std::max(a.size(2), b.size(2));
  at::Tensor both = at::zeros(sizes, a.options());
  both.narrow(0, 0, a.size(0)).narrow(2, 0, a.size(2)).copy_(a);
  both.narrow(0, a.size(0), b.size(0)).narrow(2, 0, b.size(2)).copy_(b);
  return both;
}

void Decoder::append_rows(TextCache& text, const TextCache& more) const {
  if (text.layers.empty()) {
    text = more;
    return;
  }
  std::vector<TextKeys> both;
  for (size_t i = 0; i < text.layers.size(); ++i) {
    const TextKeys &ours = text.layers[i], &theirs = more.layers[i];
    both.push_back(
        {below_each_other(ours.key, theirs.key), below_each_other(ours.value, theirs.value)});
  }
  text.layers = std::move(both);
  if (more.capacity <= text.capacity) return;
  text.capacity = more.capacity, text.rope = more.rope;
}

}  // namespace vidi
