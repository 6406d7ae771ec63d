#include <gtest/gtest.h>

#include "kernels/attention/attention.h"
#include "kernels/layers/gated_mlp.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

// The formula, one query head at a time, in double.
at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const AttentionScale& s, const at::Tensor& mask) {
  const int64_t group = q.size(2) / k.size(1);
  std::vector<at::Tensor> heads;
  for (int64_t h = 0; h < q.size(2); ++h) {
    at::Tensor qh = q.select(2, h).to(at::kDouble), kh = k.select(1, h / group).to(at::kDouble);
    at::Tensor scores = at::bmm(qh, kh.transpose(1, 2)) * s.scale;
    if (s.softcap > 0) scores = s.softcap * at::tanh(scores / s.softcap);
    if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -INFINITY);
    heads.push_back(at::bmm(at::softmax(scores, -1), v.select(1, h / group).to(at::kDouble)));
  }
  return at::cat(heads, -1);
}

struct Shape {
  int64_t batch, n, heads, kv_heads, keys, dim;
};

class Attention : public testing::TestWithParam<Shape> {};

// Grouped heads, soft cap and mask give what one head at a time gives, for odd sizes and strided
// keys.
TEST_P(Attention, IsTheFormula) {
  const Shape s = GetParam();
  at::manual_seed(7);
  at::Tensor q = at::randn({s.batch, s.n, s.heads, s.dim}) * 3;
  // The media cache's layout: [keys, kv_heads * dim] seen with heads apart, not contiguous.
  at::Tensor k = at::randn({s.batch, s.keys, s.kv_heads, s.dim}).transpose(1, 2);
  at::Tensor v = at::randn({s.batch, s.keys, s.kv_heads, s.dim}).transpose(1, 2);
  at::Tensor mask = at::rand({s.batch, s.n, s.keys}) < 0.7;
  mask.select(2, 0).fill_(true);
  for (double cap : {0.0, 5.0}) {
    const AttentionScale scale{0.3, cap};
    EXPECT_TRUE(at::allclose(attention(q, k, v, scale, {}).to(at::kDouble),
                             plain_attention(q, k, v, scale, {}), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(attention(q, k, v, scale, mask).to(at::kDouble),
                             plain_attention(q, k, v, scale, mask), 1e-4, 1e-5));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Attention,
                         testing::Values(Shape{1, 1, 1, 1, 1, 2}, Shape{1, 5, 4, 2, 7, 16},
                                         Shape{3, 2, 6, 3, 33, 8}, Shape{2, 13, 6, 2, 101, 10},
                                         Shape{1, 31, 16, 8, 300, 32}));

// More scores than one block holds give the same as all at once.
TEST(AttentionBlocks, DoNotChangeTheResult) {
  at::manual_seed(3);
  at::Tensor q = at::randn({1, 40, 4, 4}), k = at::randn({1, 2, 700000, 4}),
             v = at::randn({1, 2, 700000, 4});
  at::Tensor whole = attention(q, k, v, {0.5, 0}, {});  // 112 M scores: two blocks
  at::Tensor rows = attention(q.narrow(1, 39, 1), k, v, {0.5, 0}, {});
  EXPECT_TRUE(at::allclose(whole.narrow(1, 39, 1), rows, 1e-4, 1e-6));
}

// A text's attention is the sum of one attention a set: its own keys up to its position and within
// the window, and everything that is shared.
TEST(SummedAttention, AddsOneAttentionASet) {
  at::manual_seed(13);
  const AttentionScale scale{0.3, 5};
  OwnKeys own;
  own.key = at::randn({2, 2, 9, 8}), own.value = at::randn({2, 2, 9, 8});
  own.q = at::randn({2, 3, 4, 8});
  own.positions = at::arange(3).add(4).expand({2, 3}).contiguous();
  own.n_slots = 8, own.window_keys = 3;
  at::Tensor q = at::randn({2, 3, 4, 8});
  const std::vector<SharedKeys> shared = {{at::randn({11, 16}), at::randn({11, 16})},
                                          {at::randn({1, 16}), at::randn({1, 16})}};
  at::Tensor mask = at::zeros({2, 3, 9}, at::kBool);
  for (int64_t t = 0; t < 3; ++t) mask.select(1, t).slice(1, t + 2, t + 5).fill_(true);
  at::Tensor expected = plain_attention(own.q, own.key, own.value, scale, mask);
  for (const SharedKeys& keys : shared) {
    auto apart = [](const at::Tensor& x) {
      return x.view({-1, 2, 8}).transpose(0, 1).unsqueeze(0).expand({2, -1, -1, -1});
    };
    expected = expected +
               plain_attention(q, apart(keys.key.native()), apart(keys.value.native()), scale, {});
  }
  EXPECT_TRUE(
      at::allclose(summed_attention(q, own, shared, scale).to(at::kDouble), expected, 1e-4, 1e-5));
}

// Keys cut into parts anywhere, native or packed, and put together give what all of them give, also
// where one part has nearly all of the weight.
TEST(AttentionParts, MergeIntoTheWhole) {
  at::manual_seed(17);
  const int64_t n = 37, kv_heads = 2, dim = 16;
  const at::Tensor q = at::randn({3, 5, 4, dim}) * 3;
  const at::Tensor key = at::randn({n, kv_heads * dim}), value = at::randn({n, kv_heads * dim});
  key.narrow(0, 0, 2).mul_(4);
  const Rotation rotation(dim, key.options());
  auto keys_of = [&](int64_t first, int64_t count, bool packed) -> SharedKeys {
    const at::Tensor k = key.narrow(0, first, count), v = value.narrow(0, first, count);
    if (!packed) return {k, v};
    SharedKeys keys{KeyMatrix::packed(count, kv_heads, dim, k.options(), rotation),
                    KeyMatrix::packed(count, kv_heads, dim, v.options(), {})};
    keys.key.put(0, k), keys.value.put(0, v.contiguous());
    return keys;
  };
  for (const double cap : {0.0, 5.0}) {
    for (const bool packed : {false, true}) {
      const AttentionScale scale{0.3, cap};
      const at::Tensor whole = summed_attention(q, {}, {keys_of(0, n, packed)}, scale);
      for (const std::vector<int64_t>& sizes :
           {std::vector<int64_t>{37}, {1, 36}, {2, 35}, {20, 16, 1}, {9, 9, 9, 10}}) {
        std::vector<SharedKeys> cut;
        for (int64_t first = 0; const int64_t size : sizes) {
          cut.push_back(keys_of(first, size, packed));
          first += size;
        }
        const at::Tensor merged = merged_attention(attention_parts(q, cut, scale));
        EXPECT_EQ(merged.scalar_type(), at::kFloat);
        EXPECT_TRUE(at::allclose(merged, whole, 1e-4, 1e-5)) << sizes.size() << " parts";
      }
    }
  }
}

// Keys that do not fit the queries are refused.
TEST(AttentionShapes, AreChecked) {
  at::Tensor q = at::ones({1, 1, 4, 8});
  EXPECT_THROW(attention(q, at::ones({1, 3, 5, 8}), at::ones({1, 3, 5, 8}), {1, 0}, {}),
               c10::Error);
  EXPECT_THROW(attention(q, at::ones({1, 2, 5, 4}), at::ones({1, 2, 5, 4}), {1, 0}, {}),
               c10::Error);
}

// The gated block is down(act(gate x) * (up x)) for each activation.
TEST(GatedMlp, IsTheFormula) {
  at::manual_seed(5);
  at::Tensor x = at::randn({3, 5}), gate = at::randn({7, 5}), up = at::randn({7, 5}),
             down = at::randn({5, 7});
  at::Tensor g = x.matmul(gate.t());
  const std::pair<Activation, at::Tensor> all[] = {
      {Activation::kGelu, 0.5 * g * (1 + at::erf(g / std::sqrt(2.0)))},
      {Activation::kGeluTanh,
       0.5 * g * (1 + at::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g.pow(3))))},
      {Activation::kSilu, g * at::sigmoid(g)}};
  for (const auto& [activation, expected] : all) {
    at::Tensor y = gated_mlp(x, at::cat({gate, up}), down, activation);
    EXPECT_TRUE(at::allclose(y, (expected * x.matmul(up.t())).matmul(down.t()), 1e-4, 1e-5));
  }
}

}  // namespace
}  // namespace vidi
