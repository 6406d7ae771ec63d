#include "kernels/layers/argmax.h"

#include <c10/core/DeviceGuard.h>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/argmax_launch.h"

namespace vidi {
namespace {

// Half precision, or float32 where a model's logits are.
bool has_kernel(const at::Tensor& logits) {
  const bool known = logits.scalar_type() == at::kFloat
                         ? own_kernels_run(logits.device(), at::kHalf)
                         : own_kernels_run(logits.device(), logits.scalar_type());
  return known && logits.dim() == 2 && logits.is_contiguous() && logits.numel() > 0;
}

}  // namespace

Picked pick_tokens_plain(const at::Tensor& logits) {
  at::Tensor ids = logits.argmax(-1);
  at::Tensor probabilities =
      at::softmax(logits, -1, at::kFloat).gather(1, ids.unsqueeze(1)).squeeze(1);
  return {ids, at::stack({ids.to(at::kFloat), probabilities})};
}

Picked pick_tokens(const at::Tensor& logits) {
  if (!has_kernel(logits)) return pick_tokens_plain(logits);
  const int64_t rows = logits.size(0);
  Picked picked{at::empty({rows}, logits.options().dtype(at::kLong)),
                at::empty({2, rows}, logits.options().dtype(at::kFloat))};
  at::Tensor workspace = at::empty({rows * kArgmaxParts * 3}, logits.options().dtype(at::kFloat));
  ArgmaxTask task;
  task.logits = logits.data_ptr(), task.rows = static_cast<int>(rows);
  task.width = static_cast<int>(logits.size(1));
  task.ids = picked.ids.data_ptr<int64_t>(), task.for_host = picked.for_host.data_ptr<float>();
  task.workspace = workspace.data_ptr();
  c10::DeviceGuard guard(logits.device());
  launch_argmax(
      task,
      logits.scalar_type() == at::kFloat ? ElementType::kFloat : element_type(logits.scalar_type()),
      current_stream(logits.device()));
  return picked;
}

}  // namespace vidi
