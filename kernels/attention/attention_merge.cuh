// How the warps of the same rows come together at the end, and what a block leaves.
#pragma once

#include "kernels/attention/attention_warp.cuh"

namespace vidi {

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

// `kPacked`: two tiles of 8 numbers are the even and the odd ones of 16.
template <bool kPacked, typename T, AttentionTile kTile>
__device__ void store_partial(const Warp<T, kTile>& w, const Rows& rows, float* outs,
                              float2* stats) {
  if (w.key_warp > 0) return;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = w.row_warp * 16 + w.lane / 4 + 8 * r;
    if (rows.first + row >= rows.end) continue;
    const int64_t at = int64_t{blockIdx.x} * kTile.rows() + row;
    if (w.lane % 4 == 0) stats[at] = make_float2(w.top[r], w.sum[r]);
    float* out = outs + at * kTile.head_dim + w.lane % 4 * (kPacked ? 4 : 2);
#pragma unroll
    for (int j = 0; j < kTile.head_dim / 8; ++j) {
      const float a = w.out[j][2 * r], b = w.out[j][2 * r + 1];
      if constexpr (!kPacked) {
        *reinterpret_cast<float2*>(out + j * 8) = make_float2(a, b);
      } else if (j % 2 == 0) {
        *reinterpret_cast<float4*>(out + j * 8) =
            make_float4(a, w.out[j + 1][2 * r], b, w.out[j + 1][2 * r + 1]);
      }
    }
  }
}

}  // namespace vidi
