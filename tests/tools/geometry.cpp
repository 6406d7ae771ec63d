#include "tests/tools/geometry.h"

#include <map>
#include <nlohmann/json.hpp>

#include "model/result.h"

namespace vidi {
namespace {

using Json = nlohmann::ordered_json;
using Tensors = std::vector<NamedShape>;

struct DecoderSizes {
  bool gemma;
  int64_t hidden, layers, heads, kv_heads, head_dim, mlp, vocab;
};

struct TowerSizes {
  int64_t width, layers, heads, mlp, positions;
};

// `image` is the picture's side; image_kernel 0 means space-to-depth.
struct Sizes {
  DecoderSizes decoder;
  TowerSizes vision, audio;
  int64_t image, image_pool, image_kernel, audio_pool, audio_channels;
};

constexpr TowerSizes kSiglipSo400m = {1152, 27, 16, 4304, 729};
constexpr TowerSizes kWhisperLarge = {1280, 32, 20, 5120, 1500};
constexpr Sizes kVidi15 = {
    {true, 3584, 42, 16, 8, 256, 14336, 256000}, kSiglipSo400m, kWhisperLarge, 384, 2, 0, 5, 3584};
// No public file of this model has been seen: that it pools images to 2 x 2 is our assumption.
constexpr Sizes kVidi7b = {
    {false, 4096, 32, 32, 8, 128, 14336, 32768}, kSiglipSo400m, kWhisperLarge, 384, 2, 14, 5, 1280};
// One layer of the 9B's width behind tiny towers: what a single call costs there.
constexpr Sizes kOneLayer = {{true, 3584, 1, 16, 8, 256, 14336, 708},
                             {32, 3, 4, 56, 49},
                             {32, 2, 2, 80, 1500},
                             98,
                             2,
                             0,
                             5,
                             3584};
constexpr Sizes kTiny = {
    {true, 64, 2, 4, 2, 32, 160, 708}, {32, 3, 4, 56, 49}, {32, 2, 2, 80, 1500}, 98, 2, 0, 5, 64};

void add_linear(Tensors& tensors, const std::string& name, int64_t out, int64_t in,
                bool bias = true) {
  tensors.push_back({name + ".weight", {out, in}});
  if (bias) tensors.push_back({name + ".bias", {out}});
}

void add_layer_norm(Tensors& tensors, const std::string& name, int64_t width) {
  tensors.push_back({name + ".weight", {width}});
  tensors.push_back({name + ".bias", {width}});
}

void add_decoder(Tensors& tensors, const DecoderSizes& size) {
  tensors.push_back({"model.embed_tokens.weight", {size.vocab, size.hidden}});
  const int64_t q = size.heads * size.head_dim, kv = size.kv_heads * size.head_dim;
  for (int64_t i = 0; i < size.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    const std::string attention = layer + "self_attn.", mlp = layer + "mlp.";
    add_linear(tensors, attention + "q_proj", q, size.hidden, false);
    add_linear(tensors, attention + "k_proj", kv, size.hidden, false);
    add_linear(tensors, attention + "v_proj", kv, size.hidden, false);
    add_linear(tensors, attention + "o_proj", size.hidden, q, false);
    add_linear(tensors, mlp + "gate_proj", size.mlp, size.hidden, false);
    add_linear(tensors, mlp + "up_proj", size.mlp, size.hidden, false);
    add_linear(tensors, mlp + "down_proj", size.hidden, size.mlp, false);
    tensors.push_back({layer + "input_layernorm.weight", {size.hidden}});
    tensors.push_back({layer + "post_attention_layernorm.weight", {size.hidden}});
    if (!size.gemma) continue;
    tensors.push_back({layer + "pre_feedforward_layernorm.weight", {size.hidden}});
    tensors.push_back({layer + "post_feedforward_layernorm.weight", {size.hidden}});
  }
  tensors.push_back({"model.norm.weight", {size.hidden}});
  if (!size.gemma) tensors.push_back({"lm_head.weight", {size.vocab, size.hidden}});
}

void add_projector(Tensors& tensors, const Sizes& size) {
  const int64_t hidden = size.decoder.hidden, image = size.vision.width, audio = size.audio.width;
  const std::string rand = "model.mm_rand_";
  const int64_t kernel = size.image_kernel;
  if (kernel > 0)
    tensors.push_back({rand + "img_pool.conv.weight", {image, image, kernel, kernel}});
  const int64_t image_in = kernel > 0 ? image : image * size.image_pool * size.image_pool;
  tensors.push_back({rand + "aud_pool.weight", {size.audio_channels, audio, size.audio_pool}});
  add_linear(tensors, rand + "img_projector.model.0", hidden, image_in);
  add_linear(tensors, rand + "img_projector.model.2", hidden, hidden);
  add_linear(tensors, rand + "aud_projector.model.0", hidden, size.audio_channels);
  add_linear(tensors, rand + "aud_projector.model.2", hidden, hidden);
  for (const char* axis : {"pos_h", "pos_w", "pos_t"}) {
    add_linear(tensors, rand + axis + ".mlp.0", hidden, hidden);
    add_linear(tensors, rand + axis + ".mlp.2", hidden, hidden);
  }
  for (const char* norm : {"img_norm", "aud_norm", "llm_norm"}) {
    tensors.push_back({rand + norm + ".weight", {hidden}});
  }
}

// Whisper's k_proj has no bias.
void add_attention(Tensors& tensors, const std::string& name, int64_t width, bool k_bias) {
  add_linear(tensors, name + ".q_proj", width, width);
  add_linear(tensors, name + ".k_proj", width, width, k_bias);
  add_linear(tensors, name + ".v_proj", width, width);
  add_linear(tensors, name + ".out_proj", width, width);
}

// The last layer, post_layernorm and the pooling head are published and never used.
void add_vision_tower(Tensors& tensors, const TowerSizes& size) {
  const std::string root = "model.mm_vis.vision_model.", head = root + "head.";
  const int64_t width = size.width;
  tensors.push_back({root + "embeddings.patch_embedding.weight", {width, 3, 14, 14}});
  tensors.push_back({root + "embeddings.patch_embedding.bias", {width}});
  tensors.push_back({root + "embeddings.position_embedding.weight", {size.positions, width}});
  for (int64_t i = 0; i < size.layers; ++i) {
    const std::string layer = root + "encoder.layers." + std::to_string(i) + ".";
    add_layer_norm(tensors, layer + "layer_norm1", width);
    add_layer_norm(tensors, layer + "layer_norm2", width);
    add_attention(tensors, layer + "self_attn", width, true);
    add_linear(tensors, layer + "mlp.fc1", size.mlp, width);
    add_linear(tensors, layer + "mlp.fc2", width, size.mlp);
  }
  add_layer_norm(tensors, root + "post_layernorm", width);
  tensors.push_back({head + "probe", {1, 1, width}});
  tensors.push_back({head + "attention.in_proj_weight", {3 * width, width}});
  tensors.push_back({head + "attention.in_proj_bias", {3 * width}});
  add_linear(tensors, head + "attention.out_proj", width, width);
  add_layer_norm(tensors, head + "layernorm", width);
  add_linear(tensors, head + "mlp.fc1", size.mlp, width);
  add_linear(tensors, head + "mlp.fc2", width, size.mlp);
}

void add_audio_tower(Tensors& tensors, const TowerSizes& size) {
  const std::string root = "model.mm_aud.encoder.";
  const int64_t width = size.width;
  tensors.push_back({root + "conv1.weight", {width, 128, 3}});
  tensors.push_back({root + "conv1.bias", {width}});
  tensors.push_back({root + "conv2.weight", {width, width, 3}});
  tensors.push_back({root + "conv2.bias", {width}});
  tensors.push_back({root + "embed_positions.weight", {size.positions, width}});
  for (int64_t i = 0; i < size.layers; ++i) {
    const std::string layer = root + "layers." + std::to_string(i) + ".";
    add_attention(tensors, layer + "self_attn", width, false);
    add_layer_norm(tensors, layer + "self_attn_layer_norm", width);
    add_linear(tensors, layer + "fc1", size.mlp, width);
    add_linear(tensors, layer + "fc2", width, size.mlp);
    add_layer_norm(tensors, layer + "final_layer_norm", width);
  }
  add_layer_norm(tensors, root + "layer_norm", width);
}

Json decoder_json(const DecoderSizes& size) {
  Json json = {{"model_type", size.gemma ? "dattn_gemma2" : "dattn_mistral"},
               {"hidden_size", size.hidden},
               {"num_hidden_layers", size.layers},
               {"num_attention_heads", size.heads},
               {"num_key_value_heads", size.kv_heads},
               {"head_dim", size.head_dim},
               {"intermediate_size", size.mlp},
               {"vocab_size", size.vocab},
               {"torch_dtype", "bfloat16"}};
  if (size.gemma) {
    json.update({{"hidden_activation", "gelu_pytorch_tanh"},
                 {"rms_norm_eps", 1e-6},
                 {"rope_theta", 10000.0},
                 {"query_pre_attn_scalar", size.head_dim},
                 {"attn_logit_softcapping", 50.0},
                 {"final_logit_softcapping", 30.0},
                 {"sliding_window", 4096},
                 {"bos_token_id", 2},
                 {"eos_token_id", 107}});
  } else {
    json.update({{"hidden_act", "silu"},
                 {"rms_norm_eps", 1e-5},
                 {"rope_theta", 1000000.0},
                 {"sliding_window", nullptr},
                 {"tie_word_embeddings", false},
                 {"bos_token_id", 1},
                 {"eos_token_id", 2}});
  }
  return json;
}

void add_texts(CheckpointGeometry& geometry, const Sizes& size) {
  Json json = decoder_json(size.decoder);
  json.update({{"mm_vision_tower", geometry.vision_name},
               {"mm_audio_tower", geometry.audio_name},
               {"mm_vision_select_layer", -2},
               {"mm_image_aspect_ratio", "resize"},
               {"mm_image_pool_size", size.image_pool},
               {"mm_audio_pool_size", size.audio_pool},
               {"mm_time_interval", 10000},
               {"mm_splits", 4},
               {"mm_std", 0.15}});
  geometry.config = json.dump(2);
  geometry.tokenizer_config = R"({"legacy": false})";
}

// Towers that are not on the hub need their folder.
void add_tower_texts(CheckpointGeometry& geometry, const Sizes& size) {
  const Json vision = {{"model_type", "siglip_vision_model"},
                       {"hidden_size", size.vision.width},
                       {"image_size", size.image},
                       {"intermediate_size", size.vision.mlp},
                       {"num_attention_heads", size.vision.heads},
                       {"num_hidden_layers", size.vision.layers},
                       {"patch_size", 14}};
  const Json audio = {{"model_type", "whisper"},
                      {"d_model", size.audio.width},
                      {"encoder_attention_heads", size.audio.heads},
                      {"encoder_ffn_dim", size.audio.mlp},
                      {"encoder_layers", size.audio.layers},
                      {"num_mel_bins", 128}};
  geometry.vision_tower = vision.dump(2);
  geometry.audio_tower = audio.dump(2);
}

}  // namespace

CheckpointGeometry checkpoint_geometry(const std::string& name) {
  static const std::map<std::string, const Sizes*> known = {
      {"vidi1.5-9b", &kVidi15}, {"vidi-7b", &kVidi7b}, {"tiny", &kTiny}, {"one-layer", &kOneLayer}};
  const auto found = known.find(name);
  if (found == known.end()) {
    throw EngineError(
        ErrorCode::kBadInput,
        "unknown geometry '" + name + "', expected vidi1.5-9b, vidi-7b, one-layer or tiny");
  }
  const Sizes& size = *found->second;
  const bool tiny = size.image == kTiny.image;
  CheckpointGeometry geometry;
  geometry.name = name;
  geometry.decoder_norms_add_one = size.decoder.gemma;
  geometry.vision_name = tiny                 ? "siglip-tiny"
                         : size.decoder.gemma ? "google/siglip2-so400m-patch14-384"
                                              : "google/siglip-so400m-patch14-384";
  geometry.audio_name = tiny ? "whisper-tiny" : "openai/whisper-large-v3";
  add_texts(geometry, size);
  if (tiny) add_tower_texts(geometry, size);
  add_decoder(geometry.tensors, size.decoder);
  add_projector(geometry.tensors, size);
  add_vision_tower(geometry.tensors, size.vision);
  add_audio_tower(geometry.tensors, size.audio);
  return geometry;
}

CheckpointFiles shapes_of(const CheckpointGeometry& geometry) {
  CheckpointFiles files;
  for (const NamedShape& tensor : geometry.tensors) {
    CheckpointFiles::Place& place = files.tensors[tensor.name];
    place.entry.dtype = Dtype::kBF16;
    place.entry.shape = tensor.shape;
    place.entry.end = static_cast<uint64_t>(place.entry.numel()) * dtype_size(Dtype::kBF16);
  }
  return files;
}

ModelConfig config_of(const CheckpointGeometry& geometry) {
  const CheckpointFiles files = shapes_of(geometry);
  const auto shape_of = [&](const std::string& name) -> std::optional<std::vector<int64_t>> {
    const CheckpointFiles::Place* place = files.find(name);
    if (place == nullptr) return {};
    return place->entry.shape;
  };
  return parse_config({geometry.name, geometry.config, geometry.vision_tower, geometry.audio_tower,
                       geometry.tokenizer_config},
                      shape_of);
}

}  // namespace vidi
