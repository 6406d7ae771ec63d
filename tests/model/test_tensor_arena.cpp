// Tensors of an arena: each has the memory that was announced, apart from all others, in as few
// allocations as were asked for.
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <vector>

#include "model/checkpoint/tensor_arena.h"
#include "model/device/offload.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

// What is written to one is in no other, and each begins at a line.
TEST(TensorArena, KeepsTensorsApart) {
  TensorArena arena(at::kCPU, {3 * 5 * 4, 0, 7 * 2, 513, 8});
  at::Tensor tensors[] = {arena.take({3, 5}, at::kFloat), arena.take({0, 4}, at::kHalf),
                          arena.take({7}, at::kHalf), arena.take({513}, at::kByte),
                          arena.take({1}, at::kLong)};
  for (int i = 0; i < 5; ++i) tensors[i].fill_(i + 1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(at::equal(tensors[i], at::full_like(tensors[i], i + 1))) << i;
    EXPECT_EQ(tensors[i].storage_offset() * tensors[i].element_size() % TensorArena::kLine, 0);
    EXPECT_TRUE(tensors[i].is_contiguous());
  }
}

// They lie together up to the size given, and one that is larger alone.
TEST(TensorArena, LieTogetherUpToABound) {
  TensorArena arena(at::kCPU, {1000, 1000, 1000, 5000, 512}, 2048);
  std::vector<const void*> blocks;
  std::vector<at::Tensor> kept;
  for (const int64_t n : {1000, 1000, 1000, 5000, 512}) {
    kept.push_back(arena.take({n}, at::kByte));
    blocks.push_back(kept.back().storage().unsafeGetStorageImpl());
  }
  EXPECT_EQ(blocks[0], blocks[1]);
  EXPECT_NE(blocks[1], blocks[2]);
  EXPECT_NE(blocks[2], blocks[3]);
  EXPECT_NE(blocks[3], blocks[4]);
}

// Another size than announced, or one tensor more, is refused.
TEST(TensorArena, HoldsWhatWasAnnounced) {
  TensorArena arena(at::kCPU, {8});
  EXPECT_THROW(arena.take({3}, at::kFloat), c10::Error);
  EXPECT_NO_THROW(arena.take({2}, at::kFloat));
  EXPECT_THROW(arena.take({2}, at::kFloat), c10::Error);
}

// They leave and come back as others do.
TEST(TensorArena, CanBeOffloaded) {
  TensorArena arena(at::kCPU, {400, 800});
  at::Tensor a = arena.take({100}, at::kFloat).normal_(),
             b = arena.take({200}, at::kFloat).normal_();
  const at::Tensor a_before = a.clone(), b_before = b.clone();
  Offload both({a, b});
  both.leave();
  both.come_back();
  EXPECT_TRUE(at::equal(a, a_before) && at::equal(b, b_before));
}

}  // namespace
}  // namespace vidi
