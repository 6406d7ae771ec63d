// SigLIP vision tower: pictures to patch features (hidden state of the selected layer). vidi-model
// page, section 2.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/checkpoint/config.h"
#include "model/towers/layers.h"

namespace vidi {

class VisionTower {
 public:
  // Layers above the selected one, post_layernorm and the pooling head are not taken.
  void take(Weights& weights, const VisionConfig& config);
  // pixels [B, 3, image, image] in the working dtype -> [B, grid * grid, hidden].
  at::Tensor operator()(const at::Tensor& pixels) const;

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    SelfAttention attention;
    Linear fc1, fc2;
  };
  void take_layer(Weights& weights, Layer& layer, const std::string& name);
  at::Tensor patches(const at::Tensor& pixels) const;

  VisionConfig config_;
  at::Tensor patch_weight_, patch_bias_, positions_;
  std::vector<Layer> layers_;
};

}  // namespace vidi
