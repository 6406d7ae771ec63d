#include "kernels/attention/attention_plan.h"

#include <algorithm>
#include <iterator>

#include "kernels/attention/attention_tiles.h"

namespace vidi {
namespace {

// A question's own text is short: usually one part.
constexpr int kOwnKeysPerPart = 512;

int div_up(int64_t a, int64_t b) { return static_cast<int>((a + b - 1) / b); }

// Shared memory for a block when `blocks` of them share a multiprocessor; each costs 1 KB more.
int shared_budget(const DeviceLimits& device, int blocks) {
  return (device.shared_bytes + 1024) / blocks - 1024;
}

constexpr int kMostSlots = 8;  // the kernel waits for so many

// As many slots as fit beside the queries, 2 to 4; 0 when not even 2 do.
int count_slots(const AttentionTile& tile, int budget) {
  const int slots = (budget - tile.query_bytes()) / tile.slot_bytes();
  return slots < 2 ? 0 : std::min(slots, 4);
}

// The smallest tile that holds all rows, or the largest that fits the device.
const AttentionTile& choose_tile(const AttentionTask& task, const DeviceLimits& device, int rows) {
  const AttentionTile* chosen = nullptr;
  for (const AttentionTile& tile : kAttentionTiles) {
    if (tile.head_dim != task.head_dim) continue;
    if (count_slots(tile, shared_budget(device, 1)) == 0) continue;
    if (!chosen || chosen->rows() < rows) chosen = &tile;
  }
  return *chosen;
}

// Parts for the shared sets: together about `units` units, at least one part each.
void split_shared(const AttentionTask& task, AttentionPlan& plan, const AttentionTile& tile,
                  int units) {
  int64_t keys = 0;
  int64_t units_per_part = 0;
  for (int s = 0; s < task.n_sets; ++s) {
    if (task.sets[s].positions) continue;
    keys += task.sets[s].n_keys;
    units_per_part = int64_t{plan.sets[s].row_tiles} * task.kv_heads;
  }
  if (keys == 0) return;
  const int wanted = static_cast<int>(std::clamp<int64_t>(units / units_per_part, 1, kMaxKeyParts));
  int per_part = div_up(div_up(keys, wanted), tile.keys()) * tile.keys();
  auto parts = [&](int n) { return div_up(n, per_part); };
  auto total = [&] {
    int sum = 0;
    for (int s = 0; s < task.n_sets; ++s) {
      if (!task.sets[s].positions) sum += parts(task.sets[s].n_keys);
    }
    return sum;
  };
  while (total() > std::max(wanted, task.n_sets)) per_part += tile.keys();
  for (int s = 0; s < task.n_sets; ++s) {
    if (task.sets[s].positions) continue;
    plan.sets[s].parts = parts(task.sets[s].n_keys);
    const int even = div_up(task.sets[s].n_keys, plan.sets[s].parts);
    plan.sets[s].keys_per_part = div_up(even, tile.keys()) * tile.keys();
  }
}

}  // namespace

bool attention_kernel_has(int head_dim) {
  return std::any_of(std::begin(kAttentionTiles), std::end(kAttentionTiles),
                     [&](const AttentionTile& tile) { return tile.head_dim == head_dim; });
}

AttentionPlan plan_attention(const AttentionTask& task, const DeviceLimits& device, int rounds) {
  const int group = task.heads / task.kv_heads;
  AttentionPlan plan;
  plan.head_dim = task.head_dim;
  int most_rows = 0;
  for (int s = 0; s < task.n_sets; ++s) {
    plan.sets[s].rows = group * task.queries * (task.sets[s].positions ? 1 : task.questions);
    most_rows = std::max(most_rows, plan.sets[s].rows);
  }
  const AttentionTile& tile = choose_tile(task, device, most_rows);
  plan.row_tile = tile.rows();
  int blocks = tile.blocks_per_multiprocessor();
  plan.slots = count_slots(tile, shared_budget(device, blocks));
  if (plan.slots == 0) plan.slots = count_slots(tile, shared_budget(device, blocks = 1));
  plan.shared_bytes = tile.query_bytes() + plan.slots * tile.slot_bytes();
  plan.packed_slots =
      std::min(plan.slots * tile.slot_bytes() / tile.packed_slot_bytes(), kMostSlots);

  for (int s = 0; s < task.n_sets; ++s) {
    PlannedSet& set = plan.sets[s];
    set.row_tiles = div_up(set.rows, plan.row_tile);
    set.parts = std::clamp(div_up(task.sets[s].n_keys, kOwnKeysPerPart), 1, kMaxKeyParts);
    set.keys_per_part = div_up(task.sets[s].n_keys, set.parts);
  }
  split_shared(task, plan, tile, rounds * blocks * device.multiprocessors);
  for (int s = 0; s < task.n_sets; ++s) {
    PlannedSet& set = plan.sets[s];
    set.first_unit = plan.n_units;
    plan.n_units +=
        task.kv_heads * set.row_tiles * set.parts * (task.sets[s].positions ? task.questions : 1);
  }
  return plan;
}

}  // namespace vidi
