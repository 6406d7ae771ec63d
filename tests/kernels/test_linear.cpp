#include <gtest/gtest.h>

#include <cmath>

#include "kernels/layers/gated_mlp.h"
#include "kernels/layers/linear.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

constexpr Activation kActivations[] = {Activation::kGeluTanh, Activation::kGelu, Activation::kSilu};

at::Tensor in_double(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  at::Tensor y = at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t());
  return bias.defined() ? y + bias.to(at::kDouble) : y;
}

void expect_near(const at::Tensor& found, const at::Tensor& expected) {
  EXPECT_EQ(found.sizes(), expected.sizes());
  EXPECT_TRUE(at::allclose(found.to(at::kDouble), expected, 1e-5, 1e-5))
      << (found.to(at::kDouble) - expected).abs().max().item<double>();
}

// Each library in turn: with oneDNN where the processor is one that takes it, and without.
class Linear : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { at::globalContext().setUserEnabledMkldnn(GetParam()); }
  void TearDown() override { at::globalContext().setUserEnabledMkldnn(true); }
};

INSTANTIATE_TEST_SUITE_P(Of, Linear, testing::Values(true, false),
                         [](const auto& info) { return info.param ? "OneDnn" : "Mkl"; });

// Whichever library computes it, the product is the formula: few rows and many, odd widths, one
// row of a batch, with and without a bias, every activation.
TEST_P(Linear, IsTheFormula) {
  at::manual_seed(1);
  for (int64_t rows : {1, 7, 8, 33, 300}) {
    for (auto [in, out] : {std::pair<int64_t, int64_t>{1, 3}, {31, 17}, {192, 64}}) {
      at::Tensor x = at::randn({rows, in}), w = at::randn({out, in}) / 8, b = at::randn({out});
      for (const at::Tensor& bias : {b, at::Tensor()}) {
        const at::Tensor expected = in_double(x, w, bias);
        expect_near(apply_linear(x, w, bias), expected);
        for (Activation a : kActivations) {
          expect_near(activated_linear(x, w, bias, a), activate(expected, a));
        }
      }
      expect_near(apply_linear(x.view({rows, 1, in}), w, b),
                  in_double(x, w, b).view({rows, 1, out}));
      at::Tensor into = at::full({rows + 2, out}, 9.0);
      apply_linear_into(into.narrow(0, 1, rows), x, w);
      expect_near(into.narrow(0, 1, rows), in_double(x, w, {}));
      EXPECT_TRUE(at::equal(into[0], into[rows + 1]) && into[0][0].item<float>() == 9);
    }
  }
}

// Rows that lie apart, and weights that are rows of a larger matrix, give what copies of them give.
TEST_P(Linear, TakesPartsOfTensors) {
  at::manual_seed(2);
  at::Tensor wide = at::randn({40, 2, 24}), weights = at::randn({48, 24});
  at::Tensor x = wide.select(1, 1), w = weights.narrow(0, 16, 16);
  expect_near(apply_linear(x, w), in_double(x, w, {}));
  at::Tensor turned = at::randn({24, 40}).t();
  expect_near(apply_linear(turned, w), in_double(turned, w, {}));
}

// A row of media is the same but for rounding, however many come with it: pictures go through the
// towers in batches of any size, and a library orders its sums by the number of rows.
//
// The terms are of unit size, so partial sums of K terms reach sqrt(K), and K roundings of them,
// each of at most half a unit (2^-24) and of either sign, come to some 0.4 K * 2^-24. The largest
// of 150,000 such sums were 2.7 K * 2^-24 apart, in the worst of ten settings of instruction sets
// and threads; wrong rows would be sqrt(2 K) apart.
TEST_P(Linear, ARowIsTheSameInAnyCompany) {
  at::manual_seed(4);
  for (auto [in, out] : {std::pair<int64_t, int64_t>{588, 192},
                         {192, 576},
                         {416, 192},
                         {768, 192},
                         {480, 160},
                         {384, 160}}) {
    at::Tensor x = at::randn({784, in}), w = at::randn({out, in}), b = at::randn({out});
    at::Tensor all = activated_linear(x, w, b, Activation::kGeluTanh);
    for (int64_t rows : {1, 3, 16, 32, 49, 98, 112, 147, 256}) {
      at::Tensor found = activated_linear(x.narrow(0, 0, rows), w, b, Activation::kGeluTanh);
      const double apart = (found - all.narrow(0, 0, rows)).abs().max().item<double>();
      EXPECT_LE(apart, 6 * std::ldexp(static_cast<double>(in), -24))
          << in << " x " << out << ", " << rows;
    }
  }
}

// No rows are no rows.
TEST_P(Linear, TakesNoRows) {
  EXPECT_EQ(apply_linear(at::ones({0, 8}), at::ones({3, 8})).sizes(), (std::vector<int64_t>{0, 3}));
}

// The block is the formula, for one row and for many.
TEST(GatedMlp, IsTheFormula) {
  at::manual_seed(3);
  for (int64_t rows : {1, 50}) {
    at::Tensor x = at::randn({rows, 24}), both = at::randn({2 * 40, 24}) / 4,
               down = at::randn({24, 40}) / 4;
    for (Activation a : kActivations) {
      at::Tensor gate = activate(in_double(x, both.narrow(0, 0, 40), {}), a);
      at::Tensor up = in_double(x, both.narrow(0, 40, 40), {});
      expect_near(gated_mlp(x, both, down, a), in_double(gate * up, down, {}));
    }
  }
}

}  // namespace
}  // namespace vidi
