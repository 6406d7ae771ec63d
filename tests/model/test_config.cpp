// config.json: published layouts give the right structs, gaps take the documented defaults, absurd
// values a sentence.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/checkpoint/config.h"
#include "model/checkpoint/safetensors.h"
#include "model/result.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Shapes = std::map<std::string, std::vector<int64_t>>;

ShapeLookup lookup(Shapes shapes) {
  return
      [shapes = std::move(shapes)](const std::string& name) -> std::optional<std::vector<int64_t>> {
        const auto found = shapes.find(name);
        if (found == shapes.end()) return {};
        return found->second;
      };
}

Shapes shapes_in(const std::string& folder) {
  Shapes shapes;
  for (const auto& [name, place] : open_checkpoint_files(folder).tensors) {
    shapes[name] = place.entry.shape;
  }
  return shapes;
}

const std::string kGolden = VIDI_TEST_DATA "/golden/";

ModelConfig open_golden(const std::string& set) {
  const std::string folder = kGolden + set + "/checkpoint";
  return parse_config(read_config_texts(folder), lookup(shapes_in(folder)));
}

// The least that a config must say.
Json gemma() {
  return {{"model_type", "dattn_gemma2"}, {"hidden_size", 3584},      {"num_hidden_layers", 42},
          {"num_attention_heads", 16},    {"num_key_value_heads", 8}, {"intermediate_size", 14336},
          {"vocab_size", 256000}};
}

Json mistral() {
  Json json = gemma();
  json["model_type"] = "dattn_mistral";
  return json;
}

ModelConfig parse(const Json& json, const Shapes& shapes = {}, const std::string& vision = "",
                  const std::string& audio = "", const std::string& tokenizer = "") {
  return parse_config({"folder", json.dump(), vision, audio, tokenizer}, lookup(shapes));
}

