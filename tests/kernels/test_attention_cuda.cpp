// The attention kernels against their specification in float32, on a GPU; skipped without one.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_launch.h"
#include "kernels/cuda/dispatch.h"
#include "model/device/device.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

constexpr int64_t kGuard = 256;  // bytes after each buffer

struct Sizes {
  int64_t questions, queries, heads, kv_heads, dim;
  int64_t pictures, sound;  // shared keys
  int64_t slots;            // of each question's own text, 0 = none
  int64_t window = 0;
};

std::string name_of(const testing::TestParamInfo<Sizes>& info) {
  const Sizes& s = info.param;
  auto part = [](const char* what, int64_t n) { return what + std::to_string(n); };
  return part("B", s.questions) + part("T", s.queries) + part("H", s.heads) +
         part("K", s.kv_heads) + part("D", s.dim) + part("P", s.pictures) + part("S", s.sound) +
         part("O", s.slots) + part("W", s.window);
}

struct Inputs {
  at::Tensor q;
  OwnKeys own;
  std::vector<SharedKeys> shared;

  Inputs to(at::ScalarType dtype) const {
    Inputs x = *this;
    x.q = q.to(dtype);
    if (own.key.defined()) {
      x.own.q = own.q.to(dtype), x.own.key = own.key.to(dtype), x.own.value = own.value.to(dtype);
    }
    for (SharedKeys& keys : x.shared)
      keys = {keys.key.native().to(dtype), keys.value.native().to(dtype)};
    return x;
  }
};

class AttentionKernel : public testing::TestWithParam<Sizes> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || device_limits(0).multiprocessors == 0)
      GTEST_SKIP() << "no GPU that our kernels run on";
    forbid_tf32();
    at::manual_seed(11);
  }

  at::Tensor random(at::IntArrayRef sizes, at::ScalarType dtype) {
    return at::randn(sizes, at::TensorOptions(at::kFloat).device(at::kCUDA)).to(dtype);
  }

  // Every question stands somewhere else in its own text; slots behind it hold large numbers.
  OwnKeys make_own(const Sizes& s, at::ScalarType dtype) {
    OwnKeys own;
    own.q = random({s.questions, s.queries, s.heads, s.dim}, dtype) * 3;
    own.key = random({s.questions, s.kv_heads, s.slots, s.dim}, dtype);
    own.value = random({s.questions, s.kv_heads, s.slots, s.dim}, dtype);
    own.positions = at::empty({s.questions, s.queries}, at::kLong);
    for (int64_t b = 0; b < s.questions; ++b) {
      const int64_t room = s.slots - s.queries, first = room * (b * 5 % 7) / 6;
      own.positions[b].copy_(at::arange(first, first + s.queries));
      if (first + s.queries < s.slots) {
        for (at::Tensor* t : {&own.key, &own.value})
          t->select(0, b).slice(1, first + s.queries).fill_(1000);
      }
    }
    own.positions = own.positions.to(at::kCUDA);
    own.n_slots = s.slots, own.window_keys = s.window;
    return own;
  }

  Inputs make(const Sizes& s, at::ScalarType dtype) {
    Inputs x;
    // A part of one product with the keys and values, as the decoder has it.
    x.q = random({s.questions, s.queries, s.heads + 2 * s.kv_heads, s.dim}, dtype) * 3;
    x.q = x.q.narrow(2, 0, s.heads);
    if (s.slots > 0) x.own = make_own(s, dtype);
    for (int64_t n : {s.pictures, s.sound}) {
      if (n == 0) continue;
      x.shared.push_back(
          {random({n, s.kv_heads * s.dim}, dtype), random({n, s.kv_heads * s.dim}, dtype)});
    }
    return x;
  }
};

// Relative error over all elements, and the largest of one element.
void expect_close(const at::Tensor& actual, const at::Tensor& expected, at::ScalarType dtype) {
  const at::Tensor difference = actual.to(at::kFloat) - expected;
  const double relative = (difference.norm() / expected.norm()).item<double>();
  const double largest = difference.abs().max().item<double>();
  EXPECT_LT(relative, dtype == at::kHalf ? 1e-3 : 8e-3);
  EXPECT_LT(largest, dtype == at::kHalf ? 1e-2 : 8e-2);
}

// Both kernels give what attention() gives in float32, one set after the other, for any sizes.
TEST_P(AttentionKernel, IsTheSpecification) {
  const Sizes s = GetParam();
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    ASSERT_TRUE(attention_kernel_runs(at::Device(at::kCUDA, 0), dtype, s.dim));
    const Inputs x = make(s, dtype);
    const Inputs wide = x.to(at::kFloat);
    for (double cap : {0.0, 5.0, 50.0}) {
      SCOPED_TRACE(std::string(at::toString(dtype)) + ", soft cap " + std::to_string(cap));
      const AttentionScale scale{1 / std::sqrt(double(s.dim)), cap};
      expect_close(summed_attention(x.q, x.own, x.shared, scale),
                   summed_attention_plain(wide.q, wide.own, wide.shared, scale), dtype);
    }
  }
}

