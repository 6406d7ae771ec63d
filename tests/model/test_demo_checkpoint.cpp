// The bundled checkpoint is a whole published folder: the published code loads it as it is, though
// the product needs less.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "model/checkpoint/config.h"
#include "model/checkpoint/safetensors.h"
#include "model/text/tokenizer.h"

namespace vidi {
namespace {

using nlohmann::json;
using Shape = std::vector<int64_t>;
using Shapes = std::map<std::string, Shape>;

const std::string kFolder = VIDI_DEMO_CHECKPOINT;
constexpr uint64_t kMostBytes = 16'000'000;

json read_json(const std::string& name) {
  std::ifstream file(kFolder + "/" + name);
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

ModelConfig read_config() {
  return parse_config(read_config_texts(kFolder), [](const std::string&) { return std::nullopt; });
}

void add_linear(Shapes& shapes, const std::string& name, int64_t out, int64_t in,
                bool has_bias = true) {
  shapes[name + ".weight"] = {out, in};
  if (has_bias) shapes[name + ".bias"] = {out};
}

// Two layers with an activation between them.
void add_pair(Shapes& shapes, const std::string& first, const std::string& second, int64_t width,
              int64_t inner, int64_t in) {
  add_linear(shapes, first, inner, in);
  add_linear(shapes, second, width, inner);
}

void add_layer_norm(Shapes& shapes, const std::string& name, int64_t width) {
  shapes[name + ".weight"] = shapes[name + ".bias"] = {width};
}

void add_tower_attention(Shapes& shapes, const std::string& at, int64_t width, bool key_bias) {
  for (const char* name : {"q_proj", "v_proj", "out_proj"})
    add_linear(shapes, at + name, width, width);
  add_linear(shapes, at + "k_proj", width, width, key_bias);
}

// The last layer, the norm behind it and the pooling head are never run.
void add_vision(Shapes& shapes, const VisionConfig& c) {
  const std::string at = "model.mm_vis.vision_model.", head = at + "head.";
  shapes[at + "embeddings.patch_embedding.weight"] = {c.hidden, 3, c.patch_size, c.patch_size};
  shapes[at + "embeddings.patch_embedding.bias"] = {c.hidden};
  shapes[at + "embeddings.position_embedding.weight"] = {c.grid * c.grid, c.hidden};
  for (int i = 0; i < c.layers_in_file; ++i) {
    const std::string layer = at + "encoder.layers." + std::to_string(i) + ".";
    add_layer_norm(shapes, layer + "layer_norm1", c.hidden);
    add_layer_norm(shapes, layer + "layer_norm2", c.hidden);
    add_tower_attention(shapes, layer + "self_attn.", c.hidden, true);
    add_pair(shapes, layer + "mlp.fc1", layer + "mlp.fc2", c.hidden, c.mlp, c.hidden);
  }
  add_layer_norm(shapes, at + "post_layernorm", c.hidden);
  shapes[head + "probe"] = {1, 1, c.hidden};
  shapes[head + "attention.in_proj_weight"] = {3 * c.hidden, c.hidden};
  shapes[head + "attention.in_proj_bias"] = {3 * c.hidden};
  add_linear(shapes, head + "attention.out_proj", c.hidden, c.hidden);
  add_layer_norm(shapes, head + "layernorm", c.hidden);
  add_pair(shapes, head + "mlp.fc1", head + "mlp.fc2", c.hidden, c.mlp, c.hidden);
}

void add_audio(Shapes& shapes, const AudioConfig& c) {
  const std::string at = "model.mm_aud.encoder.";
  shapes[at + "conv1.weight"] = {c.hidden, c.n_mels, 3};
  shapes[at + "conv2.weight"] = {c.hidden, c.hidden, 3};
  shapes[at + "conv1.bias"] = shapes[at + "conv2.bias"] = {c.hidden};
  shapes[at + "embed_positions.weight"] = {c.positions, c.hidden};
  for (int i = 0; i < c.layers; ++i) {
    const std::string layer = at + "layers." + std::to_string(i) + ".";
    add_layer_norm(shapes, layer + "self_attn_layer_norm", c.hidden);
    add_layer_norm(shapes, layer + "final_layer_norm", c.hidden);
    add_tower_attention(shapes, layer + "self_attn.", c.hidden, false);
    add_pair(shapes, layer + "fc1", layer + "fc2", c.hidden, c.mlp, c.hidden);
  }
  add_layer_norm(shapes, at + "layer_norm", c.hidden);
}

void add_adapters(Shapes& shapes, const ModelConfig& c) {
  const int64_t hidden = c.decoder.hidden, pool = c.projector.image_pool;
  const auto add_mlp = [&](const std::string& at, int64_t in) {
    add_pair(shapes, "model." + at + ".0", "model." + at + ".2", hidden, hidden, in);
  };
  add_mlp("mm_rand_img_projector.model", c.vision.hidden * pool * pool);
  add_mlp("mm_rand_aud_projector.model", hidden);
  for (const char* axis : {"h", "w", "t"})
    add_mlp(std::string("mm_rand_pos_") + axis + ".mlp", hidden);
  for (const char* norm : {"img", "aud", "llm"})
    shapes[std::string("model.mm_rand_") + norm + "_norm.weight"] = {hidden};
  shapes["model.mm_rand_aud_pool.weight"] = {hidden, c.audio.hidden, c.projector.audio_pool};
}

// No lm_head: the embeddings serve as it.
void add_decoder(Shapes& shapes, const DecoderConfig& c) {
  shapes["model.embed_tokens.weight"] = {c.vocab, c.hidden};
  shapes["model.norm.weight"] = {c.hidden};
  for (int i = 0; i < c.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    for (const char* norm : {"input", "post_attention", "pre_feedforward", "post_feedforward"})
      shapes[layer + norm + "_layernorm.weight"] = {c.hidden};
    add_linear(shapes, layer + "self_attn.q_proj", c.heads * c.head_dim, c.hidden, false);
    add_linear(shapes, layer + "self_attn.k_proj", c.kv_heads * c.head_dim, c.hidden, false);
    add_linear(shapes, layer + "self_attn.v_proj", c.kv_heads * c.head_dim, c.hidden, false);
    add_linear(shapes, layer + "self_attn.o_proj", c.hidden, c.heads * c.head_dim, false);
    add_linear(shapes, layer + "mlp.gate_proj", c.mlp, c.hidden, false);
    add_linear(shapes, layer + "mlp.up_proj", c.mlp, c.hidden, false);
    add_linear(shapes, layer + "mlp.down_proj", c.hidden, c.mlp, false);
  }
}

// The tensors are those that the configs imply, each in its shape: no more, no fewer.
TEST(DemoCheckpoint, HasEveryTensorInItsShape) {
  Shapes expected, found;
  const ModelConfig config = read_config();
  add_vision(expected, config.vision);
  add_audio(expected, config.audio);
  add_adapters(expected, config);
  add_decoder(expected, config.decoder);
  for (const auto& [name, place] : open_checkpoint_files(kFolder).tensors) {
    found[name] = place.entry.shape;
    EXPECT_TRUE(expected.count(name)) << name << " is not expected";
  }
  for (const auto& [name, shape] : expected) {
    ASSERT_TRUE(found.count(name)) << name << " is missing";
    EXPECT_EQ(shape_text(found.at(name)), shape_text(shape)) << name;
  }
}

// Every value is a finite half: its five exponent bits are not all set.
TEST(DemoCheckpoint, HoldsFiniteHalves) {
  const CheckpointFiles files = open_checkpoint_files(kFolder);
  for (const auto& [name, place] : files.tensors) {
    ASSERT_EQ(place.entry.dtype, Dtype::kF16) << name;
    std::vector<uint16_t> values(place.entry.numel());
    read_file_range(files.shards[place.shard], place.entry.begin, values.data(), values.size() * 2);
    const auto is_finite = [](uint16_t half) { return (half & 0x7c00) != 0x7c00; };
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), is_finite)) << name;
  }
}

