// What the model looks at and hears: sampled pictures and chunks of sound. Windows share them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gst/media/features_by_session.h"
#include "gst/media_time.h"

namespace vidi {

class AudioFeatures;  // the engine's (model/window.h)
class FrameFeatures;

// One sampled picture at the model's size. Overlapping windows share it. `features` are made by the
// model's worker threads: good for every window that holds the frame, and let go of when no later
// one needs them.
struct SampledFrame {
  Time pts{};
  std::optional<Time> utc;  // since 1970, from a reference timestamp
  int side = 0;
  std::vector<uint8_t> rgb;  // [side, side, 3]
  mutable FeaturesBySession<FrameFeatures> features;
};

// At most 30 s of sound. Shared and cached like frames.
struct SoundChunk {
  int64_t position = 0;  // as in AudioTrack
  std::vector<float> samples;
  mutable FeaturesBySession<AudioFeatures> features;
};

}  // namespace vidi
