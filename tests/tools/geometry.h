// The published checkpoints' configuration and tensor list, without their weights: for a
// benchmark's random model and for write-checkpoint. Torch-free. Numbers: vidi1.5-9b = Gemma-2-9B,
// vidi-7b = Mistral-7B, both with SigLIP so400m patch14 384 and the encoder of Whisper-large-v3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/safetensors.h"

namespace vidi {

struct NamedShape {
  std::string name;
  std::vector<int64_t> shape;
};

struct CheckpointGeometry {
  std::string name;
  std::string config;            // config.json
  std::string tokenizer_config;  // tokenizer_config.json
  std::string vision_name,
      vision_tower;  // tower folder and its config.json; no text: a hub name, no folder
  std::string audio_name, audio_tower;
  bool decoder_norms_add_one = false;  // their weights lie around 0, all other norms' around 1
  std::vector<NamedShape> tensors;     // as published, those that nobody uses too
};

// "vidi1.5-9b", "vidi-7b", "tiny" (1.5 in miniature, for tests) or "one-layer" (a layer of the 9B).
// Throws EngineError(kBadInput).
CheckpointGeometry checkpoint_geometry(const std::string& name);

// The tensors as BF16 entries without files.
CheckpointFiles shapes_of(const CheckpointGeometry& geometry);
ModelConfig config_of(const CheckpointGeometry& geometry);

}  // namespace vidi
