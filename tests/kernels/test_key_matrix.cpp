// Keys and values of 8 bits: the rotation, what is kept of the numbers, attention with them.
#include <gtest/gtest.h>

#include "kernels/aten.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/key_matrix.h"

namespace vidi {
namespace {

constexpr int64_t kHeads = 2;

// The root of the mean square of the difference, as a share of what was wanted.
double relative_rms(const at::Tensor& found, const at::Tensor& wanted) {
  const at::Tensor f = found.to(at::kDouble), w = wanted.to(at::kDouble);
  return ((f - w).norm() / w.norm()).item<double>();
}

// A few channels are much larger than the others, as in trained models (card: 5 channels x 30).
at::Tensor with_outliers(at::Tensor x, int64_t dim) {
  x = x.view({-1, kHeads, dim}).clone();
  x.narrow(2, 3, 5).mul_(30);
  return x.flatten(1);
}

KeyMatrix packed_keys(const at::Tensor& rows, int64_t dim) {
  const KeyMatrix keys =
      KeyMatrix::packed(rows.size(0), kHeads, dim, rows.options(), Rotation(dim, rows.options()));
  keys.put(0, rows);
  return keys;
}

KeyMatrix packed_values(const at::Tensor& rows, int64_t dim) {
  const KeyMatrix values = KeyMatrix::packed(rows.size(0), kHeads, dim, rows.options(), {});
  values.put(0, rows);
  return values;
}

// Turned queries and turned keys have the scores of those that are not turned, and keys come back,
// for every order there is, in every dtype.
TEST(Rotation, KeepsScores) {
  at::manual_seed(3);
  for (const int64_t dim : {16, 32, 64, 128, 256}) {
    ASSERT_TRUE(Rotation::has(dim));
    for (const auto dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const double most = dtype == at::kFloat ? 1e-6 : dtype == at::kHalf ? 1e-3 : 8e-3;
      const at::Tensor q = at::randn({7, dim}).to(dtype), k = at::randn({9, dim}).to(dtype);
      const Rotation rotation(dim, k.options());
      const at::Tensor scores =
          rotation.queries(q).to(at::kDouble).matmul(rotation.keys(k).to(at::kDouble).t());
      EXPECT_LT(relative_rms(scores, q.to(at::kDouble).matmul(k.to(at::kDouble).t())), most) << dim;
      EXPECT_LT(relative_rms(rotation.restored_keys(rotation.keys(k)), k), most) << dim;
    }
  }
}

// Other head sizes have none.
TEST(Rotation, NeedsAPowerOfTwo) {
  for (const int64_t dim : {0, 1, 8, 24, 80, 96, 512}) EXPECT_FALSE(Rotation::has(dim)) << dim;
  EXPECT_THROW(Rotation(24, at::TensorOptions()), c10::Error);
}

// Keys and values come back within 1 %, in every dtype; keys with outliers as well.
TEST(KeyMatrix, KeepsNumbersWithinAPercent) {
  at::manual_seed(5);
  for (const int64_t dim : {16, 128, 256}) {
    for (const auto dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const at::Tensor rows = at::randn({40, kHeads * dim}).to(dtype);
      EXPECT_LT(relative_rms(packed_keys(rows, dim).restored(), rows), 0.01) << dim;
      EXPECT_LT(relative_rms(packed_values(rows, dim).restored(), rows), 0.01) << dim;
      const at::Tensor odd = with_outliers(rows, dim);
      EXPECT_LT(relative_rms(packed_keys(odd, dim).restored(), odd), 0.01) << dim;
    }
  }
}

// One byte a number and one scale a head is what is held.
TEST(KeyMatrix, TakesAByteANumber) {
  const KeyMatrix keys = packed_keys(at::zeros({10, kHeads * 64}, at::kHalf), 64);
  EXPECT_EQ(keys.n_bytes(), kHeads * (10 * 64 + 16 * 2));  // scales come in eights
}

// Rows that are put piece by piece are those that are put at once; others stay as they were.
TEST(KeyMatrix, IsFilledInPieces) {
  at::manual_seed(7);
  const at::Tensor rows = at::randn({11, kHeads * 32});
  const KeyMatrix whole = packed_keys(rows, 32), pieces = packed_keys(at::zeros_like(rows), 32);
  pieces.put(4, rows.narrow(0, 4, 7));
  EXPECT_EQ(pieces.restored().narrow(0, 0, 4).abs().max().item<float>(), 0);
  pieces.put(0, rows.narrow(0, 0, 4));
  EXPECT_LT(relative_rms(pieces.restored(), whole.restored()), 1e-3);
  const KeyMatrix native(at::zeros_like(rows));
  native.put(0, rows);
  EXPECT_TRUE(at::equal(native.restored(), rows));
}

// Zeros stay zeros beside other heads, tiny numbers do not grow, and what is no number is not lost.
TEST(KeyMatrix, BearsZerosTinyAndBrokenNumbers) {
  at::Tensor rows = at::zeros({4, kHeads * 16}, at::kHalf);
  rows[1].fill_(1e-7);
  rows[2][3] = 1;
  rows[3][0] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor back = packed_values(rows, 16).restored();
  EXPECT_EQ(back[0].abs().max().item<float>(), 0);
  EXPECT_LE(back[1].abs().max().item<float>(), 2e-7);
  EXPECT_NEAR(back[2][3].item<float>(), 1, 1e-3);
  EXPECT_TRUE(back[3][0].isnan().item<bool>());
  EXPECT_EQ(back[3][20].item<float>(), 0);  // the other head
}

// Where a query is small in the channels in which keys are large, one scale for a head costs the
// score most; under the rotation it costs a few percent.
TEST(PackedKeys, RotationKeepsScoresOfOutliers) {
  at::manual_seed(9);
  constexpr int64_t kDim = 256;
  at::Tensor q = at::randn({20, kDim}), key = at::randn({200, kHeads * kDim});
  q.narrow(1, 3, 5).mul_(1.0 / 30);
  const at::Tensor odd = with_outliers(key, kDim);
  auto head = [](const at::Tensor& rows) { return rows.view({-1, kHeads, kDim}).select(1, 0); };
  const at::Tensor wanted = q.matmul(head(odd).t());
  const Rotation rotation(kDim, key.options());
  const double turned =
      relative_rms(rotation.queries(q).matmul(head(packed_keys(odd, kDim).expanded()).t()), wanted);
  const double plain =
      relative_rms(q.matmul(head(packed_values(odd, kDim).expanded()).t()), wanted);
  EXPECT_LT(turned, 0.03);
  EXPECT_GT(plain, 0.08);
}

// Attention with packed keys and values, of ordinary numbers and with outliers in keys and queries,
// is that with the numbers as they were, within 2 %; its own keys are not turned.
TEST(PackedKeys, AttendAsNativeOnes) {
  at::manual_seed(11);
  constexpr int64_t kDim = 64;
  const AttentionScale scale{0.125, 30};
  for (const bool outliers : {false, true}) {
    OwnKeys own;
    own.key = at::randn({2, kHeads, 9, kDim}), own.value = at::randn({2, kHeads, 9, kDim});
    own.q = at::randn({2, 3, 4, kDim});
    own.positions = at::arange(3).add(4).expand({2, 3}).contiguous();
    own.n_slots = 8;
    const at::Tensor q = at::randn({2, 3, 4, kDim});
    at::Tensor key = at::randn({50, kHeads * kDim}), value = at::randn({50, kHeads * kDim});
    if (outliers) key = with_outliers(key, kDim).mul_(0.1);
    const at::Tensor native = summed_attention(q, own, {{key, value}}, scale);
    const at::Tensor packed =
        summed_attention(q, own, {{packed_keys(key, kDim), packed_values(value, kDim)}}, scale);
    EXPECT_LT(relative_rms(packed, native), 0.02) << outliers;
    EXPECT_GT(relative_rms(packed, native), 0) << outliers;
  }
}

}  // namespace
}  // namespace vidi