// The whole folder stays small enough to be bundled.
TEST(DemoCheckpoint, IsSmall) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kFolder)) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  EXPECT_LE(bytes, kMostBytes);
}

// config.json has what the published code reads beyond the product's needs, and names tower folders
// by which it knows their kind.
TEST(DemoCheckpoint, SaysWhatThePublishedCodeReads) {
  const json config = read_json("config.json");
  for (const char* key : {"initializer_range", "loss_thres", "train_aud", "train_llm", "train_rand",
                          "train_vis", "use_cache"}) {
    EXPECT_TRUE(config.contains(key)) << key;
  }
  const std::string vision = config.at("mm_vision_tower"), audio = config.at("mm_audio_tower");
  EXPECT_NE(vision.find("siglip"), std::string::npos) << vision;
  EXPECT_NE(audio.find("whisper"), std::string::npos) << audio;
  EXPECT_EQ(read_json(vision + "/config.json").at("model_type"), "siglip_vision_model");
  EXPECT_EQ(read_json(audio + "/config.json").at("model_type"), "whisper");
  EXPECT_EQ(read_json(vision + "/preprocessor_config.json").at("size").at("height"),
            read_json(vision + "/config.json").at("image_size"));
  EXPECT_EQ(read_json(audio + "/preprocessor_config.json").at("feature_size"),
            read_json(audio + "/config.json").at("num_mel_bins"));
  const std::string chat = read_json("tokenizer_config.json").at("chat_template");
  EXPECT_NE(chat.find("<start_of_turn>"), std::string::npos) << chat;
}

// Ids 106 to 109 are Gemma's own symbols, so that the published prompt and its end need no special
// case.
TEST(DemoCheckpoint, SharesGemmasIds) {
  const ModelConfig config = read_config();
  const Tokenizer tokenizer = Tokenizer::open(kFolder, config.prompt, config.decoder.vocab);
  EXPECT_EQ(tokenizer.encode("<start_of_turn><end_of_turn>\n"),
            (std::vector<int>{2, 106, 107, 108}));
  EXPECT_EQ(tokenizer.encode("\n\n"), (std::vector<int>{2, 109}));
  EXPECT_EQ(config.decoder.eos_id, 107);
}

}  // namespace
}  // namespace vidi
