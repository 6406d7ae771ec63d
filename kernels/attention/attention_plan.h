// How the CUDA attention cuts its work into blocks. Plain numbers, also read by the kernels.
//
// The query heads that share a key/value head, of all queries that read the same keys, are the
// *packed rows* of one matrix product: row = query * group + head in group. A *unit* is what one
// block does: one key/value head, one tile of packed rows, one part of the keys. Units of the same
// rows leave partial results that a second kernel puts together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/device_limits.h"

namespace vidi {

constexpr int kMaxKeySets = 3;     // own text, pictures, sound
constexpr int kMaxKeyParts = 512;  // units that share their rows, per set

// Keys and values with a softmax of their own. Strides in elements; a key's head_dim elements lie
// together. Packed ones (key_matrix.h) are int8 and have scales; all queries see all of them, and
// are turned by the kernel.
struct KeySet {
  const void* query = nullptr;  // [questions, queries, heads, head_dim]
  int64_t query_stride = 0;     // elements from query to query
  const void* key = nullptr;
  const void* value = nullptr;
  int64_t key_stride = 0, head_stride = 0, question_stride = 0;
  const void* key_scales = nullptr;  // [kv_heads, scale_stride]; null: not packed
  const void* value_scales = nullptr;
  int64_t scale_stride = 0;  // a multiple of 8
  int n_keys = 0;
  // [questions, queries] on the device: each question has keys of its own and a query at p sees
  // keys up to p, with window_keys > 0 only that many of them. Null: all queries see all keys.
  const int64_t* positions = nullptr;
  int window_keys = 0;
};

struct AttentionTask {
  int questions = 0, queries = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 1, softcap = 0;
  KeySet sets[kMaxKeySets];
  int n_sets = 0;
  void* out = nullptr;  // [questions, queries, heads, head_dim], the sum over the sets
  // Or each set by itself: [n_sets, questions, queries, heads, head_dim], and of the exponentials
  // of its scores the logarithm of their sum, [n_sets, questions, queries, heads].
  float* set_outs = nullptr;
  float* set_log_sums = nullptr;
};

struct PlannedSet {
  int first_unit = 0;
  int rows = 0;       // packed rows that read the same keys
  int row_tiles = 0;  // units for these rows
  int parts = 0;      // units for the keys
  int keys_per_part = 0;
};

struct AttentionPlan {
  int row_tile = 0;      // packed rows of a unit: 16, 32, 64 or 128
  int slots = 0;         // pieces of keys or values that a block keeps in shared memory
  int packed_slots = 0;  // the same of packed ones
  int shared_bytes = 0;
  int n_units = 0;
  int head_dim = 0;
  PlannedSet sets[kMaxKeySets];

  // Unnormalised outputs [n_units, row_tile, head_dim], then [n_units, row_tile] maximum and sum.
  size_t workspace_bytes() const {
    return size_t{4} * n_units * row_tile * (static_cast<size_t>(head_dim) + 2);
  }
};

// The kernels' tiles for this head size: 128 and 256.
bool attention_kernel_has(int head_dim);

// `rounds`: units for each place in which a block can run at once; more rounds even out the end,
// fewer leave less to put together. The same numbers give the same plan, whatever the tensors hold.
AttentionPlan plan_attention(const AttentionTask& task, const DeviceLimits& device, int rounds = 1);

}  // namespace vidi
