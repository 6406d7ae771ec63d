#include "model/towers/vision_tower.h"

#include "kernels/aten.h"
#include "kernels/layers/linear.h"

namespace vidi {

void VisionTower::take(Weights& weights, const VisionConfig& config) {
  config_ = config;
  const std::string root = "model.mm_vis.vision_model.";
  const int64_t side = config.patch_size, n = int64_t{config.grid} * config.grid;
  weights.take(patch_weight_, root + "embeddings.patch_embedding.weight",
               {config.hidden, 3, side, side}, "vision hidden_size, patch_size");
  weights.take(patch_bias_, root + "embeddings.patch_embedding.bias", {config.hidden},
               "vision hidden_size");
  weights.take(positions_, root + "embeddings.position_embedding.weight", {n, config.hidden},
               "vision (image_size / patch_size)^2, hidden_size");
  layers_.resize(config.layers_to_run);
  for (size_t i = 0; i < layers_.size(); ++i) {
    take_layer(weights, layers_[i], root + "encoder.layers." + std::to_string(i));
  }
}

void VisionTower::take_layer(Weights& weights, Layer& layer, const std::string& name) {
  const int64_t width = config_.hidden, mlp = config_.mlp;
  const std::string attention = name + ".self_attn", field = "vision hidden_size";
  layer.norm1.take(weights, name + ".layer_norm1", width, config_.layer_norm_eps, field);
  layer.norm2.take(weights, name + ".layer_norm2", width, config_.layer_norm_eps, field);
  layer.attention.take(weights, attention, config_.heads, width, field, /*key_has_bias=*/true);
  layer.fc1.take(weights, name + ".mlp.fc1", mlp, width, "vision intermediate_size");
  layer.fc2.take(weights, name + ".mlp.fc2", width, mlp, "vision intermediate_size");
}

// A convolution whose stride is its kernel is a matrix product over cut-out patches; pixels beyond
// the last whole patch are unused.
at::Tensor VisionTower::patches(const at::Tensor& pixels) const {
  const int64_t side = config_.patch_size, grid = config_.grid, batch = pixels.size(0);
  at::Tensor cut = pixels.narrow(2, 0, grid * side).narrow(3, 0, grid * side);
  cut = cut.reshape({batch, 3, grid, side, grid, side}).permute({0, 2, 4, 1, 3, 5});
  cut = cut.reshape({batch, grid * grid, 3 * side * side});
  return apply_linear(cut, patch_weight_.flatten(1), patch_bias_);
}

at::Tensor VisionTower::operator()(const at::Tensor& pixels) const {
  at::Tensor x = patches(pixels) + positions_;
  if (layers_.empty()) return x;
  Residual rows{x, layers_.front().norm1(x)};
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    rows = layer.norm2.after_sum(rows.sum, layer.attention(rows.normalized));
    at::Tensor hidden =
        activated_linear(rows.normalized, layer.fc1.weight, layer.fc1.bias, config_.activation);
    const bool is_last = i + 1 == layers_.size();
    rows = (is_last ? LayerNorm() : layers_[i + 1].norm1).after_sum(rows.sum, layer.fc2(hidden));
  }
  return rows.sum;
}

}  // namespace vidi
