// Norms with residual, gated activation and rope with slots: each kernel against its ATen version
// on the same GPU in the same dtype; skipped without one.
#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "kernels/cuda/dispatch.h"
#include "kernels/layers/argmax.h"
#include "kernels/layers/gated_mlp.h"
#include "kernels/layers/layer_norm.h"
#include "kernels/layers/layer_norm_launch.h"
#include "kernels/layers/norm.h"
#include "kernels/layers/norm_launch.h"
#include "kernels/layers/rope.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

constexpr int64_t kGuard = 64;  // numbers behind each output

class FusedKernels : public testing::TestWithParam<std::tuple<at::ScalarType, int64_t, int64_t>> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || device_limits(0).multiprocessors == 0)
      GTEST_SKIP() << "no GPU that our kernels run on";
    at::manual_seed(17);
    std::tie(dtype_, rows_, width_) = GetParam();
  }
  at::Tensor random(at::IntArrayRef sizes) const {
    return at::randn(sizes, at::TensorOptions(at::kFloat).device(at::kCUDA)).to(dtype_);
  }
  // A rounding or two apart at most, and that for few: sums are made in another order. `terms`: how
  // large the terms of a sum are, which may cancel.
  void expect_same(const at::Tensor& actual, const at::Tensor& expected, double terms = 0) const {
    const double one = dtype_ == at::kHalf ? 1.0 / 1024 : 1.0 / 128;
    EXPECT_TRUE(
        at::allclose(actual.to(at::kFloat), expected.to(at::kFloat), 2 * one, 1e-6 + terms * one));
    EXPECT_LT((actual != expected).to(at::kFloat).mean().item<float>(), 0.02);
  }
  at::ScalarType dtype_ = at::kHalf;
  int64_t rows_ = 0, width_ = 0;
};

// Both forms of the weight, with and without sum, norm of what is added and norm of the sum.
TEST_P(FusedKernels, NormIsTheSpecification) {
  at::Tensor x = random({rows_, width_}), y = random({rows_, width_}) * 3;
  at::Tensor after = random({width_}), before = random({width_});
  for (bool offset : {false, true}) {
    expect_same(rms_norm(x, before, 1e-6, offset), rms_norm_plain(x, before, 1e-6, offset));
    for (const at::Tensor& a : {after, at::Tensor()}) {
      for (const at::Tensor& b : {before, at::Tensor()}) {
        const Residual ours = add_and_norm(x, y, a, b, 1e-6, offset);
        const Residual plain = add_and_norm_plain(x, y, a, b, 1e-6, offset);
        expect_same(ours.sum, plain.sum, 32);
        // From the same sum: a rounding of it moves the whole row.
        if (b.defined()) expect_same(ours.normalized, rms_norm_plain(ours.sum, b, 1e-6, offset));
      }
    }
  }
}

// Halves too large to be squared in their own dtype stay finite.
TEST_P(FusedKernels, NormKeepsLargeNumbersFinite) {
  at::Tensor x = at::full({rows_, width_}, 60000.0, random({1}).options());
  EXPECT_TRUE(at::isfinite(rms_norm(x, random({width_}), 1e-6, true)).all().item<bool>());
}

// Nothing is written behind the sum or the normalised rows.
TEST_P(FusedKernels, NormKeepsToItsRows) {
  at::Tensor x = random({rows_, width_}), weight = random({width_});
  at::Tensor sum = at::full({rows_ * width_ + kGuard}, 5, x.options()), out = sum.clone();
  NormTask task;
  task.x = task.added = x.data_ptr(), task.weight = weight.data_ptr();
  task.sum = sum.data_ptr(), task.normalized = out.data_ptr();
  task.rows = rows_, task.width = static_cast<int>(width_), task.eps = 1e-6f;
  launch_norm(task, element_type(dtype_), current_stream(x.device()));
  EXPECT_TRUE((sum.slice(0, rows_ * width_) == 5).all().item<bool>());
  EXPECT_TRUE((out.slice(0, rows_ * width_) == 5).all().item<bool>());
  EXPECT_TRUE(at::equal(sum.slice(0, 0, rows_ * width_).view_as(x), x + x));
}

// Layer norm of a sum, with and without the norm, with and without a limit that some numbers pass.
TEST_P(FusedKernels, LayerNormIsTheSpecification) {
  at::Tensor x = random({rows_, width_}) + 2, y = random({rows_, width_}) * 3;
  at::Tensor weight = random({width_}), bias = random({width_});
  for (double limit : {0.0, 4.0}) {
    const Residual ours = add_and_layer_norm(x, y, weight, bias, 1e-6, limit);
    const Residual plain = add_and_layer_norm_plain(x, y, weight, bias, 1e-6, limit);
    EXPECT_TRUE(at::equal(ours.sum, plain.sum));
    expect_same(ours.normalized, plain.normalized, 4);
    const Residual sum = add_and_layer_norm(x, y, {}, {}, 1e-6, limit);
    EXPECT_TRUE(at::equal(sum.sum, plain.sum) && !sum.normalized.defined());
  }
}

