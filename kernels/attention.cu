// Attention of few queries over many keys: scores and softmax a tile of keys at a time (running
// maximum and sum, FlashAttention), the keys split over blocks (FlashDecoding), on the matrix units
// in half precision with float32 sums. kernels/attention.cpp is the specification.
//
// Shared memory of a block: its packed rows, then a ring of slots that keys and values enter in
// turn (keys of tile 0, values of tile 0, keys of tile 1 ...), copied ahead of their use. Rows are
// stored with their 16-byte chunks exchanged (chunk ^ row % 8), so that 8 rows of one chunk lie in
// different banks.
#include <cuda_runtime.h>

#include <atomic>
#include <climits>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/attention_tiles.h"
#include "kernels/launch.h"
#include "kernels/mma.cuh"

namespace vidi {
namespace {

constexpr float kLog2e = 1.4426950408889634f;
constexpr unsigned kAllLanes = 0xffffffffu;

// What blockIdx.x stands for; heads run fastest, so that neighbours read the same tokens.
struct Unit {
  int set, head, row_tile, part, question;
};

__device__ Unit find_unit(const AttentionPlan& plan, int n_sets, int kv_heads, int index) {
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

struct Span {
  int begin, end;
};

// Keys of the unit's part that at least one of its rows sees. Every warp finds out for itself.
__device__ Span visible_keys(const KeySet& set, const PlannedSet& plan, const Rows& rows,
                             int part) {
  Span span{part * plan.keys_per_part, min(set.n_keys, (part + 1) * plan.keys_per_part)};
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
__device__ Span row_span(const KeySet& set, const Rows& rows, int r, Span all) {
  if (!set.positions || r >= rows.end) return all;
  const int position = static_cast<int>(set.positions[rows.query(r)]);
  if (set.window_keys > 0) all.begin = max(all.begin, position - set.window_keys + 1);
  all.end = min(all.end, position + 1);
  return all;
}

// Byte offset of a 16-byte chunk in shared rows of kDim elements.
template <int kDim>
__device__ __forceinline__ int chunk_offset(int row, int chunk) {
  return row * kDim * 2 + ((chunk ^ (row & 7)) << 4);
}

template <typename T, AttentionTile kTile>
__device__ void load_rows(unsigned char* shared, const KeySet& set, const AttentionTask& task,
                          const Rows& rows, int kv_head) {
  constexpr int kDim = kTile.head_dim, kChunks = kDim / 8;
  for (int i = threadIdx.x; i < kTile.rows() * kChunks; i += kTile.threads()) {
    const int row = i / kChunks, chunk = i % kChunks, r = rows.first + row;
    const bool real = r < rows.end;
    int64_t from = 0;
    if (real) {
      const int head = kv_head * rows.group + r % rows.group;
      from = (int64_t{rows.query(r)} * task.heads + head) * kDim + chunk * 8;
    }
    copy16(shared + chunk_offset<kDim>(row, chunk), static_cast<const T*>(set.query) + from, real);
  }
}

// Keys or values [first, first + tile) of one head; those from `end` on are zeros.
template <typename T, AttentionTile kTile>
__device__ void load_tile(unsigned char* slot, const T* head, int64_t stride, int first, int end) {
  constexpr int kDim = kTile.head_dim, kChunks = kDim / 8, kStep = kTile.threads() / kChunks;
  const int chunk = threadIdx.x % kChunks, row0 = threadIdx.x / kChunks;
  const T* from = head + (first + row0) * stride + chunk * 8;
#pragma unroll
  for (int i = 0; i < kTile.keys() / kStep; ++i, from += kStep * stride) {
    const int row = row0 + i * kStep;
    const bool real = first + row < end;
    copy16(slot + chunk_offset<kDim>(row, chunk), real ? from : head, real);
  }
}

// Feeds the ring: next() waits for the next slot in turn and starts the copy that comes
// slots - 1 later, into the slot that all warps have just left.
template <typename T, AttentionTile kTile>
struct Feeder {
  unsigned char* ring;
  const T *key, *value;  // of this head, from key 0
  int64_t stride;
  Span keys;
  int slots, n_items, item = 0, read = 0, write = 0;

  __device__ void load_ahead(int ahead) {
    if (ahead < n_items) {
      load_tile<T, kTile>(ring + write * kTile.slot_bytes(), ahead % 2 == 0 ? key : value, stride,
                          keys.begin + ahead / 2 * kTile.keys(), keys.end);
    }
    commit_copies();
    if (++write == slots) write = 0;
  }

  __device__ void start() {
    for (int i = 0; i + 1 < slots; ++i) load_ahead(i);
  }

  __device__ void wait() const {
    if (slots == 2) {
      wait_copies<0>();
    } else if (slots == 3) {
      wait_copies<1>();
    } else {
      wait_copies<2>();
    }
    __syncthreads();
  }

  __device__ const unsigned char* next() {
    wait();
    load_ahead(item + slots - 1);
    ++item;
    const unsigned char* slot = ring + read * kTile.slot_bytes();
    if (++read == slots) read = 0;
    return slot;
  }
};

// A warp's 16 packed rows. A lane holds parts of rows lane / 4 and lane / 4 + 8.
template <typename T, AttentionTile kTile>
struct Warp {
  static constexpr int kDim = kTile.head_dim, kKeys = kTile.warp_keys;
  // Wide heads leave no registers for the rows' own elements when there are many scores as well.
  static constexpr bool kHoldsQueries = kDim <= 128 || kKeys <= 16;
  static constexpr int kHeldSteps = kHoldsQueries ? kDim / 16 : 1;

  int lane, row_warp, key_warp;
  uint32_t queries[kHeldSteps][4];
  float out[kDim / 8][4];      // unnormalised
  float top[2], sum[2];        // running maximum; sum of this lane's columns alone
  float scores[kKeys / 8][4];  // of the current tile, then their exponentials

  __device__ void init() {
    lane = threadIdx.x % 32;
    row_warp = threadIdx.x / 32 % kTile.row_warps;
    key_warp = threadIdx.x / 32 / kTile.row_warps;
#pragma unroll
    for (int j = 0; j < kDim / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) out[j][e] = 0;
    }
    top[0] = top[1] = -INFINITY;
    sum[0] = sum[1] = 0;
  }

  // chunk_offset of rows base + row, base a multiple of 8, and chunks 2 * step + chunk.
  static __device__ __forceinline__ const unsigned char* at(const unsigned char* base, int row,
                                                            int chunk, int step) {
    return base + row * kDim * 2 + ((step * 32) ^ ((chunk ^ (row & 7)) << 4));
  }

  __device__ void take_queries(const unsigned char* shared_rows) {
    if constexpr (kHoldsQueries) {
      const unsigned char* mine = shared_rows + row_warp * 16 * kDim * 2;
#pragma unroll
      for (int step = 0; step < kDim / 16; ++step) {
        load_matrices(queries[step], at(mine, lane % 16, lane / 16, step));
      }
    }
  }

  // scores = rows x keys of this warp's part of the tile.
  __device__ void score(const unsigned char* shared_rows, const unsigned char* shared_keys) {
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[n][e] = 0;
    }
    const unsigned char* mine = shared_rows + row_warp * 16 * kDim * 2;
    const unsigned char* keys = shared_keys + key_warp * kKeys * kDim * 2;
#pragma unroll
    for (int step = 0; step < kDim / 16; ++step) {
      uint32_t(&rows)[4] = queries[kHoldsQueries ? step : 0];
      if constexpr (!kHoldsQueries) load_matrices(rows, at(mine, lane % 16, lane / 16, step));
#pragma unroll
      for (int n = 0; n < kKeys / 16; ++n) {
        uint32_t k[4];  // keys 0-7 and 8-15, two halves of 8 elements each
        load_matrices(k,
                      at(keys + n * 16 * kDim * 2, lane / 16 * 8 + lane % 8, lane / 8 % 2, step));
        multiply_add<T>(scores[2 * n], rows, k[0], k[1]);
        multiply_add<T>(scores[2 * n + 1], rows, k[2], k[3]);
      }
    }
  }

  // Scale and soft cap, in powers of 2. cap * tanh(x) = cap - 2 cap / (e^2x + 1): its error is
  // absolute, 1e-7 of the cap.
  __device__ void shape(float scale, float softcap) {
    const float top_logit = softcap * kLog2e, rate = 2 * kLog2e * scale / softcap;
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float& x = scores[n][e];
        x = softcap > 0 ? fmaf(-2 * top_logit, fast_reciprocal(fast_exp2(x * rate) + 1), top_logit)
                        : x * (scale * kLog2e);
      }
    }
  }

