// Rows of a pass that ask about several windows: each sees its own text and its window's keys, as
// if it was alone with them. On a GPU, where there is one, against the specification in float32.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/attention/windows_attention.h"
#include "kernels/cuda/dispatch.h"
#include "model/device/device.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

struct Window {
  int64_t rows, pictures, sound;
};

struct Pass {
  at::Tensor q;
  OwnKeys own;
  std::vector<WindowKeys> windows;
};

class WindowsAttention : public testing::Test {
 protected:
  void SetUp() override {
    forbid_tf32();
    at::manual_seed(5);
  }
  static at::Tensor random(at::IntArrayRef sizes, const at::TensorOptions& options) {
    return at::randn(sizes).to(options);
  }
  static KeyMatrix matrix(const at::Tensor& rows, int64_t heads, bool is_packed, bool are_keys) {
    if (!is_packed) return rows;
    const int64_t dim = rows.size(1) / heads;
    const Rotation rotation = are_keys ? Rotation(dim, rows.options()) : Rotation();
    const KeyMatrix m = KeyMatrix::packed(rows.size(0), heads, dim, rows.options(), rotation);
    m.put(0, rows);
    return m;
  }
  // Of `queries` tokens a row, 4 heads on 2.
  static Pass make(const std::vector<Window>& windows, int64_t queries, int64_t dim, bool is_packed,
                   const at::TensorOptions& options) {
    constexpr int64_t kHeads = 4, kKvHeads = 2, kSlots = 40;
    int64_t rows = 0;
    Pass pass;
    for (const Window& window : windows) {
      rows += window.rows;
      WindowKeys& keys = pass.windows.emplace_back();
      keys.n_rows = window.rows;
      for (const int64_t n : {window.pictures, window.sound}) {
        if (n == 0) continue;
        keys.shared.push_back(
            {matrix(random({n, kKvHeads * dim}, options), kKvHeads, is_packed, true),
             matrix(random({n, kKvHeads * dim}, options), kKvHeads, is_packed, false)});
      }
    }
    pass.q = random({rows, queries, kHeads, dim}, options) * 2;
    OwnKeys& own = pass.own;
    own.q = random({rows, queries, kHeads, dim}, options);
    own.key = random({rows, kKvHeads, kSlots, dim}, options);
    own.value = random({rows, kKvHeads, kSlots, dim}, options);
    own.positions = (at::arange(rows, at::kLong) * 7 % (kSlots - queries)).unsqueeze(1) +
                    at::arange(queries, at::kLong).unsqueeze(0);
    own.positions = own.positions.to(options.device()).contiguous();
    own.n_slots = kSlots;
    return pass;
  }
  static AttentionScale scale(int64_t dim) { return {1 / std::sqrt(double(dim)), 50}; }
  static double distance(const at::Tensor& a, const at::Tensor& b) {
    return ((a.to(at::kFloat) - b.to(at::kFloat)).norm() / b.to(at::kFloat).norm()).item<double>();
  }
};

std::vector<Window> many(int n) {
  std::vector<Window> windows;
  for (int i = 0; i < n; ++i) windows.push_back({1 + i % 3, 100 + 37 * i, i % 2 == 0 ? 30 : 0});
  return windows;
}

const std::vector<std::vector<Window>> kPasses = {
    {{1, 500, 40}},
    {{1, 2001, 130}, {1, 700, 0}},
    {{1, 60, 5}, {12, 3000, 77}, {3, 1, 0}, {40, 900, 400}},  // three tiles of rows
    many(8),
    many(70),  // more than one launch takes
};

// On the CPU it is summed_attention() of each window's rows.
TEST_F(WindowsAttention, EachRowSeesItsWindow) {
  for (const auto& windows : kPasses) {
    const Pass pass = make(windows, 2, 32, false, at::kFloat);
    const at::Tensor out = windows_attention(pass.q, pass.own, pass.windows, scale(32));
    int64_t row = 0;
    for (const WindowKeys& window : pass.windows) {
      for (int64_t i = 0; i < window.n_rows; ++i, ++row) {
        OwnKeys own = pass.own;
        for (at::Tensor* t : {&own.key, &own.value, &own.q, &own.positions})
          *t = t->narrow(0, row, 1);
        const at::Tensor alone =
            summed_attention(pass.q.narrow(0, row, 1), own, window.shared, scale(32));
        EXPECT_LT(distance(out[row], alone[0]), 1e-5);
      }
    }
  }
}

// The kernels give what each window's own call gives, for windows of every length, with keys in 8
// bits as well.
TEST_F(WindowsAttention, KernelsAreTheSpecification) {
  if (!at::hasCUDA() || device_limits(0).multiprocessors == 0)
    GTEST_SKIP() << "no GPU that our kernels run on";
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const at::TensorOptions options = at::TensorOptions(dtype).device(at::kCUDA);
    for (const auto& windows : kPasses) {
      for (const int64_t dim : {128, 256}) {
        for (const bool is_packed : {false, true}) {
          const Pass pass = make(windows, 2, dim, is_packed, options);
          const at::Tensor out = windows_attention(pass.q, pass.own, pass.windows, scale(dim));
          const at::Tensor each =
              windows_attention_plain(pass.q, pass.own, pass.windows, scale(dim));
          EXPECT_LT(distance(out, each), dtype == at::kHalf ? 1e-3 : 8e-3)
              << windows.size() << " windows, " << dim << (is_packed ? ", packed" : "");
        }
      }
    }
  }
}

}  // namespace
}  // namespace vidi
