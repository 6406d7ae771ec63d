#include "model/towers/audio_tower.h"

#include <limits>

#include "kernels/aten.h"
#include "kernels/layers/linear.h"

namespace vidi {
namespace {

// The published Whisper layers keep float16 finite: at most the largest value less 1000.
double limit_of(at::ScalarType dtype) {
  return dtype == at::kHalf ? static_cast<double>(std::numeric_limits<at::Half>::max()) - 1000 : 0;
}

}  // namespace

void AudioTower::take(Weights& weights, const AudioConfig& config) {
  config_ = config;
  const std::string root = "model.mm_aud.encoder.", field = "audio d_model";
  const int64_t width = config.hidden;
  weights.take(conv1_weight_, root + "conv1.weight", {width, config.n_mels, 3},
               "audio d_model, num_mel_bins");
  weights.take(conv1_bias_, root + "conv1.bias", {width}, field);
  weights.take(conv2_weight_, root + "conv2.weight", {width, width, 3}, field);
  weights.take(conv2_bias_, root + "conv2.bias", {width}, field);
  weights.take(positions_, root + "embed_positions.weight", {config.positions, width},
               "audio max_source_positions, d_model");
  layers_.resize(config.layers);
  for (size_t i = 0; i < layers_.size(); ++i) {
    take_layer(weights, layers_[i], root + "layers." + std::to_string(i));
  }
  final_norm_.take(weights, root + "layer_norm", width, config.layer_norm_eps, field);
}

void AudioTower::take_layer(Weights& weights, Layer& layer, const std::string& name) {
  const int64_t width = config_.hidden, mlp = config_.mlp;
  const std::string attention = name + ".self_attn", field = "audio d_model";
  layer.norm1.take(weights, name + ".self_attn_layer_norm", width, config_.layer_norm_eps, field);
  layer.norm2.take(weights, name + ".final_layer_norm", width, config_.layer_norm_eps, field);
  layer.attention.take(weights, attention, config_.heads, width, field, /*key_has_bias=*/false);
  layer.fc1.take(weights, name + ".fc1", mlp, width, "audio encoder_ffn_dim");
  layer.fc2.take(weights, name + ".fc2", width, mlp, "audio encoder_ffn_dim");
}

at::Tensor AudioTower::operator()(const at::Tensor& mel) const {
  at::Tensor x = mel.transpose(1, 2);  // [B, 3000, n_mels]
  x = at::gelu(conv1d_rows(x, conv1_weight_, conv1_bias_, /*stride=*/1, /*padding=*/1));
  x = at::gelu(conv1d_rows(x, conv2_weight_, conv2_bias_, /*stride=*/2, /*padding=*/1));
  x = x + positions_;
  const auto norm_of = [this](size_t i) -> const LayerNorm& {
    return i < layers_.size() ? layers_[i].norm1 : final_norm_;
  };
  Residual rows{x, norm_of(0)(x)};
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    rows = layer.norm2.after_sum(rows.sum, layer.attention(rows.normalized));
    at::Tensor hidden =
        activated_linear(rows.normalized, layer.fc1.weight, layer.fc1.bias, Activation::kGelu);
    rows = norm_of(i + 1).after_sum(rows.sum, layer.fc2(hidden), limit_of(x.scalar_type()));
  }
  return rows.normalized;
}

}  // namespace vidi