  // `first`: the warp's first key in this tile.
  __device__ void mask(int first, const Span (&seen)[2]) {
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = first + n * 8 + lane % 4 * 2 + e % 2;
        if (key < seen[e / 2].begin || key >= seen[e / 2].end) scores[n][e] = -INFINITY;
      }
    }
  }

  // Scores to exponentials against the running maximum, which they move first.
  __device__ void soften() {
    float high[2] = {top[0], top[1]};
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
      high[0] = fmaxf(high[0], fmaxf(scores[n][0], scores[n][1]));
      high[1] = fmaxf(high[1], fmaxf(scores[n][2], scores[n][3]));
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      high[r] = fmaxf(high[r], __shfl_xor_sync(kAllLanes, high[r], 1));
      high[r] = fmaxf(high[r], __shfl_xor_sync(kAllLanes, high[r], 2));
    }
    // Soon a rare event: most tiles leave the maximum where it is.
    if (__any_sync(kAllLanes, high[0] > top[0] || high[1] > top[1])) raise(high);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float base = top[r] == -INFINITY ? 0 : top[r];
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) {
        float &a = scores[n][2 * r], &b = scores[n][2 * r + 1];
        a = fast_exp2(a - base), b = fast_exp2(b - base);
        sum[r] += a + b;
      }
    }
  }

  __device__ void raise(const float (&high)[2]) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float factor = high[r] == -INFINITY ? 1 : fast_exp2(top[r] - high[r]);
      top[r] = high[r];
      scale_row(r, factor);
    }
  }

  __device__ void scale_row(int r, float factor) {
    sum[r] *= factor;
#pragma unroll
    for (int j = 0; j < kDim / 8; ++j) out[j][2 * r] *= factor, out[j][2 * r + 1] *= factor;
  }

  // out += exponentials x values.
  __device__ void add_values(const unsigned char* shared_values) {
    const unsigned char* values = shared_values + key_warp * kKeys * kDim * 2;
#pragma unroll
    for (int n = 0; n < kKeys / 16; ++n) {
      const uint32_t weights[4] = {pack<T>(scores[2 * n][0], scores[2 * n][1]),
                                   pack<T>(scores[2 * n][2], scores[2 * n][3]),
                                   pack<T>(scores[2 * n + 1][0], scores[2 * n + 1][1]),
                                   pack<T>(scores[2 * n + 1][2], scores[2 * n + 1][3])};
#pragma unroll
      for (int j = 0; j < kDim / 16; ++j) {
        uint32_t v[4];  // elements 0-7 and 8-15, keys 0-7 and 8-15 each
        load_transposed(v, at(values + n * 16 * kDim * 2, lane % 16, lane / 16, j));
        multiply_add<T>(out[2 * j], weights, v[0], v[1]);
        multiply_add<T>(out[2 * j + 1], weights, v[2], v[3]);
      }
    }
  }
};