template <class Work>
void expect_error(Work work, const std::string& words, ErrorCode code = ErrorCode::kDamaged) {
  try {
    work();
    ADD_FAILURE() << "no error, expected one with: " << words;
  } catch (const EngineError& error) {
    const std::string message = error.what();
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

// config.json of Gemma with one field changed must be refused with these words.
void expect_field(const std::string& field, const Json& value, const std::string& words,
                  ErrorCode code = ErrorCode::kDamaged) {
  Json json = gemma();
  json[field] = value;
  expect_error([&] { parse(json); }, words, code);
  expect_error([&] { parse(json); }, field, code);
}

// The 1.5 golden's numbers must arrive where the engine reads them.
TEST(Config, ReadsVidi15) {
  const ModelConfig model = open_golden("vidi15-variant");
  EXPECT_EQ(model.prompt.family, Family::kVidi15);
  EXPECT_EQ(model.decoder.hidden, 48);
  EXPECT_EQ(model.decoder.head_dim, 16);
  EXPECT_EQ(model.decoder.kv_heads, 3);
  EXPECT_EQ(model.decoder.sliding_window, 24);
  EXPECT_EQ(model.decoder.eos_id, 45);
  EXPECT_DOUBLE_EQ(model.decoder.attention_scale, 1 / std::sqrt(20.0));
  EXPECT_TRUE(model.decoder.tied_embeddings && model.decoder.norm_adds_one &&
              model.decoder.sandwich_norms && model.decoder.scale_embeddings);
  EXPECT_FALSE(model.decoder.float_logits || model.projector.image_pool_is_conv);
  EXPECT_EQ(model.projector.image_projector_in, 96);
  EXPECT_EQ(model.projector.audio_pool, 4);
  EXPECT_EQ(model.vision.layers_to_run, model.vision.layers_in_file - 1);
}

// So must the 7B golden's, the blank in its chat template too.
TEST(Config, ReadsVidi7b) {
  const ModelConfig model = open_golden("vidi7b-variant");
  EXPECT_EQ(model.prompt.family, Family::kVidi7b);
  EXPECT_TRUE(model.projector.image_pool_is_conv);
  EXPECT_EQ(model.projector.image_conv_kernel, 9);
  EXPECT_EQ(model.projector.image_pool, 3);
  EXPECT_EQ(model.projector.image_projector_in, 24);
  EXPECT_EQ(model.projector.audio_pool_channels, 24);
  EXPECT_DOUBLE_EQ(model.projector.time_interval, 6000);
  EXPECT_EQ(model.decoder.activation, Activation::kSilu);
  EXPECT_DOUBLE_EQ(model.decoder.attention_scale, 1 / std::sqrt(8.0));
  EXPECT_TRUE(model.decoder.float_logits);
  EXPECT_FALSE(model.decoder.tied_embeddings || model.decoder.norm_adds_one);
  EXPECT_EQ(model.decoder.sliding_window, 0);
  EXPECT_TRUE(model.prompt.blank_before_inst_end);
  EXPECT_FALSE(open_golden("vidi7b").prompt.blank_before_inst_end);
}

// The shipped model brings its own sentences and a tower whose file has no vision_config.
TEST(Config, ReadsTheDemo) {
  const std::string folder = VIDI_DEMO_CHECKPOINT;
  const ModelConfig model = parse_config(read_config_texts(folder), lookup(shapes_in(folder)));
  EXPECT_EQ(model.vision.image_size, 98);
  EXPECT_EQ(model.vision.grid, 7);
  EXPECT_EQ(model.audio.hidden, 160);
  EXPECT_DOUBLE_EQ(model.frame_rate, 2);
  EXPECT_EQ(model.prompt.prompts.count("highlight"), 1u);
}

// A Gemma config that says only its sizes takes the documented defaults, the 9B's towers among
// them.
TEST(Config, TakesGemmaDefaults) {
  const ModelConfig model = parse(gemma());
  EXPECT_EQ(model.decoder.head_dim, 256);
  EXPECT_EQ(model.decoder.eos_id, 107);
  EXPECT_DOUBLE_EQ(model.decoder.attention_scale, 1.0 / 16);
  EXPECT_DOUBLE_EQ(model.decoder.attention_softcap, 50);
  EXPECT_DOUBLE_EQ(model.decoder.final_softcap, 30);
  EXPECT_EQ(model.decoder.sliding_window, 4096);
  EXPECT_DOUBLE_EQ(model.decoder.rms_eps, 1e-6);
  EXPECT_EQ(model.vision.layers_to_run, 26);
  EXPECT_EQ(model.vision.heads, 16);
  EXPECT_EQ(model.audio.heads, 20);
  EXPECT_EQ(model.projector.image_projector_in, 4608);
  EXPECT_DOUBLE_EQ(model.projector.time_interval, 10000);
  EXPECT_FALSE(model.prompt.blank_before_inst_end);
}

// Null means the default for the multimodal fields, and none for caps and windows.
TEST(Config, TakesNull) {
  Json json = gemma();
  for (const char* name :
       {"mm_projector_type", "mm_vision_select_layer", "mm_image_aspect_ratio", "mm_splits",
        "mm_time_interval", "attn_logit_softcapping", "final_logit_softcapping", "sliding_window",
        "vidi_prompts", "vidi_frame_rate"}) {
    json[name] = nullptr;
  }
  const ModelConfig model = parse(json);
  EXPECT_EQ(model.projector.image_projector_layers, 2);
  EXPECT_EQ(model.vision.layers_to_run, 26);
  EXPECT_EQ(model.decoder.attention_softcap, 0);
  EXPECT_EQ(model.decoder.final_softcap, 0);
  EXPECT_EQ(model.decoder.sliding_window, 0);
  EXPECT_DOUBLE_EQ(model.frame_rate, 1);
}

// Mistral's head width is hidden / heads; a head that is gone is only tied when the config says so.
TEST(Config, TakesMistralDefaults) {
  Json json = mistral();
  EXPECT_EQ(parse(json).decoder.head_dim, 224);
  EXPECT_EQ(parse(json).decoder.eos_id, 2);
  EXPECT_FALSE(parse(json).decoder.tied_embeddings);
  json["tie_word_embeddings"] = true;
  EXPECT_TRUE(parse(json).decoder.tied_embeddings);
  EXPECT_FALSE(parse(json, {{"lm_head.weight", {256000, 3584}}}).decoder.tied_embeddings);
  json["sliding_window"] = 4096;
  expect_error([&] { parse(json); }, "sliding_window", ErrorCode::kUnsupported);
}

// Sizes that config.json leaves out come from the tensors.
TEST(Config, TakesSizesFromShapes) {
  const Json json = {{"model_type", "dattn_gemma2"}, {"num_attention_heads", 4}, {"head_dim", 32}};
  const std::string folder = kGolden + "vidi15/checkpoint";
  const ConfigTexts towers = read_config_texts(folder);
  const ModelConfig model = parse(json, shapes_in(folder), towers.vision_tower, towers.audio_tower);
  expect_error([&] { parse(json, shapes_in(folder)); },
               "num_attention_heads");  // 32 wide: how many?
  EXPECT_EQ(model.decoder.hidden, 64);
  EXPECT_EQ(model.decoder.vocab, 708);
  EXPECT_EQ(model.decoder.layers, 4);
  EXPECT_EQ(model.decoder.kv_heads, 2);
  EXPECT_EQ(model.decoder.mlp, 160);
}

// Towers without a file get their geometry from tensors and name; heads follow from the width.
TEST(Config, TakesTowersFromShapes) {
  const std::string vision = "model.mm_vis.vision_model.", audio = "model.mm_aud.encoder.";
  Json json = gemma();
  json["mm_vision_tower"] = "google/siglip-base-patch16-224";
  Shapes shapes = {{vision + "embeddings.patch_embedding.weight", {768, 3, 16, 16}},
                   {vision + "embeddings.position_embedding.weight", {196, 768}},
                   {vision + "encoder.layers.0.layer_norm1.weight", {768}},
                   {vision + "encoder.layers.1.layer_norm1.weight", {768}},
                   {vision + "encoder.layers.0.mlp.fc1.weight", {3072, 768}},
                   {audio + "conv1.weight", {512, 80, 3}}};
  json["mm_image_pool_size"] = 5;
  const ModelConfig model = parse(json, shapes);
  EXPECT_EQ(model.vision.image_size, 224);
  EXPECT_EQ(model.vision.grid, 14);
  EXPECT_EQ(model.vision.heads, 12);
  EXPECT_EQ(model.vision.layers_in_file, 2);
  EXPECT_EQ(model.audio.hidden, 512);
  EXPECT_EQ(model.audio.heads, 8);
  EXPECT_EQ(model.audio.n_mels, 80);
  json["mm_vision_tower"] = "siglip-without-a-number";  // 384 then, which 14 x 14 patches are not
  expect_error([&] { parse(json, shapes); }, "384 pixels");
  shapes[vision + "embeddings.position_embedding.weight"] = {197, 768};
  expect_error([&] { parse(json, shapes); }, "a square number");
}

// A tower file that leaves fields out means Hugging Face's defaults where no tensor tells.
TEST(Config, TakesTowerFileDefaults) {
  Json json = gemma();
  json["mm_image_pool_size"] = 3;
  const ModelConfig model =
      parse(json, {}, R"({"vision_config": {"model_type": "siglip_vision_model"}})", "{}");
  EXPECT_EQ(model.vision.hidden, 768);
  EXPECT_EQ(model.vision.heads, 12);
  EXPECT_EQ(model.vision.grid, 14);
  EXPECT_EQ(model.audio.layers, 4);
  EXPECT_EQ(model.audio.n_mels, 80);
  expect_error([&] { parse(json, {}, R"({"model_type": "clip"})"); }, "siglip",
               ErrorCode::kUnsupported);
  expect_error([&] { parse(json, {}, R"({"vision_config": 3})"); }, "vision_config");
  expect_error([&] { parse(json, {}, "", R"({"encoder_attention_heads": 7})"); }, "a divisor");
}

// The selected hidden state counts from either end, and must be one of them.
TEST(Config, CountsLayersToRun) {
  Json json = gemma();
  for (const auto& [k, layers] :
       std::map<int, int>{{-1, 27}, {-2, 26}, {-28, 0}, {0, 0}, {27, 27}}) {
    json["mm_vision_select_layer"] = k;
    EXPECT_EQ(parse(json).vision.layers_to_run, layers) << k;
  }
  expect_field("mm_vision_select_layer", -29, "one of the 28 hidden states");
  expect_field("mm_vision_select_layer", 28, "one of the 28 hidden states");
}

// A projector has as many layers as the file has, whatever its kind is called.
TEST(Config, CountsProjectorLayers) {
  Json json = gemma();
  json["mm_projector_type"] = "mlp3x_gelu";
  EXPECT_EQ(parse(json).projector.image_projector_layers, 3);
  const ModelConfig model = parse(json, {{"model.mm_rand_img_projector.model.0.weight", {8, 8}}});
  EXPECT_EQ(model.projector.image_projector_layers, 1);
  EXPECT_EQ(model.projector.audio_projector_layers, 3);
  expect_field("mm_projector_type", "resampler", "mlp<1..9>x_gelu", ErrorCode::kUnsupported);
}

// Pool sizes must agree with their kernels, and the message must name the field.
TEST(Config, ChecksPools) {
  const std::string conv = "model.mm_rand_img_pool.conv.weight";
  EXPECT_EQ(parse(gemma(), {{conv, {1152, 1152, 14, 14}}}).projector.image_conv_kernel, 14);
  expect_error([&] { parse(gemma(), {{conv, {1152, 1152, 13, 13}}}); }, "mm_image_pool_size");
  expect_error([&] { parse(gemma(), {{conv, {1152}}}); }, "4 axes");
  Json json = gemma();
  json["mm_audio_pool_size"] = 4;
  expect_error(
      [&] {
        parse(json, {{"model.mm_rand_aud_pool.weight", {3584, 1280, 5}}});
      },
      "mm_audio_pool_size");
  expect_field("mm_image_pool_size", 3, "a divisor of the padded");
}

// An unknown family must be named beside the two that are known.
TEST(Config, NamesTheFamilies) {
  expect_field("model_type", "llava", "found '\\\"llava\\\"'", ErrorCode::kUnsupported);
  expect_field("model_type", "llava", "'dattn_gemma2'", ErrorCode::kUnsupported);
  expect_field("model_type", nullptr, "'dattn_mistral'", ErrorCode::kUnsupported);
}

// Every number has a range; what lies outside is named with it.
TEST(Config, ChecksRanges) {
  expect_field("hidden_size", 10'000'000'000, "1..65536, found '10000000000'");
  expect_field("hidden_size", 0, "1..65536");
  expect_field("hidden_size", 64.5, "a whole number");
  expect_field("hidden_size", "64", "a whole number");
  expect_field("num_hidden_layers", 513, "1..512");
  expect_field("num_attention_heads", -1, "1..1024");
  expect_field("num_key_value_heads", 5, "a divisor");
  expect_field("intermediate_size", 1e300, "1..1048576");
  expect_field("vocab_size", Json::array(), "1..4194304");
  expect_field("head_dim", 7, "even");
  expect_field("rms_norm_eps", 0, "above 0");
  expect_field("rope_theta", -1, "above 0");
  expect_field("query_pre_attn_scalar", "x", "above 0");
  expect_field("attn_logit_softcapping", 0, "above 0");
  expect_field("sliding_window", -1, "0..1073741824");
  expect_field("mm_time_interval", 0.5, "at least 1");
  expect_field("eos_token_id", 256000, "0..255999");
  expect_field("eos_token_id", Json::array(), "a list of ids");
  expect_field("vidi_prompts", Json{{"a", 1}}, "an object of strings");
  expect_field("num_attention_heads", nullptr, "found null");
}

// A checkpoint may state the rate of its training; what no stream is sampled at is no rate.
TEST(Config, ReadsTheFrameRate) {
  EXPECT_DOUBLE_EQ(parse(gemma()).frame_rate, 1);
  for (const double rate : {2.0, 60.0, 29.97, 1.0 / 3600}) {
    Json json = gemma();
    json["vidi_frame_rate"] = rate;
    EXPECT_DOUBLE_EQ(parse(json).frame_rate, rate);
  }
  for (const Json& value : {Json(0), Json(-2), Json(60.5), Json(1e300), Json("2"), Json(true),
                            Json::array({2}), Json::object()}) {
    expect_field("vidi_frame_rate", value, "a finite number above 0 and at most 60");
  }
  expect_field("vidi_frame_rate", -2, "found '-2'");
  expect_field("vidi_frame_rate", 1e-9, "at least 1/3600");
  for (const char* number : {"NaN", "Infinity", "1e999"}) {
    const std::string config = std::string("{\"vidi_frame_rate\": ") + number + "}";
    expect_error(
        [&] {
          parse_config({"folder", config, "", "", ""}, lookup({}));
        },
        "not valid JSON");
  }
}

// Variants that would load and compute something else are refused, not ignored.
TEST(Config, RefusesVariants) {
  const auto code = ErrorCode::kUnsupported;
  expect_field("mm_image_aspect_ratio", "pad", "'resize'", code);
  expect_field("hidden_activation", "relu", "gelu_pytorch_tanh", code);
  expect_field("quantization_config", Json{{"bits", 4}}, "null", code);
  expect_field("rope_scaling", Json{{"factor", 2}}, "null", code);
  expect_field("attention_bias", true, "false", code);
}

// A list of stop ids means its first.
TEST(Config, TakesTheFirstStopId) {
  Json json = gemma();
  json["eos_token_id"] = {5, 107};
  EXPECT_EQ(parse(json).decoder.eos_id, 5);
}

// The chat template's literal decides about the blank, in either kind of quotes; legacy is read
// beside it.
TEST(Config, ReadsTheTokenizerConfig) {
  const auto prompt = [](const Json& tokenizer) {
    return parse(mistral(), {}, "", "", tokenizer.dump()).prompt;
  };
  EXPECT_TRUE(prompt({{"chat_template", "{{ x + ' [/INST]' }}"}}).blank_before_inst_end);
  EXPECT_TRUE(prompt({{"chat_template", "{{ x + \" [/INST]\" }}"}}).blank_before_inst_end);
  EXPECT_FALSE(prompt({{"chat_template", "{{ x + '[/INST]' }}"}}).blank_before_inst_end);
  EXPECT_FALSE(prompt(Json::object()).legacy_prefix);
  EXPECT_TRUE(prompt({{"legacy", true}}).legacy_prefix);
}

// Text that is not a JSON object must give one sentence, however deep or broken it is.
TEST(Config, RefusesBrokenJson) {
  const auto text = [](const std::string& config) {
    return [config] { parse_config({"folder", config, "", "", ""}, lookup({})); };
  };
  expect_error(text("{\"model_type\": \n nope}"), "not valid JSON");
  expect_error(text(""), "not valid JSON");
  expect_error(text("[1]"), "must hold a JSON object");
  expect_error(text(std::string(1'000'000, '[')), "holds too much");
  expect_error([] { parse(gemma(), {}, "{"); }, "vision tower/config.json");
}

fs::path temporary_folder() {
  std::string name = (fs::temp_directory_path() / "vidi-config-XXXXXX").string();
  return ::mkdtemp(name.data());
}

// The rate is read of config.json alone, with the same checks, whatever else the folder lacks.
TEST(Config, ReadsTheFrameRateOfAFolder) {
  const fs::path folder = temporary_folder();
  const auto rate_of = [&](const std::string& config) {
    std::ofstream(folder / "config.json") << config;
    return read_frame_rate(folder.string());
  };
  expect_error([&] { read_frame_rate(folder.string()); }, "holds no config.json",
               ErrorCode::kNotFound);
  EXPECT_DOUBLE_EQ(rate_of("{}"), 1);
  EXPECT_DOUBLE_EQ(rate_of("{\"vidi_frame_rate\": 2}"), 2);
  expect_error([&] { rate_of("{\"vidi_frame_rate\": 0}"); }, "'vidi_frame_rate' must be");
  expect_error([&] { rate_of("{\"vidi_frame_rate\": "); }, "not valid JSON");
  fs::remove_all(folder);
  expect_error([&] { read_frame_rate(folder.string()); }, "does not exist", ErrorCode::kNotFound);
}

// Tower folders are only looked for inside the checkpoint.
TEST(Config, StaysInTheFolder) {
  const fs::path root = temporary_folder();
  fs::create_directories(root / "model" / "inside");
  fs::create_directory(root / "outside");
  std::ofstream(root / "outside" / "config.json") << "{}";
  std::ofstream(root / "model" / "inside" / "config.json") << "{}";
  const auto vision_text = [&](const std::string& tower) {
    Json json = gemma();
    json["mm_vision_tower"] = tower;
    std::ofstream(root / "model" / "config.json") << json.dump();
    return read_config_texts((root / "model").string()).vision_tower;
  };
  EXPECT_EQ(vision_text("inside"), "{}");
  EXPECT_EQ(vision_text("../outside"), "");
  EXPECT_EQ(vision_text((root / "outside").string()), "");
  EXPECT_EQ(vision_text("google/siglip-so400m-patch14-384"), "");
  expect_error([&] { read_config_texts((root / "outside" / "none").string()); }, "does not exist",
               ErrorCode::kNotFound);
  expect_error([&] { read_config_texts((root / "model" / "inside" / "..").string() + "/.."); },
               "holds no config.json", ErrorCode::kNotFound);
  fs::remove_all(root);
}

}  // namespace
}  // namespace vidi
