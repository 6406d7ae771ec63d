// The shapes of a block of the CUDA attention. attention.cu has one kernel for each.
#pragma once

namespace vidi {

// row_warps x key_warps warps: a warp holds 16 packed rows and looks at `warp_keys` of every
// key_warps * warp_keys keys. The few rows of a step need all warps on different keys to keep
// memory busy; many rows need them on different rows, so that keys in shared memory serve all.
struct AttentionTile {
  int head_dim, row_warps, key_warps, warp_keys;

  constexpr int rows() const { return 16 * row_warps; }
  constexpr int keys() const { return key_warps * warp_keys; }
  constexpr int threads() const { return 32 * row_warps * key_warps; }
  constexpr int query_bytes() const { return rows() * head_dim * 2; }
  constexpr int slot_bytes() const { return keys() * head_dim * 2; }  // keys or values of one tile
  // The same in 8 bits, and behind them a scale of each key.
  constexpr int packed_slot_bytes() const { return keys() * (head_dim + 2); }
  // A thread of a wide head needs 255 registers, of which there are 64 K.
  constexpr int blocks_per_multiprocessor() const { return threads() <= 128 ? 2 : 1; }
};

constexpr AttentionTile kAttentionTiles[] = {
    {128, 1, 4, 32}, {128, 2, 2, 64}, {128, 4, 1, 64}, {128, 8, 1, 64},
    {256, 1, 4, 16}, {256, 2, 2, 32}, {256, 4, 1, 32}, {256, 8, 1, 64},
};

}  // namespace vidi
