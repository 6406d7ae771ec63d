// config.json to plain structs. What config.json leaves open: vidi-model's defaults, then Hugging
// Face's.
#include "model/checkpoint/config.h"

#include <algorithm>
#include <cmath>

#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/input_file.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr uint64_t kMaxConfigBytes = 4 << 20;
constexpr int64_t kMaxProjectorWidth = 1 << 24;
constexpr double kFewestPicturesPerSecond = 1.0 / 3600, kMostPicturesPerSecond = 60;
constexpr const char* kConfigName = "config.json";

Family family_of(const Fields& config) {
  const std::string type = config.text("model_type", "");
  if (type == "dattn_gemma2") return Family::kVidi15;
  if (type == "dattn_mistral") return Family::kVidi7b;
  config.refuse("model_type", "'dattn_gemma2' (Vidi1.5) or 'dattn_mistral' (Vidi-7B)");
}

// Variants of the two decoders that would load and then compute something else.
void refuse_variants(const Fields& config, Family family) {
  if (config.find("quantization_config")) config.refuse("quantization_config", "null");
  if (config.find("rope_scaling")) config.refuse("rope_scaling", "null");
  if (config.boolean("attention_bias", false)) config.refuse("attention_bias", "false");
  if (family == Family::kVidi7b && config.find("sliding_window")) {
    config.refuse("sliding_window", "null for 'dattn_mistral'");
  }
}

// Sizes that the tensors tell as well are taken from them when config.json is silent.
void read_decoder_sizes(DecoderConfig& decoder, const Fields& config, Family family,
                        const ShapeLookup& shape_of) {
  const std::string embed = "model.embed_tokens.weight", layers = "model.layers.";
  const int counted = count_layers(shape_of, layers, ".input_layernorm.weight");
  decoder.hidden = config.whole("hidden_size", 1, 65536, side_of(shape_of, embed, 2, 1));
  decoder.vocab = config.whole("vocab_size", 1, 4 << 20, side_of(shape_of, embed, 2, 0));
  decoder.layers = config.whole("num_hidden_layers", 1, 512,
                                counted > 0 ? std::optional<int>(counted) : std::nullopt);
  decoder.mlp = config.whole("intermediate_size", 1, 1 << 20,
                             side_of(shape_of, layers + "0.mlp.gate_proj.weight", 2, 0));
  decoder.heads = config.whole("num_attention_heads", 1, 1024, std::nullopt);
  const int by_width = family == Family::kVidi15 ? 256 : decoder.hidden / decoder.heads;
  decoder.head_dim = config.whole("head_dim", 2, 4096, by_width);
  if (decoder.head_dim % 2 != 0) {
    throw EngineError(ErrorCode::kDamaged, std::string(kConfigName) +
                                               ": head_dim must be even, found " +
                                               std::to_string(decoder.head_dim));
  }
  const auto k_rows = side_of(shape_of, layers + "0.self_attn.k_proj.weight", 2, 0);
  const int kv_heads = k_rows ? *k_rows / decoder.head_dim : decoder.heads;
  decoder.kv_heads = config.whole("num_key_value_heads", 1, 1024, kv_heads);
  if (decoder.heads % decoder.kv_heads != 0) {
    config.fail("num_key_value_heads",
                "a divisor of num_attention_heads = " + std::to_string(decoder.heads));
  }
}

// A soft cap or window: null means none, a missing field the family's default.
double softcap(const Fields& config, const std::string& name, double otherwise) {
  if (!config.has(name)) return otherwise;
  return config.positive(name).value_or(0);
}

void read_gemma(DecoderConfig& decoder, const Fields& config) {
  decoder.rms_eps = config.positive("rms_norm_eps", 1).value_or(1e-6);
  const double query_scale = config.positive("query_pre_attn_scalar").value_or(256);
  decoder.attention_scale = 1 / std::sqrt(query_scale);
  decoder.attention_softcap = softcap(config, "attn_logit_softcapping", 50);
  decoder.final_softcap = softcap(config, "final_logit_softcapping", 30);
  const int window = config.has("sliding_window") ? 0 : 4096;
  decoder.sliding_window = config.whole("sliding_window", 0, 1 << 30, window);
  decoder.activation = config.activation("hidden_activation", Activation::kGeluTanh);
  decoder.norm_adds_one = decoder.sandwich_norms = decoder.scale_embeddings = true;
}

void read_mistral(DecoderConfig& decoder, const Fields& config) {
  decoder.rms_eps = config.positive("rms_norm_eps", 1).value_or(1e-6);
  decoder.attention_scale = 1 / std::sqrt(static_cast<double>(decoder.head_dim));
  decoder.activation = config.activation("hidden_act", Activation::kSilu);
  decoder.float_logits = true;
}

