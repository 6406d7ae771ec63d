// bench-model --plan: the table of forms that a model can take, with the bytes of each part.
#pragma once

#include "model/session/measure_model.h"

namespace vidi {

// For a window of so many seconds with a picture a second, as on a CUDA device unless
// options.device is cpu, on any machine: nothing is loaded. options.memory_limit: 0 = there is room
// for everything.
void print_plan(const ModelConfig& config, const CheckpointFiles& shapes,
                const OpenOptions& options, int seconds);

}  // namespace vidi