// The key warps of the same rows add up in those of key warp 0. `shared` holds nothing else now.
template <typename T, AttentionTile kTile>
__device__ void merge_key_warps(Warp<T, kTile>& w, unsigned char* shared) {
  constexpr int kRows = kTile.rows(), kPitch = kTile.head_dim + 8;  // in different banks
  constexpr int kOthers = kTile.key_warps - 1;
  static_assert(4 * kRows * (kOthers * kPitch + 2 * kTile.key_warps) <= 2 * kTile.slot_bytes());
  auto* outs = reinterpret_cast<float*>(shared);
  auto* stats = reinterpret_cast<float2*>(outs + kOthers * kRows * kPitch);
  const int row0 = w.row_warp * 16 + w.lane / 4;
  if (w.lane % 4 == 0) {
    stats[w.key_warp * kRows + row0] = make_float2(w.top[0], w.sum[0]);
    stats[w.key_warp * kRows + row0 + 8] = make_float2(w.top[1], w.sum[1]);
  }
  __syncthreads();
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float own = w.top[r];
    float sum = 0;
    for (int k = 0; k < kTile.key_warps; ++k) {
      w.top[r] = fmaxf(w.top[r], stats[k * kRows + row0 + 8 * r].x);
    }
    const float base = w.top[r] == -INFINITY ? 0 : w.top[r];
    for (int k = 0; k < kTile.key_warps; ++k) {
      const float2 other = stats[k * kRows + row0 + 8 * r];
      sum += other.y * fast_exp2(other.x - base);
    }
    w.scale_row(r, fast_exp2(own - base));
    w.sum[r] = sum;
  }
  float* mine = outs + row0 * kPitch + w.lane % 4 * 2;
  if (w.key_warp > 0) {
    float* slice = mine + (w.key_warp - 1) * kRows * kPitch;
#pragma unroll
    for (int j = 0; j < kTile.head_dim / 8; ++j) {
      *reinterpret_cast<float2*>(slice + j * 8) = make_float2(w.out[j][0], w.out[j][1]);
      *reinterpret_cast<float2*>(slice + 8 * kPitch + j * 8) =
          make_float2(w.out[j][2], w.out[j][3]);
    }
  }
  __syncthreads();
  if (w.key_warp > 0) return;
  for (int k = 0; k < kOthers; ++k, mine += kRows * kPitch) {
#pragma unroll
    for (int j = 0; j < kTile.head_dim / 8; ++j) {
      const float2 a = *reinterpret_cast<const float2*>(mine + j * 8);
      const float2 b = *reinterpret_cast<const float2*>(mine + 8 * kPitch + j * 8);
      w.out[j][0] += a.x, w.out[j][1] += a.y, w.out[j][2] += b.x, w.out[j][3] += b.y;
    }
  }
}

