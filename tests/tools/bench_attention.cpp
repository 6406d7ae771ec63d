// Times the attention of questions over a window's keys at the sizes of the published models. Each
// time stands beside what a plain copy and a plain matrix product reach in the same run.
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_launch.h"
#include "kernels/cuda/dispatch.h"
#include "tests/support/aten.h"
#include "tests/tools/device_time.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

constexpr const char* kUsage =
    "bench-attention [--precision fp16|bf16]\n"
    "Needs a GPU that the engine's own kernels run on.\n";
constexpr int64_t kPictures = 306 * 196, kSound = 3060;  // tokens of 306 s
constexpr int64_t kSlots = 95;                           // of a question's own text: 31 + 64
constexpr int kRounds[] = {1, 2, 3, 4};

struct Model {
  const char* name;
  int64_t heads, kv_heads, dim;
  double softcap;
};
constexpr Model kModels[] = {{"Vidi1.5-9B", 16, 8, 256, 50}, {"Vidi-7B", 32, 8, 128, 0}};

const char* form_of(bool packed) { return packed ? "int8" : "native"; }

struct Count {
  int64_t questions, queries;
};

class Bench {
 public:
  explicit Bench(at::ScalarType dtype) : dtype_(dtype) {}
  void run() {
    plain_speeds();
    for (const Model& m : kModels) {
      for (const bool packed : {false, true}) {
        shared_keys(m, packed);
        whole_layers(m, packed);
      }
    }
  }

 private:
  at::Tensor random(at::IntArrayRef sizes) const {
    return at::randn(sizes, at::TensorOptions(dtype_).device(at::kCUDA));
  }
  SharedKeys random_keys(const Model& m, int64_t n, bool packed) const {
    return {random_matrix(m, n, packed, true), random_matrix(m, n, packed, false)};
  }
  KeyMatrix random_matrix(const Model& m, int64_t n, bool packed, bool are_keys) const {
    const at::Tensor rows = random({n, m.kv_heads * m.dim});
    if (!packed) return rows;
    const Rotation rotation = are_keys ? Rotation(m.dim, rows.options()) : Rotation();
    const KeyMatrix matrix = KeyMatrix::packed(n, m.kv_heads, m.dim, rows.options(), rotation);
    matrix.put(0, rows);
    return matrix;
  }
  OwnKeys random_own(const Model& m, Count c) const;
  void plain_speeds();
  void shared_keys(const Model& m, bool packed);
  void whole_layers(const Model& m, bool packed);
  void launch_once(AttentionTask& task, const AttentionPlan& plan,
                   const at::Tensor& workspace) const;
  void print_rates(double seconds, double gigabytes, double tflop) const;

  at::ScalarType dtype_;
  double copy_gbs_ = 0, product_tflops_ = 0;
};

void Bench::plain_speeds() {
  copy_gbs_ = plain_copy_gbs();
  at::Tensor x = random({8192, 3584}), w = random({14336, 3584});
  product_tflops_ = 2.0 * 8192 * 3584 * 14336 / 1e12 / device_time([&] { at::linear(x, w); });
  std::printf("%s: plain copy %.0f GB/s, plain product %.0f TFLOP/s\n", at::toString(dtype_),
              copy_gbs_, product_tflops_);
}

void Bench::print_rates(double seconds, double gigabytes, double tflop) const {
  const double gbs = gigabytes / seconds, tflops = tflop / seconds;
  std::printf(" %9.2f TB/s %5.1f %% %9.1f TFLOP/s %5.1f %%\n", gbs / 1e3, 100 * gbs / copy_gbs_,
              tflops, 100 * tflops / product_tflops_);
}

OwnKeys Bench::random_own(const Model& m, Count c) const {
  OwnKeys own;
  own.key = random({c.questions, m.kv_heads, kSlots, m.dim});
  own.value = random({c.questions, m.kv_heads, kSlots, m.dim});
  own.q = random({c.questions, c.queries, m.heads, m.dim});
  own.positions = at::arange(c.queries).add(31).expand({c.questions, c.queries}).contiguous();
  own.positions = own.positions.to(at::kCUDA);
  own.n_slots = 31 + c.queries;
  return own;
}

