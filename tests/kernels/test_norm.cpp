#include <gtest/gtest.h>

#include <cmath>

#include "kernels/layers/layer_norm.h"
#include "kernels/layers/norm.h"
#include "kernels/layers/rope.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

// Each row of rms_norm is the formula, in double, for odd widths too; both forms of the weight.
TEST(RmsNorm, IsTheFormula) {
  at::manual_seed(1);
  for (int64_t width : {1, 7, 64, 129}) {
    at::Tensor x = at::randn({3, width}) * 5, w = at::randn({width});
    at::Tensor wide = x.to(at::kDouble);
    at::Tensor unit = wide / (wide.square().mean(-1, true) + 1e-5).sqrt();
    EXPECT_TRUE(at::allclose(rms_norm(x, w, 1e-5, false).to(at::kDouble), unit * w, 1e-5, 1e-6));
    EXPECT_TRUE(
        at::allclose(rms_norm(x, w, 1e-5, true).to(at::kDouble), unit * (w + 1), 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(rms_normalize(x, 1e-5).to(at::kDouble), unit, 1e-5, 1e-6));
  }
}

// Statistics are float32 whatever the dtype: large halves do not overflow when squared.
TEST(RmsNorm, KeepsHalfFinite) {
  at::Tensor x = at::full({1, 16}, 60000.0, at::kHalf), w = at::ones({16}, at::kHalf);
  EXPECT_TRUE(at::allclose(rms_norm(x, w, 1e-6, false).to(at::kFloat), at::ones({1, 16}), 1e-3));
}

// The sum is x and the block's result, under its own norm where it has one; the second result is
// the next norm of the sum.
TEST(AddNorm, IsTheFormula) {
  at::manual_seed(2);
  at::Tensor x = at::randn({5, 33}), y = at::randn({5, 33}), w = at::randn({33}),
             v = at::randn({33});
  for (bool offset : {false, true}) {
    Residual plain = add_and_norm(x, y, {}, w, 1e-5, offset);
    EXPECT_TRUE(at::equal(plain.sum, x + y));
    EXPECT_TRUE(at::allclose(plain.normalized, rms_norm(x + y, w, 1e-5, offset)));
    Residual sandwich = add_and_norm(x, y, v, w, 1e-5, offset);
    at::Tensor sum = x + rms_norm(y, v, 1e-5, offset);
    EXPECT_TRUE(at::allclose(sandwich.sum, sum));
    EXPECT_TRUE(at::allclose(sandwich.normalized, rms_norm(sum, w, 1e-5, offset)));
  }
}

// A weight that does not fit the rows is refused.
TEST(RmsNorm, RefusesAWrongWeight) {
  EXPECT_THROW(rms_norm(at::ones({2, 8}), at::ones({4}), 1e-6, false), c10::Error);
}

// The sum takes the added rows through their own norm if they have one, and is normalised if
// anybody asks.
TEST(AddAndNorm, IsTheFormula) {
  at::manual_seed(2);
  at::Tensor x = at::randn({2, 3, 24}), y = at::randn({2, 3, 24}) * 4;
  at::Tensor after = at::randn({24}), before = at::randn({24});
  for (bool offset : {false, true}) {
    Residual r = add_and_norm(x, y, after, before, 1e-5, offset);
    at::Tensor sum = x + rms_norm(y, after, 1e-5, offset);
    EXPECT_TRUE(at::allclose(r.sum, sum));
    EXPECT_TRUE(at::allclose(r.normalized, rms_norm(sum, before, 1e-5, offset)));
    EXPECT_TRUE(at::allclose(add_and_norm(x, y, {}, before, 1e-5, offset).sum, x + y));
    EXPECT_FALSE(add_and_norm(x, y, after, {}, 1e-5, offset).normalized.defined());
  }
  EXPECT_THROW(add_and_norm(x, y.narrow(1, 0, 2), {}, before, 1e-5, false), c10::Error);
  EXPECT_THROW(add_and_norm(x, y, at::ones({23}), before, 1e-5, false), c10::Error);
}

// The sum is held within the limit, its norm is the formula in double, for odd widths too; what
// does not fit is refused.
TEST(AddAndLayerNorm, IsTheFormula) {
  at::manual_seed(3);
  for (int64_t width : {1, 7, 64, 129}) {
    at::Tensor x = at::randn({2, 3, width}) + 2, y = at::randn({2, 3, width}) * 4;
    at::Tensor weight = at::randn({width}), bias = at::randn({width});
    for (double limit : {0.0, 3.0}) {
      const Residual r = add_and_layer_norm(x, y, weight, bias, 1e-5, limit);
      at::Tensor sum = limit > 0 ? (x + y).clamp(-limit, limit) : x + y;
      EXPECT_TRUE(at::equal(r.sum, sum));
      at::Tensor wide = sum.to(at::kDouble), apart = wide - wide.mean(-1, true);
      at::Tensor unit = apart / (apart.square().mean(-1, true) + 1e-5).sqrt();
      EXPECT_TRUE(at::allclose(r.normalized.to(at::kDouble), unit * weight + bias, 1e-5, 1e-5));
      EXPECT_FALSE(add_and_layer_norm(x, y, {}, {}, 1e-5, limit).normalized.defined());
    }
    EXPECT_THROW(add_and_layer_norm(x, y.narrow(1, 0, 2), weight, bias, 1e-5), c10::Error);
    EXPECT_THROW(add_and_layer_norm(x, y, weight, {}, 1e-5), c10::Error);
    EXPECT_THROW(add_and_layer_norm(x, y, at::ones({width + 1}), bias, 1e-5), c10::Error);
  }
}

// Keys are turned and land in the slots of their positions, values land there as they are, and no
// other slot changes.
TEST(TurnAndStore, FillsTheSlotsOfThePositions) {
  const int64_t slots = 9, dim = 6;
  RopeTable table = RopeTable::make(slots, dim, 100.0, at::kCPU, at::kFloat);
  TextProjections text{at::randn({2, 3, 4, dim}), at::randn({2, 3, 2, dim}),
                       at::randn({2, 3, 2, dim})};
  at::Tensor positions = at::arange(3).expand({2, 3}).contiguous();
  positions[1].add_(5);
  at::Tensor key = at::full({2, 2, slots, dim}, 7.0), value = at::full({2, 2, slots, dim}, 8.0);
  at::Tensor turned = rope_and_append(text, positions, table, key, value);
  EXPECT_TRUE(at::equal(turned, apply_rope(text.q, positions, table)));
  at::Tensor k = apply_rope(text.k, positions, table);
  for (int64_t b = 0; b < 2; ++b) {
    const int64_t first = b * 5;
    EXPECT_TRUE(at::equal(key[b].narrow(1, first, 3), k[b].transpose(0, 1)));
    EXPECT_TRUE(at::equal(value[b].narrow(1, first, 3), text.v[b].transpose(0, 1)));
    EXPECT_TRUE((key[b].narrow(1, b == 0 ? 3 : 0, b == 0 ? 6 : 5) == 7).all().item<bool>());
    EXPECT_TRUE((value[b].narrow(1, b == 0 ? 3 : 0, b == 0 ? 6 : 5) == 8).all().item<bool>());
  }
  EXPECT_THROW(
      rope_and_append({text.q, text.k, text.v.narrow(2, 0, 1)}, positions, table, key, value),
      c10::Error);
}

// Rope turns the pair (d, d + D / 2) by position * theta^(-2d / D).
TEST(Rope, TurnsHalvesAgainstEachOther) {
  const int64_t dim = 6;
  const double theta = 100.0;
  RopeTable table = RopeTable::make(10, dim, theta, at::kCPU, at::kFloat);
  at::Tensor x = at::randn({1, 2, 3, dim});
  at::Tensor positions = at::empty({1, 2}, at::kLong);
  positions[0][0] = 0, positions[0][1] = 9;
  at::Tensor y = apply_rope(x, positions, table);
  EXPECT_TRUE(at::equal(y[0][0], x[0][0]));
  for (int64_t d = 0; d < dim / 2; ++d) {
    const double angle = 9 * std::pow(theta, -2.0 * d / dim);
    at::Tensor low = x[0][1].select(1, d), high = x[0][1].select(1, d + dim / 2);
    EXPECT_TRUE(at::allclose(y[0][1].select(1, d), low * std::cos(angle) - high * std::sin(angle),
                             1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(y[0][1].select(1, d + dim / 2),
                             high * std::cos(angle) + low * std::sin(angle), 1e-5, 1e-5));
  }
}

}  // namespace
}  // namespace vidi
