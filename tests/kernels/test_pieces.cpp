// Long work on the CPU is made in pieces, and can be ended between two of them.
#include <gtest/gtest.h>

#include <stdexcept>

#include "kernels/attention/attention.h"
#include "kernels/attention/self_attention.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/pieces.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

struct Ended : std::runtime_error {
  Ended() : std::runtime_error("ended") {}
};

// How often `work` asks whether it shall end; it is told to when it asks for the `last` time.
template <class Work>
int looks_of(const Work& work, int last = -1) {
  int looks = 0;
  const Interruptible interruptible([&] {
    if (++looks == last) throw Ended();
  });
  if (last < 0)
    work();
  else
    EXPECT_THROW(work(), Ended);
  return looks;
}

// No piece has more rows than its operations allow, each is asked about first, the rows come back
// in their order and shape, and work that is told to end does nothing more.
TEST(Pieces, AreBoundedAndCanBeEnded) {
  const at::Tensor x = at::arange(2 * 500 * 3, at::kFloat).view({2, 500, 3});
  constexpr int64_t kRows = 64;
  int calls = 0;
  auto work = [&] {
    return in_blocks_of_rows(x, rows_in_piece(kPieceOperations / kRows),
                             [&](const at::Tensor& rows) {
                               EXPECT_LE(rows.numel() / 3, kRows);
                               ++calls;
                               return rows.narrow(-1, 0, 2) * 2;
                             });
  };
  EXPECT_TRUE(at::equal(work(), x.narrow(-1, 0, 2) * 2));
  EXPECT_EQ(calls, (1000 + kRows - 1) / kRows);
  const int once = calls;
  EXPECT_EQ(looks_of([&] { work(); }), once);
  calls = 0;
  EXPECT_EQ(looks_of([&] { work(); }, 3), 3);
  EXPECT_EQ(calls, 2);
}

// A row that is more than a piece by itself is worked on all the same.
TEST(Pieces, HaveARowAtLeast) { EXPECT_EQ(rows_in_piece(100 * kPieceOperations), 1); }

// The question goes back to who asked before, when an inner piece of work is done or has failed.
TEST(Pieces, InnerWorkHasItsOwnQuestion) {
  int outer = 0, inner = 0;
  const Interruptible asks_outer([&] { ++outer; });
  interruption_point();
  try {
    const Interruptible asks_inner([&] {
      ++inner;
      throw Ended();
    });
    interruption_point();
  } catch (const Ended&) {
  }
  interruption_point();
  EXPECT_EQ(outer, 2);
  EXPECT_EQ(inner, 1);
}

// Every product and every attention of the models asks at least once for each piece's worth of its
// operations, and ends when it is told to.
TEST(Pieces, AllLargeWorkAsks) {
  const auto floats = at::TensorOptions(at::kFloat);
  const at::Tensor x = at::zeros({8000, 1024}, floats), weight = at::zeros({4096, 1024}, floats);
  auto expect_asks = [](const auto& work, double operations) {
    const int pieces = static_cast<int>(operations / kPieceOperations);
    ASSERT_GE(pieces, 2);
    EXPECT_GE(looks_of(work), pieces);
    EXPECT_EQ(looks_of(work, 2), 2);
  };
  const double product = 2.0 * 8000 * 1024 * 4096;
  expect_asks([&] { apply_linear(x, weight); }, product);
  expect_asks([&] { activated_linear(x, weight, {}, Activation::kGeluTanh); }, product);
  const at::Tensor out = at::empty({8000, 4096}, floats);
  expect_asks([&] { apply_linear_into(out, x, weight); }, product);

  const at::Tensor q = at::zeros({1, 4000, 8, 128}, floats),
                   k = at::zeros({1, 4, 2400, 128}, floats);
  expect_asks([&] { attention(q, k, k, {1, 50}, {}); }, 4.0 * 8 * 4000 * 2400 * 128);

  const at::Tensor places = at::zeros({3, 20, 1500, 64}, floats);
  expect_asks([&] { self_attention(places, places, places); }, 4.0 * 3 * 20 * 1500 * 1500 * 64);
  const at::Tensor few = at::zeros({100, 16, 500, 64}, floats);
  expect_asks([&] { self_attention(few, few, few); }, 4.0 * 100 * 16 * 500 * 500 * 64);
}

}  // namespace
}  // namespace vidi
