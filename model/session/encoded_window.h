// A window that is encoded, as this engine keeps it: window_encoder makes it, question_answerer
// reads it.
#pragma once

#include "model/decoder/kv_cache.h"
#include "model/device/held_bytes.h"
#include "model/window.h"

namespace vidi {

struct EncodedWindow final : Encoded {
  MediaCache cache;
  HeldBytes held;
  double seconds = 0;
  bool has_frames() const override { return cache.has(Modality::kImage); }
  bool has_audio() const override { return cache.has(Modality::kAudio); }
  int64_t n_tokens() const override { return cache.n_tokens[0] + cache.n_tokens[1]; }
  double duration_s() const override { return seconds; }
};

}  // namespace vidi