void Bench::launch_once(AttentionTask& task, const AttentionPlan& plan,
                        const at::Tensor& workspace) const {
  launch_attention(task, plan, element_type(dtype_), workspace.data_ptr(),
                   current_stream(at::Device(at::kCUDA, 0)));
}

// One set of keys, all of which every query sees; a column of times for each number of rounds.
void Bench::shared_keys(const Model& m, bool packed) {
  const int64_t n_keys = kPictures + kSound;
  const SharedKeys keys = random_keys(m, n_keys, packed);
  std::printf("\n%s, %lld shared %s keys: ms at 1, 2, 3, 4 rounds of units; rates of the best\n",
              m.name, static_cast<long long>(n_keys), form_of(packed));
  for (int64_t rows : {1, 2, 4, 8, 10, 16, 32, 50, 100, 200, 310, 500, 1000}) {
    at::Tensor q = random({rows, 1, m.heads, m.dim}), out = at::empty_like(q);
    AttentionTask task = attention_task(q, {}, {keys}, {1 / std::sqrt(double(m.dim)), m.softcap});
    task.out = out.data_ptr();
    double best = 1e9;
    for (int rounds : kRounds) {
      const AttentionPlan plan = plan_attention(task, device_limits(0), rounds);
      if (rounds == 1)
        std::printf("%5lld rows, tile %3d:", static_cast<long long>(rows), plan.row_tile);
      at::Tensor workspace =
          at::empty({static_cast<int64_t>(plan.workspace_bytes())}, q.options().dtype(at::kByte));
      const double seconds = device_time([&] { launch_once(task, plan, workspace); });
      std::printf(" %7.4f", seconds * 1e3);
      best = std::min(best, seconds);
    }
    print_rates(best, (keys.key.n_bytes() + keys.value.n_bytes()) / 1e9,
                4.0 * rows * m.heads * m.dim * n_keys / 1e12);
  }
}

// As a layer calls it: own text, pictures and sound in one go, beside the plain version.
void Bench::whole_layers(const Model& m, bool packed) {
  const std::vector<SharedKeys> shared = {random_keys(m, kPictures, packed),
                                          random_keys(m, kSound, packed)};
  double bytes = 0;
  for (const SharedKeys& keys : shared) bytes += keys.key.n_bytes() + keys.value.n_bytes();
  std::printf(
      "\n%s, a layer of 306 s (own text, %lld + %lld shared %s keys): ms, plain ms, rates\n",
      m.name, static_cast<long long>(kPictures), static_cast<long long>(kSound), form_of(packed));
  for (Count c : {Count{1, 1}, {1, 8}, {10, 1}, {10, 4}, {32, 1}, {1, 31}, {10, 31}}) {
    const OwnKeys own = random_own(m, c);
    at::Tensor q = random({c.questions, c.queries, m.heads, m.dim});
    const AttentionScale scale{1 / std::sqrt(double(m.dim)), m.softcap};
    const double ours = device_time([&] { summed_attention(q, own, shared, scale); });
    const double plain = device_time([&] { summed_attention_plain(q, own, shared, scale); }, 2);
    std::printf("%3lld questions of %2lld rows: %8.4f %8.3f", static_cast<long long>(c.questions),
                static_cast<long long>(c.queries), ours * 1e3, plain * 1e3);
    const double rows = c.questions * c.queries;
    print_rates(ours, bytes / 1e9, 4.0 * rows * m.heads * m.dim * (kPictures + kSound) / 1e12);
  }
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  vidi::ToolOptions options = {{"--precision", "fp16"}};
  vidi::read_options(argc, argv, vidi::kUsage, options);
  const std::string& precision = options["--precision"];
  if (precision != "fp16" && precision != "bf16")
    vidi::refuse_options(vidi::kUsage, "expected --precision fp16 or bf16");
  try {
    c10::InferenceMode inference;
    if (!at::hasCUDA() || vidi::device_limits(0).multiprocessors == 0) {
      std::puts("bench-attention: no GPU that our kernels run on, nothing to time");
      return 0;
    }
    vidi::Bench(precision == "fp16" ? at::kHalf : at::kBFloat16).run();
    return 0;
  } catch (const c10::Error& e) {
    std::fprintf(stderr, "bench-attention: %s\n", e.what_without_backtrace());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-attention: %s\n", e.what());
  }
  return 1;
}
