// What the engine keeps of one frame and of one stretch of sound, and the way back from the API's
// handles to the engine's own.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "model/result.h"
#include "model/window.h"

namespace vidi {

struct TowerFrame final : FrameFeatures {
  at::Tensor patches;  // [grid * grid, C], before anything that depends on the window
};

struct TowerAudio final : AudioFeatures {
  at::Tensor states;  // [1500, d]
  int samples = 0;
  int n_samples() const override { return samples; }
};

// A handle of another engine is refused; `what` names it.
template <class Own, class Shared>
const Own& own_kind(const Shared* features, const char* what) {
  const auto* own = dynamic_cast<const Own*>(features);
  if (own) return *own;
  throw EngineError(ErrorCode::kBadInput, std::string(what) + " was not made by this engine");
}

}  // namespace vidi
