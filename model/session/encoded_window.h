// A window that is encoded, as this engine keeps it: window_encoder makes it, question_answerer
// reads it.
#pragma once

#include <algorithm>

#include "model/decoder/kv_cache.h"
#include "model/device/held_bytes.h"
#include "model/window.h"

namespace vidi {

struct EncodedWindow final : Encoded {
  MediaCache cache;
  HeldBytes held;
  double seconds = 0;
  bool has_frames() const override { return has(Modality::kImage); }
  bool has_audio() const override { return has(Modality::kAudio); }
  int64_t n_tokens() const override {
    int64_t n = n_tokens_here();
    for (const auto& other : cache.elsewhere) n += other->n_tokens[0] + other->n_tokens[1];
    return n;
  }
  // On the device that reads the questions.
  int64_t n_tokens_here() const { return cache.n_tokens[0] + cache.n_tokens[1]; }
  double duration_s() const override { return seconds; }

 private:
  bool has(Modality m) const {
    return cache.has(m) || std::any_of(cache.elsewhere.begin(), cache.elsewhere.end(),
                                       [m](const auto& other) { return other->has(m); });
  }
};

}  // namespace vidi