// One id, or a list whose first id ends an answer (the rest are other models' spellings of it).
int eos_id_of(const Fields& config, Family family, int vocab) {
  const std::string name = "eos_token_id";
  const nlohmann::json* value = config.find(name);
  if (value == nullptr || !value->is_array()) {
    return config.whole(name, 0, vocab - 1, family == Family::kVidi15 ? 107 : 2);
  }
  if (value->empty()) config.fail(name, "an id or a list of ids");
  return Fields({{name, value->front()}}, config.file()).whole(name, 0, vocab - 1, std::nullopt);
}

DecoderConfig parse_decoder(const Fields& config, Family family, const ShapeLookup& shape_of) {
  refuse_variants(config, family);
  DecoderConfig decoder;
  read_decoder_sizes(decoder, config, family, shape_of);
  decoder.rope_theta = config.positive("rope_theta", 1e12).value_or(10000);
  const bool gemma = family == Family::kVidi15;
  gemma ? read_gemma(decoder, config) : read_mistral(decoder, config);
  decoder.eos_id = eos_id_of(config, family, decoder.vocab);
  // Mistral owns its head: one that is gone without the config saying so is a missing tensor.
  const bool may_be_tied = gemma || config.boolean("tie_word_embeddings", false);
  decoder.tied_embeddings = may_be_tied && !shape_of("lm_head.weight");
  return decoder;
}

// "linear" has one layer, "mlp<N>x_gelu" N; other kinds are not ours.
int layers_of_kind(const Fields& config) {
  const std::string name = "mm_projector_type";
  const std::string kind = config.text(name, "mlp2x_gelu");
  if (kind == "linear") return 1;
  if (kind.size() == 10 && kind.starts_with("mlp") && kind.ends_with("x_gelu") && kind[3] >= '1' &&
      kind[3] <= '9') {
    return kind[3] - '0';
  }
  config.refuse(name, "'linear' or 'mlp<1..9>x_gelu'");
}

// Linear layers stand at every other place of the list, GELUs between them. The file knows best.
int projector_layers(const ShapeLookup& shape_of, const std::string& name, int otherwise) {
  const int counted = count_layers(shape_of, name + ".model.", ".weight", 2);
  return counted > 0 ? counted : otherwise;
}

void read_image_pool(ProjectorConfig& projector, const Fields& config, const VisionConfig& vision,
                     const ShapeLookup& shape_of) {
  const std::string name = "mm_image_pool_size", conv = "model.mm_rand_img_pool.conv.weight";
  projector.image_pool = config.whole(name, 1, 256, projector.image_pool);
  const auto kernel = side_of(shape_of, conv, 4, 2);
  projector.image_pool_is_conv = kernel.has_value();
  if (!kernel) {
    const int padded = vision.grid + 1;
    if (padded % projector.image_pool != 0) {
      config.fail(name, "a divisor of the padded patch grid's side " + std::to_string(padded));
    }
    const int64_t width = int64_t{vision.hidden} * projector.image_pool * projector.image_pool;
    if (width > kMaxProjectorWidth) config.fail(name, "smaller for a tower this wide");
    projector.image_projector_in = static_cast<int>(width);
    return;
  }
  projector.image_conv_kernel = (vision.grid + projector.image_pool - 1) / projector.image_pool;
  if (*kernel != projector.image_conv_kernel) {
    config.fail(name, "one that a kernel of " + std::to_string(*kernel) + " (tensor " +
                          in_quotes(conv) + ") pools " + std::to_string(vision.grid) +
                          " patches a side to");
  }
  projector.image_projector_in = *side_of(shape_of, conv, 4, 0);
}

void read_audio_pool(ProjectorConfig& projector, const Fields& config, int hidden,
                     const ShapeLookup& shape_of) {
  const std::string name = "mm_audio_pool_size", conv = "model.mm_rand_aud_pool.weight";
  const auto kernel = side_of(shape_of, conv, 3, 2);
  projector.audio_pool = config.whole(name, 1, 1500, kernel.value_or(projector.audio_pool));
  if (kernel && *kernel != projector.audio_pool) {
    config.fail(name,
                "the kernel width " + std::to_string(*kernel) + " of tensor " + in_quotes(conv));
  }
  projector.audio_pool_channels = side_of(shape_of, conv, 3, 0).value_or(hidden);
}

ProjectorConfig parse_projector(const Fields& config, const VisionConfig& vision, int hidden,
                                const ShapeLookup& shape_of) {
  const std::string aspect = "mm_image_aspect_ratio";
  if (config.text(aspect, "resize") != "resize") config.refuse(aspect, "'resize'");
  ProjectorConfig projector;
  read_image_pool(projector, config, vision, shape_of);
  read_audio_pool(projector, config, hidden, shape_of);
  const int layers = layers_of_kind(config);
  projector.image_projector_layers =
      projector_layers(shape_of, "model.mm_rand_img_projector", layers);
  projector.audio_projector_layers =
      projector_layers(shape_of, "model.mm_rand_aud_projector", layers);
  const double interval = config.positive("mm_time_interval", 1e9).value_or(10000);
  if (interval < 1) config.fail("mm_time_interval", "a number of at least 1");
  projector.time_interval = interval;
  return projector;
}

