// Geometry of the two towers: the tower folder's config.json, else the tensors, else what is
// documented.
#include <cmath>

#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/input_file.h"
#include "model/result.h"

namespace vidi {
namespace {

const std::string kVision = "model.mm_vis.vision_model.";
const std::string kAudio = "model.mm_aud.encoder.";
constexpr int kHeadWidth = 64;  // of towers that do not say how many heads they have

// The tower folder's fields, or none at all.
Fields tower_fields(const std::string& text, const std::string& name) {
  const std::string file = in_quotes(name) + "/config.json";
  if (text.empty()) return {nlohmann::json::object(), file};
  nlohmann::json json = parse_json_object(text, name + "/config.json");
  const auto nested = json.find("vision_config");
  if (nested == json.end() || nested->is_null()) return {json, file};
  if (!nested->is_object()) Fields(json, file).fail("vision_config", "an object");
  return {*nested, file};
}

// Another kind of tower would load where its names agree, and see nothing.
void require_kind(const Fields& tower, const std::string& kind) {
  if (!tower.text("model_type", kind).starts_with(kind)) {
    tower.refuse("model_type", "'" + kind + "' or one of its parts");
  }
}

std::optional<int> grid_of(const ShapeLookup& shape_of) {
  const std::string name = kVision + "embeddings.position_embedding.weight";
  const std::optional<int> positions = side_of(shape_of, name, 2, 0);
  if (!positions) return {};
  const int grid = static_cast<int>(std::lround(std::sqrt(*positions)));
  if (int64_t{grid} * grid == *positions) return grid;
  throw EngineError(ErrorCode::kDamaged, "tensor '" + name + "' must hold a square number of " +
                                             "positions, found " + std::to_string(*positions));
}

// "google/siglip2-so400m-patch14-384" -> 384, the default for a name without a number at its end.
int image_size_in_name(const std::string& name) {
  const size_t begin = name.find_last_not_of("0123456789") + 1;
  const size_t n = name.size() - begin;
  const bool numbered = n > 0 && n < 6 && begin > 0 && name[begin - 1] == '-';
  return numbered ? std::stoi(name.substr(begin)) : VisionConfig().image_size;
}

int heads_of(const Fields& tower, const std::string& field, int hidden, bool has_file,
             int default_in_file, std::optional<int> documented) {
  const int heads =
      tower.whole(field, 1, 1024, has_file ? std::optional<int>(default_in_file) : documented);
  if (hidden % heads == 0) return heads;
  tower.fail(field, "a divisor of the tower's width " + std::to_string(hidden));
}

// Head count by width alone, or nothing when the width does not tell.
std::optional<int> heads_by_width(int hidden) {
  if (hidden % kHeadWidth != 0) return {};
  return hidden / kHeadWidth;
}

void read_vision_sizes(VisionConfig& vision, const Fields& tower, bool has_file,
                       const ShapeLookup& shape_of) {
  const std::string patches = kVision + "embeddings.patch_embedding.weight";
  const std::string layers = kVision + "encoder.layers.";
  const int counted = count_layers(shape_of, layers, ".layer_norm1.weight");
  // Without a tensor to tell, a tower file that leaves a field out means Hugging Face's
  // SiglipVisionConfig.
  const VisionConfig& known = vision;
  vision.hidden =
      tower.whole("hidden_size", 1, 65536,
                  side_of(shape_of, patches, 4, 0).value_or(has_file ? 768 : known.hidden));
  vision.patch_size =
      tower.whole("patch_size", 1, 1024,
                  side_of(shape_of, patches, 4, 2).value_or(has_file ? 16 : known.patch_size));
  vision.mlp = tower.whole(
      "intermediate_size", 1, 1 << 20,
      side_of(shape_of, layers + "0.mlp.fc1.weight", 2, 0).value_or(has_file ? 3072 : known.mlp));
  vision.layers_in_file = tower.whole("num_hidden_layers", 1, 512,
                                      counted > 0 ? counted
                                      : has_file  ? 12
                                                  : known.layers_in_file);
  if (tower.whole("num_channels", 1, 1024, 3) != 3) tower.refuse("num_channels", "3");
}

// hidden_states[k]: entry 0 is the embeddings, so L layers give L + 1 entries.
int layers_to_run(const Fields& config, int layers) {
  const std::string field = "mm_vision_select_layer";
  const int k = config.whole(field, -1024, 1024, -2);
  const int run = k < 0 ? layers + 1 + k : k;
  if (run >= 0 && run <= layers) return run;
  config.fail(field, "one of the " + std::to_string(layers + 1) + " hidden states of a tower of " +
                         std::to_string(layers) + " layers");
}

// The position table must have one entry for each patch of an image.
void check_grid(const VisionConfig& vision, const std::string& name, const ShapeLookup& shape_of) {
  const int expected = grid_of(shape_of).value_or(vision.grid);
  if (vision.grid == expected && expected >= 1 && expected <= 256) return;
  throw EngineError(ErrorCode::kDamaged,
                    "vision tower " + in_quotes(name) + ": images of " +
                        std::to_string(vision.image_size) + " pixels in patches of " +
                        std::to_string(vision.patch_size) + " give " + std::to_string(vision.grid) +
                        " patches a side, expected " + std::to_string(expected) +
                        " as in the position table, and 1..256");
}

}  // namespace

VisionConfig parse_vision(const Fields& config, const std::string& text,
                          const ShapeLookup& shape_of) {
  const std::string name = config.text("mm_vision_tower", "vision tower");
  const Fields tower = tower_fields(text, name);
  const bool has_file = !text.empty();
  require_kind(tower, "siglip");
  VisionConfig vision;
  read_vision_sizes(vision, tower, has_file, shape_of);
  vision.heads =
      heads_of(tower, "num_attention_heads", vision.hidden, has_file, 12,
               vision.hidden == 1152 ? std::optional<int>(16) : heads_by_width(vision.hidden));
  vision.image_size = tower.whole("image_size", 1, 8192, has_file ? 224 : image_size_in_name(name));
  vision.grid = vision.image_size / vision.patch_size;
  check_grid(vision, name, shape_of);
  vision.layer_norm_eps = tower.positive("layer_norm_eps", 1).value_or(1e-6);
  vision.activation = tower.activation("hidden_act", Activation::kGeluTanh);
  vision.layers_to_run = layers_to_run(config, vision.layers_in_file);
  return vision;
}

AudioConfig parse_audio(const Fields& config, const std::string& text,
                        const ShapeLookup& shape_of) {
  const std::string name = config.text("mm_audio_tower", "audio tower");
  const Fields tower = tower_fields(text, name);
  const bool has_file = !text.empty();
  require_kind(tower, "whisper");
  AudioConfig audio;
  const std::string conv = kAudio + "conv1.weight", layers = kAudio + "layers.";
  const int counted = count_layers(shape_of, layers, ".fc1.weight");
  // As for the vision tower; the numbers are Hugging Face's WhisperConfig.
  audio.hidden = tower.whole("d_model", 2, 65536,
                             side_of(shape_of, conv, 3, 0).value_or(has_file ? 384 : audio.hidden));
  audio.n_mels = tower.whole("num_mel_bins", 1, 1024,
                             side_of(shape_of, conv, 3, 1).value_or(has_file ? 80 : audio.n_mels));
  audio.mlp = tower.whole(
      "encoder_ffn_dim", 1, 1 << 20,
      side_of(shape_of, layers + "0.fc1.weight", 2, 0).value_or(has_file ? 1536 : audio.mlp));
  audio.layers = tower.whole("encoder_layers", 1, 512,
                             counted > 0 ? counted
                             : has_file  ? 4
                                         : audio.layers);
  audio.positions = tower.whole(
      "max_source_positions", 1, 65536,
      side_of(shape_of, kAudio + "embed_positions.weight", 2, 0).value_or(audio.positions));
  audio.heads = heads_of(tower, "encoder_attention_heads", audio.hidden, has_file, 6,
                         heads_by_width(audio.hidden));
  // One chunk is always 30 s: 3000 mel columns, halved by the second convolution.
  if (audio.positions != 1500) {
    throw EngineError(ErrorCode::kUnsupported, "audio tower " + in_quotes(name) +
                                                   ": max_source_positions must be 1500, found " +
                                                   std::to_string(audio.positions));
  }
  if (tower.activation("activation_function", Activation::kGelu) != Activation::kGelu) {
    tower.refuse("activation_function", "'gelu'");
  }
  return audio;
}

}  // namespace vidi
