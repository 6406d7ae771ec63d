// What a warp of the attention does with a tile of keys and values in shared memory.
#pragma once

#include "kernels/attention/attention_feed.cuh"

namespace vidi {

constexpr float kLog2e = 1.4426950408889634f;

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

  __device__ __forceinline__ void clear_scores() {
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[n][e] = 0;
    }
  }

  // scores = rows x keys of this warp's part of the tile.
  __device__ void score(const unsigned char* shared_rows, const unsigned char* shared_keys) {
    clear_scores();
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
  __device__ void mask(int first, const KeySpan (&seen)[2]) {
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

}  // namespace vidi
