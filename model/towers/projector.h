// From tower features to tokens of the decoder's width: pooling, MLP, norms, position codes.
// vidi-model page, 3 to 5.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/checkpoint/config.h"
#include "model/tap.h"
#include "model/towers/layers.h"

namespace vidi {

// Side of the feature map before space-to-depth, by the number of frames of the window
// (section 3.2): the padded grid while the token budget lasts, then smaller. Throws kUnsupported
// when the side is no multiple of the pool.
int image_grid_side(const ProjectorConfig& config, int grid, int64_t n_frames);
int64_t tokens_per_frame(const ModelConfig& config, int64_t n_frames);

class Projector {
 public:
  void take(Weights& weights, const ModelConfig& config);

  // Tokens of some frames of a window with n_frames frames. features [f, grid * grid, C], their
  // rows of time_codes(n_frames) [f, hidden] -> [f * h * w, hidden]: frame, row, column. Before the
  // embedding scale.
  at::Tensor image_tokens(const at::Tensor& features, const at::Tensor& time_codes,
                          int64_t n_frames, const Tap& tap) const;
  int64_t tokens_per_frame(int64_t n_frames) const {
    return vidi::tokens_per_frame(config_, n_frames);
  }

  // Of a window with n_tokens tokens of sound those from `first` on that are made of these of its
  // joined encoder states, [steps, d] -> [floor(steps / pool), hidden].
  at::Tensor audio_tokens(const at::Tensor& states, int64_t first, int64_t n_tokens,
                          const Tap& tap) const;
  int64_t n_audio_tokens(int64_t n_steps) const { return n_steps / config_.projector.audio_pool; }

  // rms(pos_t) of `length` >= 2 frames or audio tokens, [length, hidden].
  at::Tensor time_codes(int64_t length) const { return time_codes(length, 0, length); }

 private:
  // Sinusoids of a fraction of the window, then an MLP in float32 (section 5).
  struct PositionMlp {
    Linear in, out;
    double interval = 0;  // N
    void take(Weights& weights, const std::string& name, int64_t hidden, double interval);
    // Of `n` places from `first` on among `length`.
    at::Tensor codes(int64_t length, int64_t first, int64_t n, double rms_eps) const;
  };
  at::Tensor time_codes(int64_t length, int64_t first, int64_t n) const;
  at::Tensor pool_by_depth(const at::Tensor& map, int64_t n_frames) const;
  at::Tensor pool_by_convolution(const at::Tensor& map) const;

  ModelConfig config_;
  at::Tensor image_conv_, audio_conv_, image_norm_, audio_norm_, token_norm_;
  Mlp image_mlp_, audio_mlp_;
  PositionMlp rows_, columns_, time_;
};

}  // namespace vidi
