// The text decoder with decomposed attention: streams media tokens into keys and values, reads
// prompts, makes logits. vidi-model page, section 6. Both families; which one is in DecoderConfig
// alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/norm.h"
#include "model/attention_layer.h"
#include "model/cancel.h"
#include "model/tap.h"

namespace vidi {

class Decoder {
 public:
  void take(Weights& weights, const DecoderConfig& config);
  const DecoderConfig& config() const { return config_; }

  // Room for a window's keys and values on the weights' device.
  MediaCache make_media_cache(int64_t n_image_tokens, int64_t n_audio_tokens) const;

  // Runs tokens [n, H] (before the embedding scale) through all layers and leaves their keys and
  // values in rows [first, first + n). A token's path is its own, so pieces in any order give the
  // same cache.
  void stream(const at::Tensor& tokens, Modality modality, int64_t first, const MediaCache& cache,
              const Cancel& cancel) const;

  // Reads prompts (lengths >= 1) as one batch into a new `text`. Returns the logits after each
  // one's last token [B, vocab].
  at::Tensor read_prompts(const std::vector<std::vector<int>>& prompts, const MediaCache& media,
                          TextCache& text, const Tap& tap, const Cancel& cancel) const;

  // One more token for each row, ids [B] int64 on the device -> logits [B, vocab]. Copies nothing
  // to or from the host.
  at::Tensor step(const at::Tensor& ids, const MediaCache& media, TextCache& text,
                  const Cancel& cancel) const;

 private:
  struct Layer {
    AttentionLayer attention;
    at::Tensor input_norm, after_attention_norm, before_mlp_norm, after_mlp_norm;
    at::Tensor gate, up, down;
  };
  void take_layer(Weights& weights, Layer& layer, int64_t index);
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;
  Residual rest_of_layer(const at::Tensor& x, size_t index, const at::Tensor& attended) const;
  at::Tensor embed(const at::Tensor& ids) const;
  at::Tensor run_layers(const at::Tensor& x, const at::Tensor& positions, int64_t window_keys,
                        const MediaCache& media, TextCache& text, const Tap& tap,
                        const Cancel& cancel) const;
  at::Tensor logits(const at::Tensor& x) const;
  void reserve(TextCache& text, int64_t batch, int64_t slots) const;

  DecoderConfig config_;
  double embedding_scale_ = 1;
  at::Tensor embeddings_, head_, final_norm_;
  std::vector<Layer> layers_;
  mutable RopeTable rope_;  // grown when a text gets longer than it; one thread is inside a session
};

}  // namespace vidi
