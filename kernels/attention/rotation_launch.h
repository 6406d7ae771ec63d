// The door of the CUDA kernels for keys of 8 bits; what holds for all doors:
// kernels/cuda/element_type.h. Head sizes of attention_kernel_has.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

// Place of number `dim` of a head in queries that the attention reads beside packed keys: a lane
// of a warp finds numbers 4 p to 4 p + 3 of each 16 of a key, and of its queries 2 p, 2 p + 1,
// 2 p + 8 and 2 p + 9.
constexpr int query_place(int dim) {
  const int within = dim % 16, p = within / 4;
  return dim - within + within % 4 / 2 * 8 + 2 * p + within % 2;
}

// Rotation::kernel_queries: out [rows, heads, head_dim], contiguous.
struct TurnTask {
  const void* q = nullptr;  // [rows, heads, head_dim], heads contiguous in a row
  int64_t row_stride = 0;   // elements
  void* out = nullptr;
  int64_t rows = 0;
  int heads = 0, head_dim = 0;
};
void launch_turn_queries(const TurnTask& task, ElementType type, void* stream);

// KeyMatrix::put: contiguous rows [n, heads * head_dim] as numbers [n, heads, head_dim] and scales
// [n, heads].
struct PackKeysTask {
  const void* rows = nullptr;
  int8_t* numbers = nullptr;
  void* scales = nullptr;
  int64_t n = 0;
  int heads = 0, head_dim = 0;
  bool turns = false;  // keys
};
void launch_pack_keys(const PackKeysTask& task, ElementType type, void* stream);

}  // namespace vidi