// A template is one string, or a list of named ones of which the default counts as much as any.
bool has_blank_before_inst_end(const Fields& tokenizer) {
  const nlohmann::json* value = tokenizer.find("chat_template");
  if (value == nullptr) return false;
  const std::string text = value->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.find("' [/INST]'") != std::string::npos ||
         text.find("\\\" [/INST]\\\"") != std::string::npos;  // a double quote as dump() spells it
}

PromptConfig parse_prompt(const Fields& config, Family family, const ConfigTexts& texts) {
  PromptConfig prompt;
  prompt.family = family;
  nlohmann::json json = nlohmann::json::object();
  const std::string file = "tokenizer_config.json";
  if (!texts.tokenizer_config.empty()) json = parse_json_object(texts.tokenizer_config, file);
  const Fields tokenizer(std::move(json), file);
  prompt.blank_before_inst_end = has_blank_before_inst_end(tokenizer);
  prompt.legacy_prefix = tokenizer.boolean("legacy", false);
  const nlohmann::json* prompts = config.find("vidi_prompts");
  if (prompts == nullptr) return prompt;
  if (!prompts->is_object()) config.fail("vidi_prompts", "an object of strings");
  for (const auto& [name, sentence] : prompts->items()) {
    if (!sentence.is_string()) config.fail("vidi_prompts", "an object of strings");
    prompt.prompts[name] = sentence.get<std::string>();
  }
  return prompt;
}

// The published checkpoints state none: they see one picture a second.
double parse_frame_rate(const Fields& config) {
  const std::string name = "vidi_frame_rate";
  const double rate = config.positive(name, kMostPicturesPerSecond).value_or(1);
  if (rate < kFewestPicturesPerSecond) config.fail(name, "at least 1/3600, a picture an hour");
  return rate;
}

// The text of a file that may be absent (""), but not empty.
std::string optional_text(const std::string& path) {
  const std::optional<std::string> text = read_text_file(path, kMaxConfigBytes);
  if (text && text->empty()) throw_damaged(path, "is empty, expected a JSON object");
  return text.value_or("");
}

// The text of config.json, which must be there.
std::string read_config(const std::string& folder) {
  require_folder(folder);
  std::optional<std::string> text = read_text_file(folder + "/" + kConfigName, kMaxConfigBytes);
  if (text) return *std::move(text);
  throw EngineError(ErrorCode::kNotFound,
                    "the checkpoint folder " + path_in_quotes(folder) + " holds no config.json");
}

// A tower's folder inside the checkpoint. A hub name is no such folder, and a path that leaves the
// checkpoint never is.
std::string read_tower(const std::string& folder, const Fields& config, const std::string& field) {
  const std::string name = config.text(field, "");
  const std::string framed = "/" + name + "/";
  if (name.empty() || name[0] == '/' || framed.find("/../") != std::string::npos ||
      name.find('\0') != std::string::npos || name.size() > 1024) {
    return "";
  }
  return optional_text(folder + "/" + name + "/" + kConfigName);
}

}  // namespace

ModelConfig parse_config(const ConfigTexts& texts, const ShapeLookup& shape_of) {
  const Fields config(parse_json_object(texts.config, kConfigName), kConfigName);
  const Family family = family_of(config);
  ModelConfig model;
  model.folder = texts.folder;
  model.decoder = parse_decoder(config, family, shape_of);
  model.vision = parse_vision(config, texts.vision_tower, shape_of);
  model.audio = parse_audio(config, texts.audio_tower, shape_of);
  model.projector = parse_projector(config, model.vision, model.decoder.hidden, shape_of);
  model.prompt = parse_prompt(config, family, texts);
  model.frame_rate = parse_frame_rate(config);
  return model;
}

ConfigTexts read_config_texts(const std::string& folder) {
  ConfigTexts texts;
  texts.folder = folder;
  texts.config = read_config(folder);
  const Fields config(parse_json_object(texts.config, folder + "/" + kConfigName), kConfigName);
  texts.vision_tower = read_tower(folder, config, "mm_vision_tower");
  texts.audio_tower = read_tower(folder, config, "mm_audio_tower");
  texts.tokenizer_config = optional_text(folder + "/tokenizer_config.json");
  return texts;
}

double read_frame_rate(const std::string& folder) {
  const std::string path = folder + "/" + kConfigName;
  return parse_frame_rate(Fields(parse_json_object(read_config(folder), path), kConfigName));
}

}  // namespace vidi
