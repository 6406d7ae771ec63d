// A checkpoint's folder, opened: what its model looks like, and where its tensors lie. Torch-free.
#pragma once

#include <string>

#include "model/checkpoint/config.h"
#include "model/checkpoint/safetensors.h"

namespace vidi {

struct Checkpoint {
  ModelConfig config;
  CheckpointFiles files;
};

// Reads configurations and the tensors' headers, no values. Throws EngineError as parse_config()
// and open_checkpoint_files() do.
Checkpoint open_checkpoint(const std::string& folder);

}  // namespace vidi
