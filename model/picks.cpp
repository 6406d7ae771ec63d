#include "model/picks.h"

#include <ATen/ATen.h>

namespace vidi {

at::Tensor pick(const at::Tensor& logits) {
  at::Tensor ids = logits.argmax(-1);
  at::Tensor probabilities = at::softmax(logits, -1, at::kFloat).gather(-1, ids.unsqueeze(-1));
  return at::stack({ids.to(at::kFloat).flatten(), probabilities.flatten()});
}

}  // namespace vidi
