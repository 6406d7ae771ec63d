// How rows, keys and values of the attention come into shared memory.
//
// Shared memory of a block: its packed rows, then a ring of slots that keys and values enter in
// turn (keys of tile 0, values of tile 0, keys of tile 1 ...), copied ahead of their use. Rows are
// stored with their 16-byte chunks exchanged (chunk ^ row % 8), so that 8 rows of one chunk lie in
// different banks.
#pragma once

#include "kernels/attention/attention_tiles.h"
#include "kernels/attention/attention_units.cuh"
#include "kernels/attention/hadamard.cuh"
#include "kernels/cuda/mma.cuh"

namespace vidi {

// Byte offset of a 16-byte chunk in shared rows of kDim elements.
template <int kDim>
__device__ __forceinline__ int chunk_offset(int row, int chunk) {
  return row * kDim * 2 + ((chunk ^ (row & 7)) << 4);
}

// Where row r of the unit lies in memory.
template <typename T>
__device__ __forceinline__ const T* row_of(const KeySet& set, const Rows& rows, int kv_head, int r,
                                           int dim) {
  const int head = kv_head * rows.group + r % rows.group;
  return static_cast<const T*>(set.query) + rows.query(r) * set.query_stride + int64_t{head} * dim;
}

template <typename T, AttentionTile kTile>
__device__ void load_rows(unsigned char* shared, const KeySet& set, const Rows& rows, int kv_head) {
  constexpr int kDim = kTile.head_dim, kChunks = kDim / 8;
#pragma unroll 4
  for (int i = threadIdx.x; i < kTile.rows() * kChunks; i += kTile.threads()) {
    const int row = i / kChunks, chunk = i % kChunks, r = rows.first + row;
    uint4 x = make_uint4(0, 0, 0, 0);
    if (r < rows.end)
      x = *reinterpret_cast<const uint4*>(row_of<T>(set, rows, kv_head, r, kDim) + chunk * 8);
    *reinterpret_cast<uint4*>(shared + chunk_offset<kDim>(row, chunk)) = x;
  }
}

// Place of number `dim` of a row beside packed keys: a lane finds numbers 4 p to 4 p + 3 of each 16
// of a key, and of its rows 2 p, 2 p + 1, 2 p + 8 and 2 p + 9.
__device__ __forceinline__ int query_place(int dim) {
  const int within = dim % 16, p = within / 4;
  return dim - within + within % 4 / 2 * 8 + 2 * p + within % 2;
}

// The rows as packed keys are turned (rotation.h), a warp a row.
template <typename T, AttentionTile kTile>
__device__ void load_turned_rows(unsigned char* shared, const KeySet& set, const Rows& rows,
                                 int kv_head) {
  constexpr int kDim = kTile.head_dim, kOwn = kDim / 32;
  for (int row = threadIdx.x / 32; row < kTile.rows(); row += kTile.threads() / 32) {
    const int r = rows.first + row;
    float x[kOwn] = {};
    if (r < rows.end) load_head<T, kOwn>(x, row_of<T>(set, rows, kv_head, r, kDim));
    rotate(x);
#pragma unroll
    for (int i = 0; i < kOwn; i += 2) {
      const int place = query_place(threadIdx.x % 32 * kOwn + i);
      *reinterpret_cast<uint32_t*>(shared + chunk_offset<kDim>(row, place / 8) + place % 8 * 2) =
          pack<T>(x[i] * kQueryFactor<kOwn>, x[i + 1] * kQueryFactor<kOwn>);
    }
  }
}

// Keys and values of one head and their scales, from key 0 on.
struct KeyRows {
  const unsigned char *key, *value, *key_scales, *value_scales;
  int64_t pitch;  // bytes from key to key
};

// Those of a set for a unit, kBytes for a number.
template <int kBytes>
__device__ inline KeyRows key_rows(const KeySet& set, const Unit& unit) {
  const int64_t head = (unit.head * set.head_stride + unit.question * set.question_stride) * kBytes;
  const int64_t scales = unit.head * set.scale_stride * 2;
  auto at = [](const void* from, int64_t bytes) {
    return static_cast<const unsigned char*>(from) + bytes;
  };
  return {at(set.key, head), at(set.value, head), at(set.key_scales, scales),
          at(set.value_scales, scales), set.key_stride * kBytes};
}

// Keys or values [first, first + tile); those from `end` on are zeros. kPitch bytes a row there.
template <AttentionTile kTile, int kPitch>
__device__ void load_tile(unsigned char* slot, const unsigned char* rows, int64_t pitch, int first,
                          int end) {
  constexpr int kChunks = kPitch / 16, kStep = kTile.threads() / kChunks;
  const int chunk = threadIdx.x % kChunks, row0 = threadIdx.x / kChunks;
  const unsigned char* from = rows + (first + row0) * pitch + chunk * 16;
#pragma unroll
  for (int i = 0; i < kTile.keys() / kStep; ++i, from += kStep * pitch) {
    const int row = row0 + i * kStep;
    const bool real = first + row < end;
    copy16(slot + row * kPitch + ((chunk ^ (row & 7)) << 4), real ? from : rows, real);
  }
}

// Their scales; what is behind the last one is zero, or of a key that is not there (mask).
template <AttentionTile kTile>
__device__ void load_scales(unsigned char* to, const unsigned char* scales, int first, int end) {
  const int at = threadIdx.x * 8;
  if (at >= kTile.keys()) return;
  const bool real = first + at < end;
  copy16(to + at * 2, scales + (real ? (int64_t{first} + at) * 2 : 0), real);
}

// Feeds the ring: next() waits for the next slot in turn and starts the copy that comes
// slots - 1 later, into the slot that all warps have just left.
template <AttentionTile kTile, bool kPacked>
struct Feeder {
  static constexpr int kPitch = kTile.head_dim * (kPacked ? 1 : 2);
  static constexpr int kSlotBytes = kPacked ? kTile.packed_slot_bytes() : kTile.slot_bytes();

  unsigned char* ring;
  KeyRows from;
  KeySpan keys;
  int slots, n_items, item = 0, read = 0, write = 0;

  __device__ void load_ahead(int ahead) {
    if (ahead < n_items) {
      unsigned char* slot = ring + write * kSlotBytes;
      const int first = keys.begin + ahead / 2 * kTile.keys();
      const bool is_key = ahead % 2 == 0;
      load_tile<kTile, kPitch>(slot, is_key ? from.key : from.value, from.pitch, first, keys.end);
      if constexpr (kPacked) {
        load_scales<kTile>(slot + kTile.keys() * kPitch,
                           is_key ? from.key_scales : from.value_scales, first, keys.end);
      }
    }
    commit_copies();
    if (++write == slots) write = 0;
  }

  __device__ void start() {
    for (int i = 0; i + 1 < slots; ++i) load_ahead(i);
  }

  __device__ void wait() const {
    switch (slots) {  // up to slots - 2 later ones may be under way
      case 2:
        wait_copies<0>();
        break;
      case 3:
        wait_copies<1>();
        break;
      case 4:
        wait_copies<2>();
        break;
      case 5:
        wait_copies<3>();
        break;
      case 6:
        wait_copies<4>();
        break;
      case 7:
        wait_copies<5>();
        break;
      default:
        wait_copies<6>();
    }
    __syncthreads();
  }

  __device__ const unsigned char* next() {
    wait();
    load_ahead(item + slots - 1);
    ++item;
    const unsigned char* slot = ring + read * kSlotBytes;
    if (++read == slots) read = 0;
    return slot;
  }
};

}  // namespace vidi
