// One layer's decomposed attention: text attends to itself, to pictures and to sound with the same
// weights; pictures and sound attend to nothing but themselves. vidi-model page, section 6.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "kernels/layers/rope.h"
#include "kernels/layers/weight_matrix.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/weights.h"
#include "model/decoder/kv_cache.h"
#include "model/decoder/window_attention.h"

namespace vidi {

// What one pass over text needs beside the layer's input. Shared by all layers.
struct TextPass {
  at::Tensor positions;           // [B, T] int64, contiguous
  at::Tensor mask, sliding_mask;  // bool [B, T, longest], undefined where no layer needs them
  int64_t window_keys = 0;        // that a query of a sliding layer sees
  const RopeTable* rope = nullptr;
};

class AttentionLayer {
 public:
  void take(Weights& weights, const std::string& name, const DecoderConfig& config, bool sliding);

  // xn [B, T, H], normalised -> o_proj(self + image + audio) [B, T, H]. Writes the text's keys and
  // values at `positions`.
  at::Tensor text(const at::Tensor& xn, const TextPass& pass, TextKeys& own, int64_t longest,
                  const PassWindows& windows, size_t layer) const;

  // vn [n, H], normalised: writes k_proj and v_proj into `keys` at row `first`. Returns the values
  // [n, kv_heads * D].
  at::Tensor media_keys(const at::Tensor& vn, const MediaKeys& keys, int64_t first) const;

  // What the stream adds to itself: o_proj of each token's own value, which every query head of its
  // group reads. So the group's columns of o_proj are summed first: a product of heads / kv_heads
  // times less work. [n, H].
  at::Tensor media_output(const at::Tensor& values) const;

 private:
  DecoderConfig config_;
  bool sliding_ = false;
  WeightMatrix qkv_;  // queries, keys, values below each other
  WeightMatrix o_;
};

}  // namespace vidi
