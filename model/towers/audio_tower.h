// Whisper encoder: log-mel features to audio states, 50 a second. vidi-model page, section 4.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/checkpoint/config.h"
#include "model/towers/layers.h"

namespace vidi {

class AudioTower {
 public:
  void take(Weights& weights, const AudioConfig& config);
  // mel [B, n_mels, 3000] in the working dtype -> [B, 1500, hidden], after the final layer norm. No
  // mask.
  at::Tensor operator()(const at::Tensor& mel) const;

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    SelfAttention attention;
    Linear fc1, fc2;
  };
  void take_layer(Weights& weights, Layer& layer, const std::string& name);

  AudioConfig config_;
  at::Tensor conv1_weight_, conv1_bias_, conv2_weight_, conv2_bias_, positions_;
  std::vector<Layer> layers_;
  LayerNorm final_norm_;
};

}  // namespace vidi
