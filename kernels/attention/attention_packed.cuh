// What a warp of the attention does with a tile of keys or values of 8 bits (key_matrix.h).
//
// ldmatrix moves pairs of bytes as if they were numbers of half precision, so a lane gets four
// neighbouring numbers of a key, or numbers 2 p and 2 p + 1 of two neighbouring values. Which of
// them multiplies what is right all the same: the queries lie in the keys' order (query_place), and
// the even numbers of a result are apart from the odd ones until
// store_partial.
#pragma once

#include "kernels/attention/attention_warp.cuh"
#include "kernels/cuda/bytes.cuh"
#include "kernels/cuda/vector.cuh"

namespace vidi {

// Weights times a value's scale become half precision: this keeps small weights away from its
// smallest numbers, and 1 times the largest scale there is (65504 / 127) below its largest.
constexpr float kWeightUnit = 64;

template <typename T, AttentionTile kTile>
struct PackedWarp : Warp<T, kTile> {
  using Base = Warp<T, kTile>;
  using Base::kDim, Base::kKeys, Base::kHoldsQueries, Base::lane, Base::scores, Base::out;

  // Where chunks 2 * step + chunk of row base + row lie, base a multiple of 8.
  static __device__ __forceinline__ const unsigned char* at(const unsigned char* base, int row,
                                                            int chunk, int step) {
    return base + row * kDim + ((step * 32) ^ ((chunk ^ (row & 7)) << 4));
  }

  // As the bytes of q + 128.
  static __device__ __forceinline__ void load_bytes(uint32_t (&r)[4], const unsigned char* from) {
    load_matrices(r, from);
    for (uint32_t& bytes : r) bytes ^= 0x80808080u;
  }

  // Scales of the lane's keys in a tile of 8: columns 2 (lane % 4) and the next.
  __device__ __forceinline__ float2 scales_of(const unsigned char* slot, int n) const {
    const unsigned char* scales = slot + kTile.keys() * kDim + this->key_warp * kKeys * 2;
    const T* two = reinterpret_cast<const T*>(scales) + n * 8 + lane % 4 * 2;
    const uint32_t both = *reinterpret_cast<const uint32_t*>(two);
    const T* each = reinterpret_cast<const T*>(&both);
    return make_float2(to_float(each[0]), to_float(each[1]));
  }

  __device__ void score(const unsigned char* shared_rows, const unsigned char* slot) {
    this->clear_scores();
    const unsigned char* mine = shared_rows + this->row_warp * 16 * kDim * 2;
    const unsigned char* keys = slot + this->key_warp * kKeys * kDim;
#pragma unroll
    for (int step = 0; step < kDim / 32; ++step) {
      uint32_t rows[2][4];
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        if constexpr (kHoldsQueries) {
#pragma unroll
          for (int i = 0; i < 4; ++i) rows[c][i] = this->queries[2 * step + c][i];
        } else {
          load_matrices(rows[c], Base::at(mine, lane % 16, lane / 16, 2 * step + c));
        }
      }
#pragma unroll
      for (int n = 0; n < kKeys / 16; ++n) {
        uint32_t k[4];  // keys 0-7: chunks 0 and 1; keys 8-15: chunks 0 and 1
        load_bytes(k, at(keys + n * 16 * kDim, lane / 16 * 8 + lane % 8, lane / 8 % 2, step));
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          multiply_add<T>(scores[2 * n + i / 2], rows[i % 2], two_of<T, 0, 1>(k[i]),
                          two_of<T, 2, 3>(k[i]));
        }
      }
    }
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
      const float2 scale = scales_of(slot, n);
      scores[n][0] *= scale.x, scores[n][1] *= scale.y;
      scores[n][2] *= scale.x, scores[n][3] *= scale.y;
    }
  }

  // out += exponentials x values, in units of 1 / kWeightUnit.
  __device__ void add_values(const unsigned char* slot) {
    const unsigned char* values = slot + this->key_warp * kKeys * kDim;
#pragma unroll
    for (int n = 0; n < kKeys / 16; ++n) {
      uint32_t weights[4];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float2 scale = scales_of(slot, 2 * n + i);
        scale.x *= kWeightUnit, scale.y *= kWeightUnit;
        const float(&w)[4] = scores[2 * n + i];
        weights[2 * i] = pack<T>(w[0] * scale.x, w[1] * scale.y);
        weights[2 * i + 1] = pack<T>(w[2] * scale.x, w[3] * scale.y);
      }
#pragma unroll
      for (int j = 0; j < kDim / 32; ++j) {
        uint32_t v[4];  // chunk 0: keys 0-7 and 8-15; chunk 1: the same
        load_transposed(v, at(values + n * 16 * kDim, lane % 16, lane / 16, j));
        for (uint32_t& bytes : v) bytes ^= 0x80808080u;
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          multiply_add<T>(out[4 * j + 2 * c], weights, two_of<T, 0, 2>(v[2 * c]),
                          two_of<T, 0, 2>(v[2 * c + 1]));
          multiply_add<T>(out[4 * j + 2 * c + 1], weights, two_of<T, 1, 3>(v[2 * c]),
                          two_of<T, 1, 3>(v[2 * c + 1]));
        }
      }
    }
  }

  __device__ void finish() {
#pragma unroll
    for (int j = 0; j < kDim / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) out[j][e] *= 1 / kWeightUnit;
    }
  }
};

}  // namespace vidi