// Each set by itself, with the logarithm of its exponentials' sum, is what the specification gives.
TEST_P(AttentionKernel, PartsAreTheSpecification) {
  const Sizes s = GetParam();
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const Inputs x = make(s, dtype);
    const Inputs wide = x.to(at::kFloat);
    for (double cap : {0.0, 50.0}) {
      const AttentionScale scale{1 / std::sqrt(double(s.dim)), cap};
      const auto found = attention_parts(x.q, x.shared, scale);
      const auto expected = attention_parts_plain(wide.q, wide.shared, scale);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        expect_close(found[i].out, expected[i].out, dtype);
        EXPECT_TRUE(at::allclose(found[i].log_sum, expected[i].log_sum, 1e-3, 1e-2));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Gemma, AttentionKernel,
    testing::Values(
        Sizes{1, 1, 16, 8, 256, 59976, 3060, 95}, Sizes{1, 1, 16, 8, 256, 1, 0, 0},
        Sizes{1, 1, 16, 8, 256, 0, 0, 1}, Sizes{1, 1, 16, 8, 256, 70000, 1, 1},
        Sizes{7, 1, 16, 8, 256, 12345, 67, 33, 9}, Sizes{8, 1, 16, 8, 256, 63, 64, 65},
        Sizes{10, 1, 16, 8, 256, 59976, 3060, 120}, Sizes{3, 5, 16, 8, 256, 4097, 0, 33},
        Sizes{5, 6, 16, 8, 256, 1000, 129, 600, 100}, Sizes{9, 7, 16, 8, 256, 777, 0, 65, 3},
        Sizes{2, 31, 16, 8, 256, 20011, 130, 64}, Sizes{10, 31, 16, 8, 256, 5003, 300, 64},
        Sizes{1, 333, 16, 8, 256, 2049, 5, 1234, 200}, Sizes{1, 1000, 16, 8, 256, 63036, 0, 1000}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Mistral, AttentionKernel,
    testing::Values(Sizes{1, 1, 32, 8, 128, 59976, 3060, 95}, Sizes{1, 1, 32, 8, 128, 1, 1, 1},
                    Sizes{4, 1, 32, 8, 128, 129, 0, 17}, Sizes{8, 1, 32, 8, 128, 12345, 67, 90},
                    Sizes{13, 1, 32, 8, 128, 70000, 0, 31}, Sizes{4, 9, 32, 8, 128, 999, 65, 1300},
                    Sizes{3, 60, 32, 8, 128, 20011, 77, 100},
                    Sizes{1, 1000, 32, 8, 128, 4099, 1, 1000}),
    name_of);
INSTANTIATE_TEST_SUITE_P(OtherGroups, AttentionKernel,
                         testing::Values(Sizes{2, 3, 5, 1, 128, 301, 0, 20},
                                         Sizes{3, 4, 6, 6, 256, 301, 5, 20},
                                         Sizes{1, 2, 9, 3, 256, 0, 45, 0}),
                         name_of);

class AttentionBuffers : public AttentionKernel {};

// A byte buffer with `guard` behind it.
struct Guarded {
  explicit Guarded(int64_t n_bytes) : size(n_bytes) {
    bytes = at::full({n_bytes + kGuard}, 0xff, at::TensorOptions(at::kByte).device(at::kCUDA));
  }
  bool is_intact() const {
    return (bytes.slice(0, size, size + kGuard) == 0xff).all().item<bool>();
  }
  int64_t size;
  at::Tensor bytes;
};

// `x` with its shared keys and values in 8 bits, and the numbers that these stand for in float32.
struct Packed {
  Inputs packed, wide;
};

KeyMatrix packed_matrix(const at::Tensor& rows, int64_t heads, bool turns) {
  const int64_t dim = rows.size(1) / heads;
  const KeyMatrix m = KeyMatrix::packed(rows.size(0), heads, dim, rows.options(),
                                        turns ? Rotation(dim, rows.options()) : Rotation());
  m.put(0, rows);
  return m;
}

// Not turned, for queries that are not: in float32, so that nothing is rounded once more.
at::Tensor restored_in_float(const KeyMatrix& m) {
  const at::Tensor scales = m.scales().narrow(1, 0, m.bytes().size(1)).unsqueeze(-1);
  at::Tensor heads = m.bytes().to(at::kFloat).mul_(scales.to(at::kFloat));
  if (m.rotation().defined()) heads = Rotation(heads.size(2), heads.options()).restored_keys(heads);
  return heads.transpose(0, 1).flatten(1);
}

Packed pack_shared(const Inputs& x, int64_t heads) {
  Packed both{x, x.to(at::kFloat)};
  for (size_t i = 0; i < x.shared.size(); ++i) {
    SharedKeys& keys = both.packed.shared[i];
    keys = {packed_matrix(keys.key.native(), heads, true),
            packed_matrix(keys.value.native(), heads, false)};
    both.wide.shared[i] = {restored_in_float(keys.key), restored_in_float(keys.value)};
  }
  return both;
}

class PackedAttentionKernel : public AttentionKernel {};

// With keys and values in 8 bits the kernels give what attention() gives in float32 with the
// numbers that these stand for, for any sizes.
TEST_P(PackedAttentionKernel, IsTheSpecification) {
  const Sizes s = GetParam();
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const Packed x = pack_shared(make(s, dtype), s.kv_heads);
    for (double cap : {0.0, 50.0}) {
      SCOPED_TRACE(std::string(at::toString(dtype)) + ", soft cap " + std::to_string(cap));
      const AttentionScale scale{1 / std::sqrt(double(s.dim)), cap};
      expect_close(summed_attention(x.packed.q, x.packed.own, x.packed.shared, scale),
                   summed_attention_plain(x.wide.q, x.wide.own, x.wide.shared, scale), dtype);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PackedAttentionKernel,
    testing::Values(Sizes{1, 1, 16, 8, 256, 59976, 3060, 95}, Sizes{1, 1, 16, 8, 256, 1, 0, 0},
                    Sizes{7, 1, 16, 8, 256, 12345, 67, 33, 9},
                    Sizes{10, 1, 16, 8, 256, 59976, 3060, 120},
                    Sizes{3, 5, 16, 8, 256, 4097, 0, 33}, Sizes{2, 31, 16, 8, 256, 20011, 130, 64},
                    Sizes{10, 31, 16, 8, 256, 5003, 300, 64},
                    Sizes{1, 1000, 16, 8, 256, 6303, 0, 1000},
                    Sizes{1, 1, 32, 8, 128, 59976, 3060, 95},
                    Sizes{8, 1, 32, 8, 128, 12345, 67, 90}, Sizes{4, 9, 32, 8, 128, 999, 65, 1300},
                    Sizes{3, 60, 32, 8, 128, 20011, 77, 100}, Sizes{3, 4, 6, 6, 256, 301, 5, 20},
                    Sizes{2, 3, 4, 2, 128, 63, 0, 20}, Sizes{1, 2, 9, 3, 256, 0, 45, 0}),
    name_of);

// What the device packs is what the host packs, but for numbers between two steps.
TEST_F(PackedAttentionKernel, PacksAsTheHost) {
  for (const int64_t dim : {128, 256}) {
    for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
      const at::Tensor rows = random({333, 4 * dim}, dtype);
      for (const bool turns : {false, true}) {
        const at::Tensor there = packed_matrix(rows, 4, turns).bytes().cpu().to(at::kInt);
        const at::Tensor here = packed_matrix(rows.cpu(), 4, turns).bytes().to(at::kInt);
        EXPECT_LE((there - here).abs().max().item<int>(), dtype == at::kHalf ? 1 : 2);
        EXPECT_LT((there != here).to(at::kFloat).mean().item<float>(), 0.4);
      }
    }
  }
}

// Heads of zeros and of numbers that are none give what the host makes of them.
TEST_F(PackedAttentionKernel, BearsZerosAndBrokenNumbers) {
  at::Tensor rows = random({5, 2 * 256}, at::kHalf);
  rows[1].zero_();
  rows[2][7] = std::numeric_limits<float>::quiet_NaN();
  rows[3][300] = std::numeric_limits<float>::infinity();
  const at::Tensor back = packed_matrix(rows, 2, true).restored();
  EXPECT_EQ(back[1].abs().max().item<float>(), 0);
  EXPECT_TRUE(back[2].slice(0, 0, 256).isnan().all().item<bool>());
  EXPECT_TRUE(back[2].slice(0, 256).isfinite().all().item<bool>());
  EXPECT_FALSE(back[3].slice(0, 256).isfinite().any().item<bool>());
}

// Weights of a softmax that all of 60,000 keys share are not lost beside a small scale of values.
TEST_F(PackedAttentionKernel, KeepsSmallWeights) {
  constexpr int64_t kKeys = 60000, kDim = 256;
  const Sizes s{1, 1, 2, 2, kDim, kKeys, 0, 0};
  Inputs x = make(s, at::kHalf);
  at::Tensor key = at::zeros_like(x.shared[0].key.native());
  key[17].fill_(0.75);  // a score of exp(11) against 60,000 times exp(0)
  x.q = at::full_like(x.q, 0.92);
  x.shared[0] = {key, x.shared[0].value.native().mul(0.05).add(0.02)};
  const Packed both = pack_shared(x, 2);
  const AttentionScale scale{1 / 16.0, 0};
  expect_close(summed_attention(both.packed.q, {}, both.packed.shared, scale),
               summed_attention_plain(both.wide.q, {}, both.wide.shared, scale), at::kHalf);
}

// Nothing is written behind the output or the workspace, nothing is read that was not written (the
// workspace starts as NaN), and another round number gives the same result.
TEST_P(AttentionBuffers, AreKeptTo) {
  const Sizes s = GetParam();
  const Inputs x = make(s, at::kHalf);
  const AttentionScale scale{1 / std::sqrt(double(s.dim)), 50};
  const at::Tensor expected = summed_attention(x.q, x.own, x.shared, scale).to(at::kFloat);
  for (int rounds : {1, 2, 5}) {
    AttentionTask task = attention_task(x.q, x.own, x.shared, scale);
    const AttentionPlan plan = plan_attention(task, device_limits(0), rounds);
    Guarded out(x.q.nbytes()), workspace(plan.workspace_bytes());
    task.out = out.bytes.data_ptr();
    launch_attention(task, plan, ElementType::kHalf, workspace.bytes.data_ptr(),
                     current_stream(x.q.device()));
    EXPECT_TRUE(out.is_intact());
    EXPECT_TRUE(workspace.is_intact());
    expect_close(out.bytes.slice(0, 0, out.size).view(at::kHalf).view_as(expected), expected,
                 at::kHalf);
  }
}

// The plan does not depend on where the questions stand: the launch that was made for one position
// is right for another, as a recorded graph needs it.
TEST_P(AttentionBuffers, PositionsAreReadOnTheDevice) {
  const Sizes s = GetParam();
  Inputs x = make(s, at::kHalf);
  const AttentionScale scale{1 / std::sqrt(double(s.dim)), 50};
  AttentionTask task = attention_task(x.q, x.own, x.shared, scale);
  const AttentionPlan plan = plan_attention(task, device_limits(0));
  Guarded workspace(plan.workspace_bytes());
  at::Tensor out = at::empty_like(x.q).flatten(2);
  task.out = out.data_ptr();
  void* stream = current_stream(x.q.device());
  for (int64_t first : {int64_t{0}, (s.slots - s.queries) / 2, s.slots - s.queries}) {
    x.own.positions.copy_(at::arange(first, first + s.queries).expand({s.questions, s.queries}));
    launch_attention(task, plan, ElementType::kHalf, workspace.bytes.data_ptr(), stream);
    const Inputs wide = x.to(at::kFloat);
    at::Tensor expected = summed_attention_plain(wide.q, wide.own, wide.shared, scale);
    // Slots behind some questions hold 1000s, which a later position sees.
    EXPECT_TRUE(at::allclose(out.to(at::kFloat), expected, 2e-3, 2e-2));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AttentionBuffers,
                         testing::Values(Sizes{1, 1, 16, 8, 256, 5001, 65, 95},
                                         Sizes{10, 1, 16, 8, 256, 777, 1, 700, 100},
                                         Sizes{3, 7, 16, 8, 256, 3001, 65, 95},
                                         Sizes{3, 31, 16, 8, 256, 3001, 65, 95},
                                         Sizes{1, 1, 32, 8, 128, 5001, 65, 95},
                                         Sizes{5, 9, 32, 8, 128, 1023, 1, 600}),
                         name_of);

// Keys, values and positions of another shape, dtype or device are refused before any launch.
TEST_F(AttentionKernel, RefusesWhatDoesNotFit) {
  const Inputs x = make({2, 1, 16, 8, 256, 33, 0, 20}, at::kHalf);
  const AttentionScale scale{0.06, 50};
  auto with = [&](const SharedKeys& keys) { return std::vector<SharedKeys>{keys}; };
  EXPECT_NO_THROW(summed_attention(x.q, x.own, x.shared, scale));
  EXPECT_THROW(summed_attention(x.q, {}, {}, scale), c10::Error);
  const at::Tensor key = x.shared[0].key.native(), value = x.shared[0].value.native();
  EXPECT_THROW(summed_attention(x.q, x.own, with({key, value.slice(0, 1)}), scale), c10::Error);
  EXPECT_THROW(summed_attention(x.q, x.own, with({key.to(at::kFloat), value}), scale), c10::Error);
  EXPECT_THROW(summed_attention(x.q, x.own, with({key.cpu(), value.cpu()}), scale), c10::Error);
  EXPECT_THROW(summed_attention(x.q, x.own, with({key.slice(1, 256), value.slice(1, 256)}), scale),
               c10::Error);
  OwnKeys bad = x.own;
  bad.positions = x.own.positions.to(at::kInt);
  EXPECT_THROW(summed_attention(x.q, bad, x.shared, scale), c10::Error);
}

}  // namespace
}  // namespace vidi
