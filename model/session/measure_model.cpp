#include "model/session/measure_model.h"

#include <cmath>

#include "kernels/attention/attention_plan.h"
#include "kernels/attention/rotation.h"
#include "kernels/log_mel.h"
#include "model/decoder/decoder.h"
#include "model/towers/audio_tower.h"
#include "model/towers/projector.h"
#include "model/towers/vision_tower.h"

namespace vidi {
namespace {

constexpr double kUnknownSeconds = 300;

// Parts that take what they need of the weights, and are never filled.
struct Parts {
  VisionTower vision;
  AudioTower audio;
  Projector projector;
  Decoder decoder;
};

// What all of them take; `towers` alone, if wanted.
Weights taken_by(Parts& parts, const ModelConfig& config, Weights weights, int64_t* towers) {
  parts.vision.take(weights, config.vision);
  parts.audio.take(weights, config.audio);
  if (towers) *towers = weights.bytes_taken();
  parts.projector.take(weights, config);
  parts.decoder.take(weights, config.decoder);
  return weights;
}

WeightBytes bytes_of(const ModelConfig& config, const WeightSource& source) {
  WeightBytes bytes;
  Parts parts, packed_parts;
  Weights weights = source();
  weights.spill_layers({0});
  const Weights native = taken_by(parts, config, std::move(weights), &bytes.towers);
  bytes.native = native.bytes_taken(), bytes.native_layer = native.spilled_bytes();
  weights = source();
  weights.spill_layers({0});
  weights.pack_matrices();
  const Weights packed = taken_by(packed_parts, config, std::move(weights), nullptr);
  bytes.packed = packed.bytes_taken(), bytes.expanded = packed.expanded_bytes();
  bytes.packed_layer = packed.spilled_bytes();
  return bytes;
}

}  // namespace

int64_t sound_token_bytes(const ModelConfig& config, int64_t element_size) {
  return element_size * config.projector.audio_pool * config.audio.hidden;
}

// Of pictures in the vision tower: a picture's 729 rows of 1152 values, with queries, keys, values
// and what becomes of them eight times, or four times beside the feed-forward's 4304, in 2 bytes;
// its pixels in float32 twice. 16 pictures: 270 MB, more than a stretch of sound needs.
int64_t tower_workspace(const VisionConfig& config, int64_t element_size) {
  constexpr auto kPictures = static_cast<int64_t>(kPicturesAtOnce);
  const int64_t rows = kPictures * config.grid * config.grid;
  const int64_t pixels = kPictures * 3 * config.image_size * config.image_size;
  const int64_t widest = 4 * int64_t{config.hidden} + std::max(config.mlp, 4 * config.hidden);
  return rows * widest * element_size + 2 * 4 * pixels;
}

LookNeed look_need(const ModelConfig& config, const WindowSize& size, int64_t element_size) {
  const VisionConfig& vision = config.vision;
  LookNeed look;
  look.n_unseen = static_cast<int64_t>(size.n_unseen);
  look.n_shared = static_cast<int64_t>(size.n_shared);
  look.frame_bytes =
      with_rounding(element_size * int64_t{vision.grid} * vision.grid * vision.hidden);
  if (size.n_frames > 0)
    look.frame_tokens = tokens_per_frame(config, static_cast<int64_t>(size.n_frames));
  look.towers = tower_workspace(vision, element_size);
  return look;
}

ModelPlanRequest measure_model(const ModelConfig& config, const WeightSource& source,
                               const OpenOptions& options, int64_t element_size,
                               const WindowShare& share) {
  ModelPlanRequest request;
  request.decoder = config.decoder;
  request.weights = bytes_of(config, source);
  request.element_size = element_size;
  request.can_pack_keys = Rotation::has(config.decoder.head_dim);
  request.reads_packed_keys = element_size == 2 && attention_kernel_has(config.decoder.head_dim);
  request.weight_format = options.weights, request.key_format = options.keys;
  const double seconds = options.window_seconds > 0 ? options.window_seconds : kUnknownSeconds;
  const int64_t n_frames =
      options.window_frames > 0 ? options.window_frames : static_cast<int64_t>(std::ceil(seconds));
  const auto n_states = static_cast<int64_t>(std::ceil(seconds * kSampleRateHz / kHopSamples / 2));
  request.n_image_tokens = share.n_frames(n_frames) * tokens_per_frame(config, n_frames);
  request.n_audio_tokens = share.n_sound(n_states / config.projector.audio_pool);
  request.sound_features =
      element_size * static_cast<int64_t>(share.evenly(n_states)) * config.audio.hidden;
  request.sound_token = sound_token_bytes(config, element_size);
  WindowSize size;
  size.n_frames = size.n_unseen = static_cast<size_t>(n_frames);
  size.n_shared = static_cast<size_t>(options.window_shared_frames);
  request.look = look_need(config, share.size(size), element_size);
  return request;
}

}  // namespace vidi
