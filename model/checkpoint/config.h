// What a checkpoint's config.json and tensor shapes say, as plain structs. Torch-free.
//
// The two families differ in the values of these fields alone; nothing downstream asks which family
// it runs. Defaults and the order of precedence: a field of config.json, then the tower folder's
// config.json, then tensor shapes, then the documented default (vidi-model page). Every number is
// range-checked before use.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/activation.h"
#include "model/checkpoint/family.h"

namespace vidi {

// SigLIP vision tower. Grid = image_size / patch_size patches a side, grid^2 = number of positions.
struct VisionConfig {
  int image_size = 384, patch_size = 14, grid = 27;
  int hidden = 1152, heads = 16, mlp = 4304;
  int layers_in_file = 27;  // all layers of the checkpoint
  int layers_to_run = 26;   // up to mm_vision_select_layer
  double layer_norm_eps = 1e-6;
  Activation activation = Activation::kGeluTanh;
};

// Whisper encoder.
struct AudioConfig {
  int n_mels = 128, hidden = 1280, heads = 20, mlp = 5120, layers = 32, positions = 1500;
  double layer_norm_eps = 1e-5;
};

// From tower features to tokens of the decoder's width.
struct ProjectorConfig {
  bool image_pool_is_conv = false;  // Vidi-7B: conv + bilinear; else zero pad + space-to-depth
  int image_pool = 2;               // mm_image_pool_size
  int image_conv_kernel = 0;        // conv form: kernel side
  int audio_pool = 5;               // mm_audio_pool_size = kernel = stride
  int audio_pool_channels = 3584;   // channels after the Conv1d
  int image_projector_in = 4608;    // input width of the image MLP
  int image_projector_layers = 2;   // Linear layers in the file, exact GELU between them
  int audio_projector_layers = 2;
  double time_interval = 10000;  // mm_time_interval: N of pos_t
  double norm_eps = 1e-5;        // mm_rand_* norms
  int64_t frame_budget =
      60000;  // space-to-depth form: at most this many tokens * pool^2 before pooling
};

// Gemma-2 or Mistral decoder with decomposed attention.
struct DecoderConfig {
  int hidden = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, mlp = 0, vocab = 0;
  double rms_eps = 1e-6, rope_theta = 10000.0;
  double attention_scale = 0;    // query_pre_attn_scalar^-0.5 or head_dim^-0.5
  double attention_softcap = 0;  // 0 = none
  double final_softcap = 0;      // 0 = none
  int sliding_window = 0;        // 0 = none; else on even layers of the text self-attention
  Activation activation = Activation::kGeluTanh;
  bool norm_adds_one = false;     // Gemma: x * (1 + w) in float32; else x cast back, then * w
  bool sandwich_norms = false;    // Gemma: norms after attention and after the feed-forward too
  bool scale_embeddings = false;  // Gemma: embeddings * sqrt(hidden), text and media
  bool float_logits = false;      // Mistral: logits become float32
  bool tied_embeddings = false;   // no lm_head.weight in the checkpoint
  int eos_id = 0;                 // the id that ends an answer
};

struct PromptConfig {
  Family family = Family::kVidi15;
  bool blank_before_inst_end = true;  // Vidi-7B: ' [/INST]' in the chat template
  bool legacy_prefix = false;         // Vidi-7B tokenizer_config.json: legacy
  std::map<std::string, std::string>
      prompts;  // vidi_prompts of config.json: "retrieval", "highlight", ...
};

struct ModelConfig {
  std::string folder;
  VisionConfig vision;
  AudioConfig audio;
  ProjectorConfig projector;
  DecoderConfig decoder;
  PromptConfig prompt;
  double frame_rate = 1;  // vidi_frame_rate: pictures a second that it was trained with
};

// Gives a tensor's shape by name, or nothing when the checkpoint lacks it.
using ShapeLookup = std::function<std::optional<std::vector<int64_t>>(const std::string&)>;

// The JSON texts that a checkpoint folder holds; an empty text means that the file is not there.
struct ConfigTexts {
  std::string folder;                     // for messages
  std::string config;                     // config.json
  std::string vision_tower, audio_tower;  // <tower folder>/config.json
  std::string tokenizer_config;           // tokenizer_config.json
};

// Throws EngineError: kDamaged (not JSON, absurd or contradicting numbers; the message names field,
// expected, found), kUnsupported (unknown model_type, activation, projector or aspect-ratio kind).
ModelConfig parse_config(const ConfigTexts& texts, const ShapeLookup& shape_of);

// Reads the texts of a folder. Tower folder names come from mm_vision_tower and mm_audio_tower; a
// name that leaves the checkpoint folder ("../x", absolute) is treated as a hub name. Throws
// kNotFound, kUnreadable.
ConfigTexts read_config_texts(const std::string& folder);

// A folder's ModelConfig::frame_rate. Only that field of config.json is checked. Throws as the two
// above.
double read_frame_rate(const std::string& folder);

}  // namespace vidi
