// The text decoder with decomposed attention: streams media tokens into keys and values, reads
// prompts, makes logits. vidi-model page, section 6. Both families; which one is in DecoderConfig
// alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

#include "kernels/layers/norm.h"
#include "kernels/layers/weight_matrix.h"
#include "model/cancel.h"
#include "model/decoder/attention_layer.h"
#include "model/device/layer_spill.h"
#include "model/device/memory_plan.h"
#include "model/tap.h"

namespace vidi {

class Decoder {
 public:
  void take(Weights& weights, const DecoderConfig& config);
  const DecoderConfig& config() const { return config_; }
  at::Device device() const { return embeddings_.device(); }

  // From now on windows' keys and values have 8 bits (kernels/attention/key_matrix.h), where the
  // head size allows it; false: it does not, they stay native.
  bool pack_keys();

  // Some layers' weights wait elsewhere; null: none do.
  void stream_layers(std::shared_ptr<const LayerSpill> spill) { spill_ = std::move(spill); }

  // Room for a window's keys and values on the weights' device.
  MediaCache make_media_cache(int64_t n_image_tokens, int64_t n_audio_tokens) const;
  // The same for one modality of a window that has none of it yet; no tokens: nothing.
  void add_media(MediaCache& cache, Modality modality, int64_t n_tokens) const;
  int64_t media_bytes(int64_t n_tokens) const;
  // Beside packed keys, for a pass of text: those of one layer in the numbers that it computes
  // with; 0 with native ones.
  int64_t expanded_media_bytes(int64_t n_tokens) const;

  // Runs tokens [n, H] (before the embedding scale) through all layers and leaves their keys and
  // values in rows [first, first + n). A token's path is its own, so pieces in any order give the
  // same cache but for rounding: at most `piece` tokens go through the layers together.
  void prefill_media(const at::Tensor& tokens, Modality modality, int64_t first,
                     const MediaCache& cache, const Cancel& cancel,
                     int64_t piece = kStreamTokens) const;

  // Reads prompts (lengths >= 1) as one batch into a new `text`; what all begin with is read once.
  // Returns the logits after each one's last token [B, vocab].
  at::Tensor prefill(const std::vector<std::vector<int>>& prompts, const MediaCache& media,
                     TextCache& text, const Tap& tap, const Cancel& cancel) const;

  // The next tokens of every row, which ask about `windows`: ids and positions [B, T] int64 on the
  // device, all positions below `end` -> logits after each token [B, T, vocab]. Copies nothing to
  // or from the host. A token that was read in vain costs nothing: reading another one at its
  // position replaces it.
  at::Tensor step(const at::Tensor& ids, const at::Tensor& positions, int64_t end,
                  const PassWindows& windows, TextCache& text, const Cancel& cancel) const;

  // Room for `slots` tokens a row.
  void reserve(TextCache& text, int64_t batch, int64_t slots) const;

  // Leaves only these rows of `text`, in this order; rows int64 on the device. Where this or
  // append_rows() throws, `text` is as before.
  void keep_rows(TextCache& text, const at::Tensor& rows) const;
  // The rows of `more` behind those of `text`.
  void append_rows(TextCache& text, const TextCache& more) const;

 private:
  struct Layer {
    AttentionLayer attention;
    at::Tensor input_norm, after_attention_norm, before_mlp_norm, after_mlp_norm;
    WeightMatrix gate_up, down;
  };
  void take_layer(Weights& weights, Layer& layer, int64_t index);
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;
  Residual rest_of_layer(const at::Tensor& x, size_t index, const at::Tensor& attended) const;
  at::Tensor embed(const at::Tensor& ids) const;
  struct PassRange {          // of text that one pass reads
    at::Tensor positions;     // [B, T] int64
    int64_t end = 0;          // all positions are below
    int64_t window_keys = 0;  // how many keys a query of a sliding layer sees
  };
  at::Tensor run_layers(const at::Tensor& x, const PassRange& range, const PassWindows& windows,
                        TextCache& text, const Tap& tap, const Cancel& cancel) const;
  void prefill_common(const std::vector<int>& ids, const MediaCache& media, TextCache& text,
                      const Cancel& cancel) const;
  at::Tensor logits(const at::Tensor& xn) const;

  DecoderConfig config_;
  double embedding_scale_ = 1;
  bool packs_keys() const { return key_rotation_.defined(); }
  KeyMatrix make_keys(int64_t n_tokens, const Rotation& rotation) const;

  WeightMatrix embeddings_, head_;
  at::Tensor final_norm_;
  std::vector<Layer> layers_;
  Rotation key_rotation_;  // defined: keys are packed
  std::shared_ptr<const LayerSpill> spill_;
};

}  // namespace vidi
