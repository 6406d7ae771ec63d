// Keys and values of the decoder: the window's, filled once per window, and the questions', which
// grow by a token a step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/attention/key_matrix.h"
#include "kernels/layers/rope.h"

namespace vidi {

enum class Modality { kImage = 0, kAudio = 1 };

// One layer's keys and values of one modality, [tokens, kv_heads * head_dim]; undefined when the
// modality is absent.
struct MediaKeys {
  KeyMatrix key, value;
};

// The window's part: [layer][modality]. Never changes once the window is encoded, so any number of
// questions reads it.
struct MediaCache {
  std::vector<MediaKeys> layers[2];
  int64_t n_tokens[2] = {0, 0};
  // The window's other tokens, where it is split over devices: each of these is on its own.
  std::vector<std::shared_ptr<const MediaCache>> elsewhere;
  bool has(Modality m) const { return n_tokens[static_cast<int>(m)] > 0; }
  const MediaKeys& at(Modality m, size_t layer) const { return layers[static_cast<int>(m)][layer]; }
};

// One layer's keys and values of the questions' own text, [questions, kv_heads, capacity,
// head_dim].
struct TextKeys {
  at::Tensor key, value;
};

// A batch of questions under way. A row holds its token at position p in slot p; slots beyond its
// length hold nothing that a mask lets through, and are written over when the row gets there.
struct TextCache {
  std::vector<TextKeys> layers;
  int64_t capacity = 0;  // slots allocated
  RopeTable rope;        // a row for each slot
};

}  // namespace vidi
