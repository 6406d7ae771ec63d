// What a block of the attention works on: its unit, its packed rows and the keys that they see.
#pragma once

#include <climits>
#include <cstdint>

#include "kernels/attention/attention_plan.h"

namespace vidi {

constexpr unsigned kAllLanes = 0xffffffffu;

// What blockIdx.x stands for; heads run fastest, so that neighbours read the same tokens.
struct Unit {
  int set, head, row_tile, part, question;
};

__device__ inline Unit find_unit(const AttentionPlan& plan, int n_sets, int kv_heads, int index) {
  Unit u{};
  while (u.set + 1 < n_sets && index >= plan.sets[u.set + 1].first_unit) ++u.set;
  index -= plan.sets[u.set].first_unit;
  u.head = index % kv_heads, index /= kv_heads;
  u.row_tile = index % plan.sets[u.set].row_tiles, index /= plan.sets[u.set].row_tiles;
  u.part = index % plan.sets[u.set].parts, u.question = index / plan.sets[u.set].parts;
  return u;
}

// The unit's packed rows: where row r comes from.
struct Rows {
  int first, end;  // of this tile
  int first_query, group;
  __device__ int query(int r) const { return first_query + r / group; }
};

struct KeySpan {
  int begin, end;
};

// Keys of the unit's part that at least one of its rows sees. Every warp finds out for itself.
__device__ inline KeySpan visible_keys(const KeySet& set, const PlannedSet& plan, const Rows& rows,
                                       int part) {
  KeySpan span{part * plan.keys_per_part, min(set.n_keys, (part + 1) * plan.keys_per_part)};
  if (!set.positions) return span;
  int lowest = INT_MAX, highest = -1;
  for (int r = rows.first + static_cast<int>(threadIdx.x % 32); r < rows.end; r += 32) {
    const int position = static_cast<int>(set.positions[rows.query(r)]);
    lowest = min(lowest, position), highest = max(highest, position);
  }
  for (int step = 16; step > 0; step /= 2) {
    lowest = min(lowest, __shfl_xor_sync(kAllLanes, lowest, step));
    highest = max(highest, __shfl_xor_sync(kAllLanes, highest, step));
  }
  span.end = min(span.end, highest + 1);
  if (set.window_keys > 0) span.begin = max(span.begin, lowest - set.window_keys + 1);
  return span;
}

// The keys that one row sees.
__device__ inline KeySpan row_span(const KeySet& set, const Rows& rows, int r, KeySpan all) {
  if (!set.positions || r >= rows.end) return all;
  const int position = static_cast<int>(set.positions[rows.query(r)]);
  if (set.window_keys > 0) all.begin = max(all.begin, position - set.window_keys + 1);
  all.end = min(all.end, position + 1);
  return all;
}

}  // namespace vidi
