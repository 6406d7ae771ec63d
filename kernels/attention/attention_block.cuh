// What the blocks of the attention's two kernels do: scores, softmax and values of a unit, and what
// the units of a row come to together.
#pragma once

#include <cuda_runtime.h>

#include <iterator>
#include <type_traits>

#include "kernels/attention/attention_merge.cuh"
#include "kernels/attention/attention_packed.cuh"
#include "kernels/cuda/launch.cuh"

namespace vidi {

// A block's unit and what it works on.
struct Work {
  const AttentionTask& task;
  const AttentionPlan& plan;
  Unit unit;
  Rows rows;
  KeySpan keys;
};

// Partial results: outs [n_units, rows, head_dim], stats [n_units, rows] (maximum, sum); a sum of 0
// says that nothing was seen, and outs holds nothing then.
template <typename T, AttentionTile kTile, bool kPacked>
__device__ void attend_unit(const Work& work, unsigned char* shared, float* outs, float2* stats) {
  constexpr int kBytes = kPacked ? 1 : sizeof(T);
  const AttentionTask& task = work.task;
  const KeySet& set = task.sets[work.unit.set];
  const KeySpan keys = work.keys;
  const int n_tiles = (keys.end - keys.begin + kTile.keys() - 1) / kTile.keys();
  Feeder<kTile, kPacked> feeder{shared + kTile.query_bytes(), key_rows<kBytes>(set, work.unit),
                                keys, kPacked ? work.plan.packed_slots : work.plan.slots,
                                2 * n_tiles};
  feeder.start();
  if (!set.positions) wait_for_previous();  // the window's keys have long been there
  if constexpr (kPacked) {
    load_turned_rows<T, kTile>(shared, set, work.rows, work.unit.head);
  } else {
    load_rows<T, kTile>(shared, set, work.rows, work.unit.head);
  }

  std::conditional_t<kPacked, PackedWarp<T, kTile>, Warp<T, kTile>> warp;
  warp.init();
  const int row0 = work.rows.first + warp.row_warp * 16 + warp.lane / 4;
  const KeySpan seen[2] = {row_span(set, work.rows, row0, keys),
                           row_span(set, work.rows, row0 + 8, keys)};
  feeder.wait();
  warp.take_queries(shared);
  for (int tile = 0; tile < n_tiles; ++tile) {
    const int first = keys.begin + tile * kTile.keys();
    warp.score(shared, feeder.next());
    warp.shape(task.scale, task.softcap);
    if (set.positions || first + kTile.keys() > keys.end) {
      warp.mask(first + warp.key_warp * kTile.warp_keys, seen);
    }
    warp.soften();
    warp.add_values(feeder.next());
  }
  if constexpr (kPacked) warp.finish();
  merge_lanes<T, kTile>(warp);
  if constexpr (kTile.key_warps > 1) {
    __syncthreads();  // all warps have left the ring
    merge_key_warps<T, kTile>(warp, feeder.ring);
  }
  store_partial<kPacked, T, kTile>(warp, work.rows, outs, stats);
}

// The work of a block on the unit that blockIdx.x stands for. `shared`: plan.shared_bytes.
template <typename T, int kIndex>
__device__ void attend_block(const AttentionTask& task, const AttentionPlan& plan,
                             unsigned char* shared, float* outs, float2* stats) {
  constexpr AttentionTile kTile = kAttentionTiles[kIndex];
  const Unit unit = find_unit(plan, task.n_sets, task.kv_heads, blockIdx.x);
  const KeySet& set = task.sets[unit.set];
  let_next_start();
  if (set.positions) wait_for_previous();
  const PlannedSet& planned = plan.sets[unit.set];
  const int first_row = unit.row_tile * kTile.rows();
  const Rows rows{first_row, min(planned.rows, first_row + kTile.rows()),
                  unit.question * task.queries, task.heads / task.kv_heads};
  const KeySpan keys = visible_keys(set, planned, rows, unit.part);
  if (keys.begin >= keys.end) {
    const int row = threadIdx.x;
    if (rows.first + row < rows.end && row < kTile.rows()) {
      stats[int64_t{blockIdx.x} * kTile.rows() + row] = make_float2(-INFINITY, 0);
    }
    return;
  }
  const Work work{task, plan, unit, rows, keys};
  if (set.key_scales) {
    attend_unit<T, kTile, true>(work, shared, outs, stats);
  } else {
    attend_unit<T, kTile, false>(work, shared, outs, stats);
  }
}

// One set's partial results of one row and head: part p is at first + p * step.
struct Parts {
  int64_t first, step;
  int count;
};

__device__ inline Parts find_parts(const AttentionTask& task, const AttentionPlan& plan, int s,
                                   int query, int head) {
  const PlannedSet& set = plan.sets[s];
  const int group = task.heads / task.kv_heads;
  const int question = task.sets[s].positions ? query / task.queries : 0;
  const int row = (query - question * task.queries) * group + head % group;
  const int64_t step = int64_t{set.row_tiles} * task.kv_heads;  // units from a part to the next
  const int64_t unit = set.first_unit + question * step * set.parts +
                       int64_t{row / plan.row_tile} * task.kv_heads + head / group;
  return {unit * plan.row_tile + row % plan.row_tile, step * plan.row_tile, set.parts};
}

// What each part counts in the whole, in `weights`; one warp. Returns the logarithm to base 2 of
// the sum of exponentials over all of them.
__device__ inline float weigh_parts(const Parts& parts, const float2* stats, float* weights) {
  const int lane = threadIdx.x % 32;
  float top = -INFINITY, sum = 0;
  for (int p = lane; p < parts.count; p += 32) {
    top = fmaxf(top, stats[parts.first + p * parts.step].x);
  }
  for (int step = 16; step > 0; step /= 2) {
    top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, step));
  }
  for (int p = lane; p < parts.count; p += 32) {
    const float2 stat = stats[parts.first + p * parts.step];
    weights[p] = stat.y > 0 ? fast_exp2(stat.x - top) : 0;
    sum += weights[p] * stat.y;
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(kAllLanes, sum, step);
  for (int p = lane; p < parts.count; p += 32) weights[p] = sum > 0 ? weights[p] / sum : 0;
  return top + log2f(sum);
}

