// The door of a CUDA kernel; what holds for all of them: kernels/cuda/element_type.h.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

// rope.h: q [rows, heads, head_dim] turned into `turned`; k turned and v as it is into
// [rows / queries, kv_heads, slots, head_dim] at their positions. A position without a slot or a
// row of the table is left out. head_dim a multiple of 16.
struct RopeTask {
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;  // elements from row to row
  const int64_t* positions = nullptr;                // [rows]
  const void *cos = nullptr, *sin = nullptr;         // [table_rows, head_dim / 2]
  void *turned = nullptr, *key = nullptr, *value = nullptr;
  int64_t table_rows = 0, slots = 0;
  int rows = 0, queries = 0, heads = 0, kv_heads = 0, head_dim = 0;
};
void launch_rope(const RopeTask& task, ElementType type, void* stream);

}  // namespace vidi