// The lanes of a row hold the sums of different columns.
template <typename T, AttentionTile kTile>
__device__ void merge_lanes(Warp<T, kTile>& w) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    w.sum[r] += __shfl_xor_sync(kAllLanes, w.sum[r], 1);
    w.sum[r] += __shfl_xor_sync(kAllLanes, w.sum[r], 2);
  }
}

template <typename T, AttentionTile kTile>
__device__ void store_partial(const Warp<T, kTile>& w, const Rows& rows, float* outs,
                              float2* stats) {
  if (w.key_warp > 0) return;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = w.row_warp * 16 + w.lane / 4 + 8 * r;
    if (rows.first + row >= rows.end) continue;
    const int64_t at = int64_t{blockIdx.x} * kTile.rows() + row;
    if (w.lane % 4 == 0) stats[at] = make_float2(w.top[r], w.sum[r]);
    float* out = outs + at * kTile.head_dim + w.lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < kTile.head_dim / 8; ++j) {
      *reinterpret_cast<float2*>(out + j * 8) = make_float2(w.out[j][2 * r], w.out[j][2 * r + 1]);
    }
  }
}

// Partial results: outs [n_units, rows, head_dim], stats [n_units, rows] (maximum, sum); a sum of 0
// says that nothing was seen, and outs holds nothing then.
template <typename T, int kIndex>
__global__ void __launch_bounds__(kAttentionTiles[kIndex].threads(),
                                  kAttentionTiles[kIndex].blocks_per_multiprocessor())
    attend(const __grid_constant__ AttentionTask task, const __grid_constant__ AttentionPlan plan,
           float* outs, float2* stats) {
  constexpr AttentionTile kTile = kAttentionTiles[kIndex];
  extern __shared__ __align__(128) unsigned char shared[];
  const Unit unit = find_unit(plan, task.n_sets, task.kv_heads, blockIdx.x);
  const KeySet& set = task.sets[unit.set];
  const PlannedSet& planned = plan.sets[unit.set];
  const int first_row = unit.row_tile * kTile.rows();
  const Rows rows{first_row, min(planned.rows, first_row + kTile.rows()),
                  unit.question * task.queries, task.heads / task.kv_heads};
  const Span keys = visible_keys(set, planned, rows, unit.part);
  if (keys.begin >= keys.end) {
    const int row = threadIdx.x;
    if (rows.first + row < rows.end && row < kTile.rows()) {
      stats[int64_t{blockIdx.x} * kTile.rows() + row] = make_float2(-INFINITY, 0);
    }
    return;
  }

  const int64_t head = unit.head * set.head_stride + unit.question * set.question_stride;
  const int n_tiles = (keys.end - keys.begin + kTile.keys() - 1) / kTile.keys();
  Feeder<T, kTile> feeder{shared + kTile.query_bytes(),
                          static_cast<const T*>(set.key) + head,
                          static_cast<const T*>(set.value) + head,
                          set.key_stride,
                          keys,
                          plan.slots,
                          2 * n_tiles};
  load_rows<T, kTile>(shared, set, task, rows, unit.head);  // in one group with the first keys
  feeder.start();

  Warp<T, kTile> warp;
  warp.init();
  const int row0 = rows.first + warp.row_warp * 16 + warp.lane / 4;
  const Span seen[2] = {row_span(set, rows, row0, keys), row_span(set, rows, row0 + 8, keys)};
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
  merge_lanes(warp);
  if constexpr (kTile.key_warps > 1) {
    __syncthreads();  // all warps have left the ring
    merge_key_warps(warp, feeder.ring);
  }
  store_partial(warp, rows, outs, stats);
}

// One set's partial results of one row and head: part p is at first + p * step.
struct Parts {
  int64_t first, step;
  int count;
};

