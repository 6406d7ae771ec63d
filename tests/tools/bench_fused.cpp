// Times the kernels between the matrix products of a layer, beside their ATen versions and a plain
// copy of the same run.
#include <c10/core/InferenceMode.h>

#include <cstdio>

#include "kernels/attention/self_attention.h"
#include "kernels/cuda/device_limits.h"
#include "kernels/layers/argmax.h"
#include "kernels/layers/argmax_launch.h"
#include "kernels/layers/gated_mlp.h"
#include "kernels/layers/gated_mlp_launch.h"
#include "kernels/layers/layer_norm.h"
#include "kernels/layers/layer_norm_launch.h"
#include "kernels/layers/norm.h"
#include "kernels/layers/norm_launch.h"
#include "kernels/layers/rope.h"
#include "kernels/layers/rope_launch.h"
#include "tests/support/aten.h"
#include "tests/tools/device_time.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

double copy_gbs = 0;

template <typename Ours, typename Plain>
void compare(const char* name, int64_t rows, double bytes, Ours ours, Plain plain) {
  const double seconds = device_time(ours), plain_seconds = device_time(plain);
  const double gbs = bytes / 1e9 / seconds;
  std::printf("%-34s %5lld rows: %8.2f us %8.1f GB/s %5.1f %%   ATen %8.2f us\n", name,
              static_cast<long long>(rows), seconds * 1e6, gbs, 100 * gbs / copy_gbs,
              plain_seconds * 1e6);
}

void bench_tower_rows(int64_t rows) {
  const auto options = at::TensorOptions(at::kHalf).device(at::kCUDA);
  const int64_t width = 1152;
  at::Tensor x = at::randn({rows, width}, options), y = at::randn({rows, width}, options);
  at::Tensor weight = at::randn({width}, options), bias = at::randn({width}, options);
  compare(
      "add_and_layer_norm 1152", rows, 8.0 * rows * width,
      [&] { add_and_layer_norm(x, y, weight, bias, 1e-6); },
      [&] { add_and_layer_norm_plain(x, y, weight, bias, 1e-6); });
}

// A layer of the vision tower, `pictures` at a time.
void bench_tower_attention(int64_t pictures) {
  const auto options = at::TensorOptions(at::kHalf).device(at::kCUDA);
  const int64_t places = 729, heads = 16, dim = 72;
  at::Tensor all = at::randn({pictures, places, 3, heads, dim}, options).permute({2, 0, 3, 1, 4});
  compare(
      "tower attention 729 x 16 x 72", pictures * places, 2.0 * 4 / 3 * all.numel(),
      [&] { self_attention(all[0], all[1], all[2]); },
      [&] { self_attention_plain(all[0], all[1], all[2]); });
}

void bench_rows(int64_t rows) {
  const auto options = at::TensorOptions(at::kHalf).device(at::kCUDA);
  const int64_t hidden = 3584, mlp = 14336, heads = 16, kv_heads = 8, dim = 256;
  at::Tensor x = at::randn({rows, hidden}, options), y = at::randn({rows, hidden}, options);
  at::Tensor after = at::randn({hidden}, options), before = at::randn({hidden}, options);
  const double row_bytes = 2.0 * rows * hidden;
  compare(
      "rms_norm 3584", rows, 2 * row_bytes, [&] { rms_norm(x, before, 1e-6, true); },
      [&] { rms_norm_plain(x, before, 1e-6, true); });
  compare(
      "add_and_norm 3584, both norms", rows, 4 * row_bytes,
      [&] { add_and_norm(x, y, after, before, 1e-6, true); },
      [&] { add_and_norm_plain(x, y, after, before, 1e-6, true); });
  bench_tower_rows(rows);
  at::Tensor both = at::randn({rows, 2 * mlp}, options);
  compare(
      "gated activation 14336", rows, 6.0 * rows * mlp,
      [&] { gated_activation(both, Activation::kGeluTanh); },
      [&] { gated_activation_plain(both, Activation::kGeluTanh); });
  const TextProjections text{at::randn({rows, 1, heads, dim}, options),
                             at::randn({rows, 1, kv_heads, dim}, options),
                             at::randn({rows, 1, kv_heads, dim}, options)};
  const RopeTable table = RopeTable::make(95, dim, 10000, at::kCUDA, at::kHalf);
  at::Tensor positions = at::full({rows, 1}, 40, options.dtype(at::kLong));
  at::Tensor key = at::zeros({rows, kv_heads, 95, dim}, options), value = at::zeros_like(key);
  compare(
      "rope and slots 16 + 8 x 256", rows, 4.0 * rows * (heads + 2 * kv_heads) * dim,
      [&] { rope_and_append(text, positions, table, key, value); },
      [&] { rope_and_append_plain(text, positions, table, key, value); });
  if (rows > 32) return;  // rows of a step
  at::Tensor logits = at::randn({rows, 256000}, options);
  compare(
      "pick among 256000", rows, 2.0 * logits.numel(), [&] { pick_tokens(logits); },
      [&] { pick_tokens_plain(logits); });
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  using namespace vidi;
  ToolOptions none;
  read_options(argc, argv, "bench-fused\n", none);
  c10::InferenceMode inference;
  if (!at::hasCUDA() || device_limits(0).multiprocessors == 0) {
    std::puts("bench-fused: no GPU that our kernels run on, nothing to time");
    return 0;
  }
  try {
    copy_gbs = plain_copy_gbs();
    std::printf("plain copy %.0f GB/s; a launch alone takes some 2 us\n", copy_gbs);
    for (int64_t rows : {1, 10, 310, 8192}) bench_rows(rows);
    for (int64_t pictures : {1, 16, 32}) bench_tower_attention(pictures);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-fused: %s\n", e.what());
    return 1;
  }
}
