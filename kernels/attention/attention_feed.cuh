// How rows, keys and values of the attention come into shared memory.
//
// Shared memory of a block: its packed rows, then a ring of slots that keys and values enter in
// turn (keys of tile 0, values of tile 0, keys of tile 1 ...), copied ahead of their use. Rows are
// stored with their 16-byte chunks exchanged (chunk ^ row % 8), so that 8 rows of one chunk lie in
// different banks.
#pragma once

#include "kernels/attention/attention_tiles.h"
#include "kernels/attention/attention_units.cuh"
#include "kernels/cuda/mma.cuh"

namespace vidi {

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
      from = rows.query(r) * set.query_stride + int64_t{head} * kDim + chunk * 8;
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
  KeySpan keys;
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

}  // namespace vidi
