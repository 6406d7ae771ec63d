// What the plan of a model's memory has to know of its checkpoint. Nothing is loaded or allocated.
#pragma once

#include <functional>

#include "model/checkpoint/config.h"
#include "model/checkpoint/weights.h"
#include "model/device/model_plan.h"
#include "model/session/window_share.h"
#include "model/window.h"

namespace vidi {

// The checkpoint's tensors, as they would be loaded.
using WeightSource = std::function<Weights()>;

// A request for the window of `options`, or a device's share of it, with what these ask of weights
// and keys; `room` and `on_cuda` are the caller's to fill in. Throws EngineError as
// Weights::take().
ModelPlanRequest measure_model(const ModelConfig& config, const WeightSource& source,
                               const OpenOptions& options, int64_t element_size,
                               const WindowShare& share = {});

// Of the towers, while they look and listen, bytes on a GPU.
int64_t tower_workspace(const VisionConfig& config, int64_t element_size);
// Of the features that one token of sound is made of.
int64_t sound_token_bytes(const ModelConfig& config, int64_t element_size);
// What looking at the pictures of such a window takes of a GPU.
LookNeed look_need(const ModelConfig& config, const WindowSize& size, int64_t element_size);

}  // namespace vidi
