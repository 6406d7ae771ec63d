// The next token of every row of logits: the most probable one. CPU and CUDA through ATen; on CUDA
// two kernels of our own (argmax.cu).
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

struct Picked {
  at::Tensor ids;       // [B] int64, stays on the device for the next step
  at::Tensor for_host;  // [2, B] float32: ids (exact, far below 2^24) and probabilities, one copy
};

// logits [B, vocabulary]. The highest logit, of equal ones the first, and its softmax, in float32.
Picked pick_tokens(const at::Tensor& logits);
Picked pick_tokens_plain(const at::Tensor& logits);

}  // namespace vidi
