// Pictures and sound through the towers: features that depend on neither a window nor a question.
// One thread at a time; throws EngineError.
#pragma once

#include <memory>
#include <vector>

#include "model/cancel.h"
#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/tap.h"
#include "model/window.h"

namespace vidi {

class FeatureEncoder {
 public:
  // What is given must outlive it.
  FeatureEncoder(const DeviceModel& model, DeviceMemory& memory, const Tap& tap)
      : model_(model), memory_(memory), tap_(tap) {}

  // RGB pictures of any size; their features, in order.
  FrameList encode_images(const std::vector<Frame>& frames, const Cancel& cancel);
  // `n` samples of mono 16 kHz, 1 to kChunkSamples.
  std::shared_ptr<const AudioFeatures> encode_audio(const float* samples, int n,
                                                    const Cancel& cancel);

  // Pictures that go through the vision tower together.
  size_t frames_at_once() const;

 private:
  void encode_batch(const Frame* frames, size_t n, FrameList& out) const;
  std::shared_ptr<const AudioFeatures> encode_chunk(const float* samples, int n) const;

  const DeviceModel& model_;
  DeviceMemory& memory_;
  const Tap& tap_;
};

}  // namespace vidi
