#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "kernels/attention/self_attention.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

at::Tensor in_double(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
  at::Tensor scores = at::matmul(wide(q), wide(k).transpose(2, 3)) / std::sqrt(double(q.size(3)));
  return at::matmul(at::softmax(scores, -1), wide(v)).transpose(1, 2).flatten(2);
}

// Short rows and long ones, whole blocks and odd rests, one picture and several: the formula.
TEST(SelfAttention, IsTheFormula) {
  c10::InferenceMode inference;
  at::manual_seed(1);
  for (auto [batch, heads, n, dim] :
       {std::array<int64_t, 4>{3, 2, 49, 32}, {1, 5, 1500, 32}, {2, 3, 512, 8}, {1, 1, 769, 5}}) {
    at::Tensor q = at::randn({batch, heads, n, dim}) * 3, k = at::randn_like(q),
               v = at::randn_like(q);
    at::Tensor found = self_attention(q, k, v);
    EXPECT_EQ(found.sizes(), (std::vector<int64_t>{batch, n, heads * dim}));
    EXPECT_TRUE(at::allclose(found.to(at::kDouble), in_double(q, k, v), 1e-4, 1e-5)) << n;
  }
}

// Queries, keys and values lie between each other, as one product leaves them; outside of
// inference mode as well.
TEST(SelfAttention, TakesPartsOfOneProduct) {
  at::manual_seed(2);
  at::Tensor all = at::randn({2, 600, 3, 4, 16}).permute({2, 0, 3, 1, 4});
  at::Tensor found = self_attention(all[0], all[1], all[2]);
  EXPECT_TRUE(at::allclose(found.to(at::kDouble), in_double(all[0], all[1], all[2]), 1e-4, 1e-5));
}

// In half precision on a GPU it is the formula as well, whichever library has the batch: one
// picture, a batch of pictures, a batch of stretches of sound.
TEST(SelfAttention, IsTheFormulaOnAGpu) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  c10::InferenceMode inference;
  at::manual_seed(3);
  for (at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    const double one = dtype == at::kHalf ? 1.0 / 1024 : 1.0 / 128;
    for (auto [batch, heads, n, dim] :
         {std::array<int64_t, 4>{1, 2, 729, 72}, {16, 2, 729, 72}, {32, 1, 100, 64}}) {
      at::Tensor all = at::randn({batch, n, 3, heads, dim}).to(at::kCUDA).to(dtype);
      at::Tensor apart = all.permute({2, 0, 3, 1, 4});
      at::Tensor found = self_attention(apart[0], apart[1], apart[2]);
      EXPECT_EQ(found.sizes(), (std::vector<int64_t>{batch, n, heads * dim}));
      EXPECT_TRUE(at::allclose(found.to(at::kDouble), in_double(apart[0], apart[1], apart[2]),
                               2 * one, 2 * one))
          << batch;
    }
  }
}

}  // namespace
}  // namespace vidi
