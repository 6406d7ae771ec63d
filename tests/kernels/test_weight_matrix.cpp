// Weights of 8 bits: what they are, and that every product with them is that of the numbers they
// stand for.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <tuple>

#include "kernels/cuda/dispatch.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/weight_matrix.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

struct Place {
  at::Device device;
  at::ScalarType dtype;
};

// Where the tests run: on the CPU in float32, and on a GPU that is there in both half precisions.
std::vector<Place> places() {
  std::vector<Place> all = {{at::kCPU, at::kFloat}};
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const at::Device gpu(at::kCUDA, 0);
    if (at::hasCUDA() && own_kernels_run(gpu, dtype)) all.push_back({gpu, dtype});
  }
  return all;
}

at::Tensor random(at::IntArrayRef shape, const Place& place) {
  return at::randn(shape, at::kFloat).to(place.device, place.dtype);
}

WeightMatrix packed(const at::Tensor& rows) {
  WeightMatrix m =
      WeightMatrix::packed(rows.size(0), rows.size(1), rows.device(), rows.scalar_type());
  m.pack_rows(0, rows);
  return m;
}

double rms(const at::Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

double relative_rms(const at::Tensor& found, const at::Tensor& expected) {
  return rms(found.to(at::kDouble) - expected.to(at::kDouble)) / rms(expected);
}

class WeightMatrixTest : public testing::Test {
 protected:
  void SetUp() override { at::manual_seed(7); }
};

// Every number is the nearest of 255 that its group has, and the largest of a group comes back as
// good as exactly; a group of zeros is zeros.
TEST_F(WeightMatrixTest, IsTheNearestOf255) {
  for (const Place& place : places()) {
    at::Tensor rows = random({48, 192}, place);
    rows[5].narrow(0, 0, 128).zero_();
    rows[6] *= 1e-3;
    const at::Tensor back = packed(rows).expanded();
    const at::Tensor groups = rows.to(at::kFloat).narrow(1, 0, 128).abs().amax(1, true);
    const at::Tensor error = (back.to(at::kFloat) - rows.to(at::kFloat)).narrow(1, 0, 128).abs();
    const double unit = place.dtype == at::kBFloat16 ? 4e-3 : 5e-4;  // of a number in dtype
    EXPECT_TRUE((error <= groups * (0.5 / 127 + unit) + 1e-7).all().item<bool>());
    EXPECT_EQ(rms(back[5].narrow(0, 0, 128)), 0);
    EXPECT_LT(relative_rms(back, rows), 0.01);
  }
}

// Whatever the number of rows, the product is that of the expanded matrix; so it is for some of its
// rows, for widths that are no whole groups, and for matrices that are no whole blocks.
TEST_F(WeightMatrixTest, ProductsAreThoseOfTheExpandedMatrix) {
  for (const Place& place : places()) {
    const double bar = place.dtype == at::kFloat ? 1e-5 : place.dtype == at::kHalf ? 1e-3 : 6e-3;
    for (auto [n_out, n_in] :
         {std::pair<int64_t, int64_t>{16, 32}, {48, 192}, {256, 128}, {400, 2080}, {4096, 3584}}) {
      const WeightMatrix m = packed(random({n_out, n_in}, place));
      const at::Tensor expanded = m.expanded().to(at::kDouble);
      for (int64_t n : {1, 2, 8, 9, 17, 40, 64, 65, 128, 129, 300}) {
        const at::Tensor x = random({n, n_in}, place);
        const at::Tensor expected = at::matmul(x.to(at::kDouble), expanded.t());
        EXPECT_LT(relative_rms(apply_linear(x, m), expected), bar)
            << n << " rows, " << n_out << " x " << n_in;
      }
      const at::Tensor x = random({3, 5, n_in}, place);
      const WeightMatrix some = m.rows(16 % n_out, n_out - 16 % n_out);
      EXPECT_LT(relative_rms(apply_linear(x, some),
                             at::matmul(x.to(at::kDouble), some.expanded().to(at::kDouble).t())),
                bar);
      const at::Tensor out = at::empty({7, n_out}, m.options()), in = random({7, n_in}, place);
      apply_linear_into(out, in, m);
      EXPECT_LT(relative_rms(out, at::matmul(in.to(at::kDouble), expanded.t())), bar);
    }
  }
}

// The same product twice is the same to the last bit: sums are made in one order.
TEST_F(WeightMatrixTest, SameBitsEveryTime) {
  for (const Place& place : places()) {
    const WeightMatrix m = packed(random({3584, 4096}, place));
    for (int64_t n : {1, 10, 100}) {
      const at::Tensor x = random({n, 4096}, place);
      const at::Tensor first = apply_linear(x, m);
      for (int i = 0; i < (place.device.is_cpu() ? 2 : 20); ++i)
        ASSERT_TRUE(at::equal(apply_linear(x, m), first)) << n;
    }
  }
}

// Rows can be packed some at a time, and chosen ones read: what an embedding is.
TEST_F(WeightMatrixTest, RowsByThemselves) {
  for (const Place& place : places()) {
    const at::Tensor rows = random({96, 320}, place);
    WeightMatrix m = WeightMatrix::packed(96, 320, place.device, place.dtype);
    m.pack_rows(64, rows.narrow(0, 64, 32));
    m.pack_rows(0, rows.narrow(0, 0, 64));
    EXPECT_TRUE(at::equal(m.expanded(), packed(rows).expanded()));
    const at::Tensor ids =
        at::tensor({95, 0, 17, 17, 64, 15}, at::kLong).view({2, 3}).to(place.device);
    const at::Tensor chosen = m.chosen_rows(ids);
    EXPECT_TRUE(at::equal(chosen, at::embedding(m.expanded(), ids)));
    EXPECT_TRUE(at::equal(m.rows(32, 48).expanded(), m.expanded().narrow(0, 32, 48)));
  }
}

// Outliers stay in their group: a row with five columns 30 times as large is as good as any
// elsewhere.
TEST_F(WeightMatrixTest, OutliersStayInTheirGroup) {
  for (const Place& place : places()) {
    at::Tensor rows = random({64, 512}, place);
    const at::Tensor quiet = packed(rows).expanded().narrow(1, 128, 384).clone();
    for (int i = 0; i < 5; ++i) rows.select(1, 7 * i) *= 30;
    const at::Tensor back = packed(rows).expanded();
    EXPECT_TRUE(at::equal(back.narrow(1, 128, 384), quiet));
    EXPECT_LT(relative_rms(back, rows), 0.02);
  }
}

// What cannot be packed is known before, and a number that is none harms nobody else.
TEST_F(WeightMatrixTest, OddShapesAndOddNumbers) {
  for (const Place& place : places()) {
    EXPECT_FALSE(WeightMatrix::can_pack(17, 64, place.device, place.dtype));
    EXPECT_FALSE(WeightMatrix::can_pack(16, 40, place.device, place.dtype));
    at::Tensor rows = random({16, 256}, place);
    rows[3][4] = std::numeric_limits<float>::infinity();
    rows[4][4] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor back = packed(rows).expanded();
    EXPECT_TRUE(back.narrow(0, 5, 11).isfinite().all().item<bool>());
    EXPECT_TRUE(back.narrow(1, 128, 128).isfinite().all().item<bool>());
  }
}

// Without packing it is the tensor that it was made of.
TEST_F(WeightMatrixTest, NativeIsTheTensor) {
  const at::Tensor w = at::randn({6, 10}), x = at::randn({3, 10});
  const WeightMatrix m(w);
  EXPECT_TRUE(at::equal(apply_linear(x, m), apply_linear(x, w)));
  EXPECT_TRUE(m.expanded().is_same(w));
  EXPECT_TRUE(at::equal(m.rows(2, 3).native(), w.narrow(0, 2, 3)));
}

// Heads that meet the same input are added up as those of the expanded matrix, in fp32, whatever
// group, width and place.
TEST(WeightMatrix, FoldsHeads) {
  at::manual_seed(13);
  for (const Place& place : places()) {
    for (const auto& [group, width, heads] :
         {std::tuple<int64_t, int64_t, int64_t>{2, 256, 3}, {4, 128, 2}, {1, 64, 2}, {3, 32, 5}}) {
      const WeightMatrix m = packed(random({48, heads * group * width}, place));
      const at::Tensor all = m.expanded().to(at::kFloat).view({48, heads, group, width});
      const at::Tensor wanted = all.sum(2).flatten(1);
      const double most = place.dtype == at::kFloat ? 1e-6 : place.dtype == at::kHalf ? 1e-3 : 8e-3;
      const at::Tensor difference = m.folded(group, width).to(at::kFloat) - wanted;
      EXPECT_LT((difference.norm() / wanted.norm()).item<double>(), most);
      const at::Tensor native = WeightMatrix(m.expanded()).folded(group, width).to(at::kFloat);
      EXPECT_LT(((native - wanted).norm() / wanted.norm()).item<double>(), most);
    }
  }
}

}  // namespace
}  // namespace vidi
