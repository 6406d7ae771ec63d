// Any bytes as the texts of a checkpoint folder, beside any tensor shapes: only EngineError may
// leave, and what is accepted is in range.
//
// The first byte says which shapes the tensors have; the rest is config.json, the two tower files
// and tokenizer_config.json, parted by bytes of zero.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/result.h"

namespace {

vidi::ConfigTexts split(const std::string& text) {
  std::vector<std::string> parts(4);
  size_t part = 0;
  for (char c : text) {
    if (c == '\0' && part < 3) {
      ++part;
    } else {
      parts[part] += c;
    }
  }
  return {"fuzz", parts[0], parts[1], parts[2], parts[3]};
}

// Small, large, absurd and missing shapes of every rank that is looked for.
std::optional<std::vector<int64_t>> fake_shape(const std::string& name, uint8_t kind) {
  const uint8_t choice = static_cast<uint8_t>(kind + name.size() * 7);
  if (kind % 4 == 0 || choice % 5 == 0) return {};
  if (kind % 4 == 1) return std::vector<int64_t>(1 + choice % 4, 729);
  if (kind % 4 == 2) return std::vector<int64_t>(choice % 6, INT64_MAX - choice);
  return std::vector<int64_t>{choice, 3, choice % 32, choice % 32};
}

void check(const vidi::ModelConfig& model) {
  const vidi::DecoderConfig& decoder = model.decoder;
  const bool good = decoder.hidden > 0 && decoder.layers > 0 && decoder.kv_heads > 0 &&
                    decoder.heads % decoder.kv_heads == 0 && decoder.head_dim % 2 == 0 &&
                    decoder.eos_id >= 0 && decoder.eos_id < decoder.vocab &&
                    decoder.attention_scale > 0 && model.vision.hidden % model.vision.heads == 0 &&
                    model.vision.grid > 0 && model.vision.layers_to_run >= 0 &&
                    model.vision.layers_to_run <= model.vision.layers_in_file &&
                    model.audio.hidden % model.audio.heads == 0 &&
                    model.projector.image_projector_in > 0 && model.projector.audio_pool > 0 &&
                    model.frame_rate > 0 && model.frame_rate <= 60;
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const uint8_t kind = size > 0 ? data[0] : 0;
  const std::string text(reinterpret_cast<const char*>(data) + (size > 0), size - (size > 0));
  try {
    check(vidi::parse_config(split(text),
                             [kind](const std::string& name) { return fake_shape(name, kind); }));
  } catch (const vidi::EngineError&) {
  }
  return 0;
}