__device__ Parts find_parts(const AttentionTask& task, const AttentionPlan& plan, int s, int query,
                            int head) {
  const PlannedSet& set = plan.sets[s];
  const int group = task.heads / task.kv_heads;
  const int question = task.sets[s].positions ? query / task.queries : 0;
  const int row = (query - question * task.queries) * group + head % group;
  const int64_t step = int64_t{set.row_tiles} * task.kv_heads;  // units from a part to the next
  const int64_t unit = set.first_unit + question * step * set.parts +
                       int64_t{row / plan.row_tile} * task.kv_heads + head / group;
  return {unit * plan.row_tile + row % plan.row_tile, step * plan.row_tile, set.parts};
}

// What each part counts in the whole, in `weights`; one warp.
__device__ void weigh_parts(const Parts& parts, const float2* stats, float* weights) {
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
}

// A block for each query (x) and head (y), 4 elements a thread: out = sum over the sets of their
// parts, weighed.
template <typename T>
__global__ void combine(const __grid_constant__ AttentionTask task,
                        const __grid_constant__ AttentionPlan plan, const float* outs,
                        const float2* stats) {
  __shared__ float weights[kMaxKeyParts];
  const int query = blockIdx.x, head = blockIdx.y, element = threadIdx.x * 4;
  float4 sum = make_float4(0, 0, 0, 0);
  for (int s = 0; s < task.n_sets; ++s) {
    const Parts parts = find_parts(task, plan, s, query, head);
    if (s > 0) __syncthreads();
    if (threadIdx.x < 32) weigh_parts(parts, stats, weights);
    __syncthreads();
#pragma unroll 4
    for (int p = 0; p < parts.count; ++p) {
      const float w = weights[p];
      if (w == 0) continue;  // there may be nothing at its place
      const auto* from = reinterpret_cast<const float4*>(
          outs + (parts.first + p * parts.step) * task.head_dim + element);
      const float4 x = *from;
      sum.x += w * x.x, sum.y += w * x.y, sum.z += w * x.z, sum.w += w * x.w;
    }
  }
  const int64_t at = (int64_t{query} * task.heads + head) * task.head_dim + element;
  *reinterpret_cast<uint2*>(static_cast<T*>(task.out) + at) =
      make_uint2(pack<T>(sum.x, sum.y), pack<T>(sum.z, sum.w));
}

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

template <typename... Arguments, typename... Given>
void launch(void (*kernel)(Arguments...), dim3 grid, int threads, int shared_bytes, void* stream,
            Given... given) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  check(cudaLaunchKernelEx(&config, kernel, given...), "attention");
}

// Once for each kernel and device: more than 48 KB of shared memory must be asked for.
template <typename Kernel>
void allow_shared_memory(Kernel kernel, int bytes, std::atomic<uint64_t>& done) {
  int device = 0;
  check(cudaGetDevice(&device), "attention");
  const uint64_t bit = uint64_t{1} << (device % 64);
  if (done.load() & bit) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
        "attention: shared memory");
  done.fetch_or(bit);
}

template <typename T, int kIndex>
bool launch_tile(const AttentionTask& task, const AttentionPlan& plan, void* workspace,
                 void* stream) {
  constexpr AttentionTile kTile = kAttentionTiles[kIndex];
  if (kTile.head_dim != task.head_dim || kTile.rows() != plan.row_tile) return false;
  static std::atomic<uint64_t> done{0};  // the plan's slots depend on the device alone
  allow_shared_memory(attend<T, kIndex>, plan.shared_bytes, done);
  auto* outs = static_cast<float*>(workspace);
  auto* stats =
      reinterpret_cast<float2*>(outs + int64_t{plan.n_units} * plan.row_tile * plan.head_dim);
  launch(attend<T, kIndex>, dim3(plan.n_units), kTile.threads(), plan.shared_bytes, stream, task,
         plan, outs, stats);
  launch(combine<T>, dim3(task.questions * task.queries, task.heads), task.head_dim / 4, 0, stream,
         task, plan, static_cast<const float*>(outs), static_cast<const float2*>(stats));
  return true;
}

template <typename T, int... kIndex>
bool launch_any(std::integer_sequence<int, kIndex...>, const AttentionTask& task,
                const AttentionPlan& plan, void* workspace, void* stream) {
  return (launch_tile<T, kIndex>(task, plan, workspace, stream) || ...);
}

}  // namespace

void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream) {
  constexpr auto kAll = std::make_integer_sequence<int, std::size(kAttentionTiles)>();
  const bool launched = type == ElementType::kHalf
                            ? launch_any<__half>(kAll, task, plan, workspace, stream)
                            : launch_any<__nv_bfloat16>(kAll, task, plan, workspace, stream);
  if (!launched) throw std::runtime_error("attention: no kernel for this head size");
}

}  // namespace vidi
