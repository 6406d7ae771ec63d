#include <gtest/gtest.h>

#include <vector>

#include "kernels/attention/attention_plan.h"

namespace vidi {
namespace {

constexpr DeviceLimits kH200{132, 232448}, kRtx4090{128, 101376}, kTiny{2, 101376};

AttentionTask make_task(int questions, int queries, int head_dim, std::vector<int> shared,
                        int slots) {
  static const int64_t kSomewhere = 0;
  AttentionTask task;
  task.questions = questions, task.queries = queries;
  task.heads = 16, task.kv_heads = 8, task.head_dim = head_dim;
  if (slots > 0) {
    task.sets[0].positions = &kSomewhere;
    task.sets[task.n_sets++].n_keys = slots;
  }
  for (int n : shared) task.sets[task.n_sets++].n_keys = n;
  return task;
}

void expect_complete(const AttentionTask& task, const AttentionPlan& plan) {
  int units = 0;
  for (int s = 0; s < task.n_sets; ++s) {
    const PlannedSet& set = plan.sets[s];
    const bool own = task.sets[s].positions != nullptr;
    EXPECT_EQ(set.first_unit, units);
    EXPECT_GE(set.row_tiles * plan.row_tile, set.rows);
    EXPECT_EQ(set.rows, 2 * task.queries * (own ? 1 : task.questions));
    EXPECT_GE(int64_t{set.parts} * set.keys_per_part, task.sets[s].n_keys);
    EXPECT_LE(set.parts, kMaxKeyParts);
    EXPECT_TRUE(own || (set.parts - 1) * set.keys_per_part < task.sets[s].n_keys) << "empty part";
    units += task.kv_heads * set.row_tiles * set.parts * (own ? task.questions : 1);
  }
  EXPECT_EQ(plan.n_units, units);
  EXPECT_GE(plan.slots, 2);
}

// Every row and every key of every set has its unit, no unit is planned for nothing, and a block
// fits each device, whatever the sizes.
TEST(AttentionPlan, CoversEverything) {
  for (const DeviceLimits& device : {kH200, kRtx4090, kTiny}) {
    for (int head_dim : {128, 256}) {
      for (int questions : {1, 3, 10, 64}) {
        for (int queries : {1, 7, 31, 1000}) {
          for (int keys : {1, 63, 64, 65, 3060, 63036, 703800}) {
            const AttentionTask task = make_task(questions, queries, head_dim, {keys, 37}, 1300);
            const AttentionPlan plan = plan_attention(task, device);
            expect_complete(task, plan);
            EXPECT_LE(plan.shared_bytes, device.shared_bytes);
          }
        }
      }
    }
  }
}

// A step of one question fills the device once: not a second round for a few blocks.
TEST(AttentionPlan, FillsTheDeviceOnce) {
  const AttentionPlan plan = plan_attention(make_task(1, 1, 256, {59976, 3060}, 0), kH200);
  EXPECT_EQ(plan.row_tile, 16);
  EXPECT_LE(plan.n_units, 2 * kH200.multiprocessors);
  EXPECT_GE(plan.n_units, 2 * kH200.multiprocessors - 8);
}

// Only the head sizes of the published models have a kernel.
TEST(AttentionPlan, KnowsItsHeadSizes) {
  EXPECT_TRUE(attention_kernel_has(128));
  EXPECT_TRUE(attention_kernel_has(256));
  for (int head_dim : {16, 32, 64, 72, 96, 192, 512}) EXPECT_FALSE(attention_kernel_has(head_dim));
}

}  // namespace
}  // namespace vidi