// Threads of `combine` that share their elements and divide the parts: what they wait for is
// memory's answer, part after part.
constexpr int kPartGroups = 4;

// Adds to `sum` every kPartGroups-th of a set's parts, as it counts.
__device__ inline void add_parts(float4& sum, const Parts& parts, const float* weights,
                                 const float* outs, int head_dim, int group) {
#pragma unroll 4
  for (int p = group; p < parts.count; p += kPartGroups) {
    const float w = weights[p];
    float4 x = make_float4(0, 0, 0, 0);
    if (w > 0) {  // else there may be nothing at its place
      x = *reinterpret_cast<const float4*>(outs + (parts.first + p * parts.step) * head_dim);
    }
    sum.x += w * x.x, sum.y += w * x.y, sum.z += w * x.z, sum.w += w * x.w;
  }
}

// What the groups of the same elements have added up, in those of group 0.
__device__ inline float4 add_groups(float4 sum, float4* sums, int group, int quads) {
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (group > 0) return sum;
  for (int g = 1; g < kPartGroups; ++g) {
    const float4 x = sums[threadIdx.x + g * quads];
    sum.x += x.x, sum.y += x.y, sum.z += x.z, sum.w += x.w;
  }
  return sum;
}

// For the query blockIdx.x and the head blockIdx.y, 4 elements a thread: out = sum over the sets of
// their parts, weighed.
template <typename T>
__device__ void combine_block(const AttentionTask& task, const AttentionPlan& plan,
                              const float* outs, const float2* stats) {
  __shared__ float weights[kMaxKeySets][kMaxKeyParts];
  __shared__ float4 sums[256];
  let_next_start();
  wait_for_previous();
  const int query = blockIdx.x, head = blockIdx.y, warp = threadIdx.x / 32;
  if (warp < task.n_sets) {
    weigh_parts(find_parts(task, plan, warp, query, head), stats, weights[warp]);
  }
  __syncthreads();
  const int quads = task.head_dim / 4, group = threadIdx.x / quads;
  const int element = threadIdx.x % quads * 4;
  float4 sum = make_float4(0, 0, 0, 0);
  for (int s = 0; s < task.n_sets; ++s) {
    add_parts(sum, find_parts(task, plan, s, query, head), weights[s], outs + element,
              task.head_dim, group);
  }
  sum = add_groups(sum, sums, group, quads);
  if (group > 0) return;
  const int64_t at = (int64_t{query} * task.heads + head) * task.head_dim + element;
  *reinterpret_cast<uint2*>(static_cast<T*>(task.out) + at) =
      make_uint2(pack<T>(sum.x, sum.y), pack<T>(sum.z, sum.w));
}

}  // namespace vidi
