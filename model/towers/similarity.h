// How like one picture others are, by the vision tower's features: for the gate of cameras on which
// nothing happens (gst/worker/gate.h). Throws EngineError.
#pragma once

#include <vector>

#include "model/window.h"

namespace vidi {

// The cosine of each picture's features with those of `reference` in the same patch, of the patch
// where it is least: a small thing that has come counts as much as a large one. Means over patches
// tell it worse from noise and light (bench-gate). 1 = the same, at least -1; in float32.
std::vector<double> similarities_to(const FrameFeatures& reference, const FrameList& frames);

}  // namespace vidi