// Nothing is written behind the sum or the normalised rows, and what is no number stays none.
TEST_P(FusedKernels, LayerNormKeepsToItsRows) {
  at::Tensor x = random({rows_, width_}), weight = random({width_});
  x[0][width_ - 1] = std::numeric_limits<float>::quiet_NaN();
  at::Tensor sum = at::full({rows_ * width_ + kGuard}, 5, x.options()), out = sum.clone();
  LayerNormTask task;
  task.x = task.added = x.data_ptr(), task.weight = task.bias = weight.data_ptr();
  task.sum = sum.data_ptr(), task.normalized = out.data_ptr();
  task.rows = rows_, task.width = static_cast<int>(width_), task.eps = 1e-6f, task.limit = 9;
  launch_layer_norm(task, element_type(dtype_), current_stream(x.device()));
  EXPECT_TRUE((sum.slice(0, rows_ * width_) == 5).all().item<bool>());
  EXPECT_TRUE((out.slice(0, rows_ * width_) == 5).all().item<bool>());
  EXPECT_TRUE(at::isnan(sum[width_ - 1]).item<bool>() && at::isnan(out[0]).item<bool>());
}

// All activations, from the two halves of one product.
TEST_P(FusedKernels, GatedActivationIsTheSpecification) {
  for (Activation activation : {Activation::kGeluTanh, Activation::kGelu, Activation::kSilu}) {
    at::Tensor both = random({rows_, 2 * width_}) * 3;
    expect_same(gated_activation(both, activation), gated_activation_plain(both, activation));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, FusedKernels,
                         testing::Combine(testing::Values(at::kHalf, at::kBFloat16),
                                          testing::Values(1, 3, 310),
                                          testing::Values(8, 264, 1152, 3584, 4096, 8192)));

class PickKernel : public testing::TestWithParam<std::tuple<at::ScalarType, int64_t, int64_t>> {};

// The same ids, also among equal logits, and probabilities within float32's rounding.
TEST_P(PickKernel, IsTheSpecification) {
  if (!at::hasCUDA() || device_limits(0).multiprocessors == 0)
    GTEST_SKIP() << "no GPU that our kernels run on";
  const auto [dtype, rows, width] = GetParam();
  at::manual_seed(23);
  at::Tensor random = at::randn({rows, width}, at::TensorOptions(at::kFloat).device(at::kCUDA)) * 5;
  for (const at::Tensor& logits :
       {random.to(dtype), random.round().to(dtype), at::zeros_like(random).to(dtype)}) {
    const Picked ours = pick_tokens(logits), plain = pick_tokens_plain(logits.cpu());
    EXPECT_TRUE(at::equal(ours.ids.cpu(), plain.ids));
    EXPECT_TRUE(at::allclose(ours.for_host.cpu(), plain.for_host, 1e-4, 1e-9));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PickKernel,
                         testing::Combine(testing::Values(at::kFloat, at::kHalf, at::kBFloat16),
                                          testing::Values(1, 10),
                                          testing::Values(1, 63, 1000, 32000, 256000)));

struct RopeSizes {
  int64_t questions, queries, heads, kv_heads, dim, slots;
};
class RopeKernel : public testing::TestWithParam<RopeSizes> {};

// Queries, keys and values as the ATen version leaves them, bit for bit: every step rounds alike.
TEST_P(RopeKernel, IsTheSpecification) {
  if (!at::hasCUDA() || device_limits(0).multiprocessors == 0)
    GTEST_SKIP() << "no GPU that our kernels run on";
  const RopeSizes s = GetParam();
  at::manual_seed(19);
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const auto options = at::TensorOptions(dtype).device(at::kCUDA);
    const RopeTable table = RopeTable::make(s.slots + 5, s.dim, 10000, at::kCUDA, dtype);
    // Parts of one product, as the decoder has them.
    at::Tensor qkv = at::randn({s.questions, s.queries, s.heads + 2 * s.kv_heads, s.dim}, options);
    const TextProjections text{qkv.narrow(2, 0, s.heads), qkv.narrow(2, s.heads, s.kv_heads),
                               qkv.narrow(2, s.heads + s.kv_heads, s.kv_heads)};
    at::Tensor positions = at::empty({s.questions, s.queries}, at::kLong);
    for (int64_t b = 0; b < s.questions; ++b) {
      const int64_t first = b % (s.slots - s.queries + 1);
      positions[b].copy_(at::arange(first, first + s.queries));
    }
    positions = positions.to(at::kCUDA);
    at::Tensor key = at::randn({s.questions, s.kv_heads, s.slots, s.dim}, options);
    at::Tensor value = at::randn_like(key), plain_key = key.clone(), plain_value = value.clone();
    const at::Tensor turned = rope_and_append(text, positions, table, key, value);
    EXPECT_TRUE(
        at::equal(turned, rope_and_append_plain(text, positions, table, plain_key, plain_value)));
    EXPECT_TRUE(at::equal(key, plain_key));
    EXPECT_TRUE(at::equal(value, plain_value));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RopeKernel,
                         testing::Values(RopeSizes{1, 1, 16, 8, 256, 95},
                                         RopeSizes{10, 1, 16, 8, 256, 95},
                                         RopeSizes{10, 31, 16, 8, 256, 95},
                                         RopeSizes{3, 7, 32, 8, 128, 7},
                                         RopeSizes{2, 3, 5, 1, 16, 9}));

}  // namespace
}  // namespace vidi
