// Times products with weights of 8 bits, of the large model's shapes, beside a plain copy and the
// product with weights of 16 bits in the same run; and on the CPU (`cpu`) four layers' products
// beside float32.
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstdio>

#include "kernels/cuda/device_limits.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/weight_matrix.h"
#include "model/decoder/cuda_graph.h"
#include "tests/support/aten.h"
#include "tests/tools/device_time.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

struct Shape {
  const char* name;
  int64_t n_out, n_in;
};
constexpr Shape kShapes[] = {{"q, k, v", 8192, 3584},
                             {"o", 3584, 4096},
                             {"gate, up", 28672, 3584},
                             {"down", 3584, 14336},
                             {"head", 256000, 3584}};

WeightMatrix packed_random(const Shape& shape, at::Device device, at::ScalarType dtype) {
  WeightMatrix m = WeightMatrix::packed(shape.n_out, shape.n_in, device, dtype);
  for (int64_t at = 0; at < shape.n_out; at += 4096) {
    const int64_t n = std::min<int64_t>(4096, shape.n_out - at);
    m.pack_rows(at, at::randn({n, shape.n_in}, m.options()));
  }
  return m;
}

// More copies of the matrix than the cache holds, in turn, recorded once: what the device takes.
template <class Make>
double time_in_turn(double bytes, const Make& make, const at::Tensor& x) {
  std::vector<WeightMatrix> all;
  const int n = std::max(1, static_cast<int>(400e6 / bytes) + 1);
  for (int i = 0; i < n; ++i) all.push_back(make());
  constexpr int kCalls = 40;
  CudaGraph graph{at::Device(at::kCUDA, 0)};
  const auto calls = [&] {
    for (int i = 0; i < kCalls; ++i) apply_linear(x, all[static_cast<size_t>(i) % all.size()]);
  };
  return device_time([&] { graph.run(calls, false); }, 5) / kCalls;
}

void bench_device() {
  const double copy_gbs = plain_copy_gbs();
  std::printf("plain copy: %.0f GB/s\n", copy_gbs);
  const at::Device device(at::kCUDA, 0);
  const auto half = at::TensorOptions(at::kHalf).device(device);
  for (const Shape& s : kShapes) {
    const double bytes = static_cast<double>(WeightMatrix::packed_bytes(s.n_out, s.n_in));
    for (int64_t rows : {1, 8, 16, 32, 64, 128}) {
      const at::Tensor x = at::randn({rows, s.n_in}, half);
      const double own = time_in_turn(
          bytes, [&] { return packed_random(s, device, at::kHalf); }, x);
      const double native = time_in_turn(
          2.0 * s.n_out * s.n_in,
          [&] {
            return WeightMatrix(at::randn({s.n_out, s.n_in}, half));
          },
          x);
      std::printf("%-9s %4lld rows: %8.2f us, %5.1f %% of the copy rate; 16 bits %8.2f us\n",
                  s.name, static_cast<long long>(rows), own * 1e6, bytes / 1e7 / own / copy_gbs,
                  native * 1e6);
    }
    const WeightMatrix m = packed_random(s, device, at::kHalf);
    std::printf("%-9s expanded: %8.2f us\n", s.name, device_time([&] { m.expanded(); }) * 1e6);
  }
}

double seconds_of(const std::function<void()>& call) {
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// The products of one token in four layers.
void bench_host() {
  for (const bool pack : {false, true}) {
    std::vector<WeightMatrix> layers;
    for (int i = 0; i < 4; ++i) {
      for (const Shape& s : kShapes) {
        if (std::strcmp(s.name, "head") == 0) continue;
        layers.push_back(pack ? packed_random(s, at::kCPU, at::kFloat)
                              : WeightMatrix(at::randn({s.n_out, s.n_in})));
      }
    }
    for (int64_t rows : {1, 8}) {
      const double s = seconds_of([&] {
        for (const WeightMatrix& m : layers) apply_linear(at::ones({rows, m.n_in()}), m);
      });
      std::printf("%s, %lld rows: %.1f ms\n", pack ? "8 bits" : "float32",
                  static_cast<long long>(rows), s * 1e3);
    }
  }
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  constexpr char kUsage[] = "bench-packed [on the GPU, or cpu]\n";
  vidi::ToolOptions none;
  const auto words = vidi::read_options(argc, argv, kUsage, none, 1);
  if (!words.empty() && words[0] != "cpu") vidi::refuse_options(kUsage, "expected cpu or nothing");
  c10::InferenceMode guard;
  if (!words.empty())
    vidi::bench_host();
  else if (at::hasCUDA() && vidi::device_limits(0).multiprocessors > 0)
    vidi::bench_device();
  else
    std::puts("bench-packed: no GPU that our kernels run on; bench-packed cpu times a processor");
  return 0;
}
