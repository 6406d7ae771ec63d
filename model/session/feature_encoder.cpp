#include "model/session/feature_encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kernels/aten.h"
#include "kernels/log_mel.h"
#include "model/result.h"
#include "model/towers/preprocess.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

// The vision tower's products want many rows (32 pictures take 6 % less than twice 16 on an H200),
// a memory limit and a CPU's caches few.
constexpr size_t kVisionBatch = kPicturesAtOnce, kLargeVisionBatch = 32;

void check_samples(const float* samples, int n) {
  if (n >= 1 && n <= kChunkSamples && samples) return;
  throw EngineError(ErrorCode::kBadInput, "a stretch of " + std::to_string(n) +
                                              " samples, expected 1 to " +
                                              std::to_string(kChunkSamples));
}

}  // namespace

size_t FeatureEncoder::frames_at_once() const {
  return model_.device().is_cuda() && !memory_.limited() ? kLargeVisionBatch : kVisionBatch;
}

// Each picture's are in memory of their own, which goes when nobody wants them, whatever becomes of
// their neighbours.
void FeatureEncoder::encode_batch(const Frame* frames, size_t n, FrameList& out) const {
  at::Tensor pixels =
      make_pixels(frames, n, model_.config().vision.image_size, model_.device(), model_.dtype());
  tap_into(tap_, "frames.pixel_values", pixels);
  at::Tensor features = model_.vision_tower()(pixels);
  tap_into(tap_, "vision.features", features);
  for (size_t i = 0; i < n; ++i) {
    auto frame = std::make_shared<TowerFrame>();
    // Of its own: a picture that is kept for long shall not keep those that came with it.
    frame->patches = n == 1 ? features[0] : features[static_cast<int64_t>(i)].clone();
    out.push_back(std::move(frame));
  }
}

FrameList FeatureEncoder::encode_images(const std::vector<Frame>& frames, const Cancel& cancel) {
  FrameList features;
  memory_.fetch_towers();
  memory_.explained("looking at " + std::to_string(frames.size()) + " picture(s)", [&] {
    const size_t batch = frames_at_once();
    for (size_t at = 0; at < frames.size(); at += batch) {
      cancel.check();
      encode_batch(frames.data() + at, std::min(batch, frames.size() - at), features);
    }
  });
  return features;
}

std::shared_ptr<const AudioFeatures> FeatureEncoder::encode_chunk(const float* samples,
                                                                  int n) const {
  check_samples(samples, n);
  at::Tensor mel =
      make_mel(samples, n, model_.config().audio.n_mels, model_.device(), model_.dtype());
  tap_into(tap_, "audio.mel", mel);
  auto audio = std::make_shared<TowerAudio>();
  audio->states = model_.audio_tower()(mel).squeeze(0);
  audio->samples = n;
  return audio;
}

std::shared_ptr<const AudioFeatures> FeatureEncoder::encode_audio(const float* samples, int n,
                                                                  const Cancel& cancel) {
  cancel.check();
  memory_.fetch_towers();
  return memory_.explained("listening to " + std::to_string(n) + " samples",
                           [&] { return encode_chunk(samples, n); });
}

}  // namespace vidi
