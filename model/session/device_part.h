// One device of a session: the model's weights there, its memory, and what makes features and
// windows with them.
#pragma once

#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/session/feature_encoder.h"
#include "model/session/window_encoder.h"
#include "model/tap.h"

namespace vidi {

struct DevicePart {
  // `tap` must outlive it.
  DevicePart(const ModelConfig& config, const OpenOptions& options, const WindowShare& share,
             const Tap& tap)
      : model(config, options, share),
        memory(model),
        features(model, memory, tap),
        windows(model, memory, tap) {}

  DeviceModel model;
  DeviceMemory memory;
  FeatureEncoder features;
  WindowEncoder windows;
};

}  // namespace vidi
