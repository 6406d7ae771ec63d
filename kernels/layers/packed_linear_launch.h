// The door of the CUDA kernels for weights of 8 bits; what holds for all doors:
// kernels/cuda/element_type.h.
//
// A packed matrix [N, K], N a multiple of 16 and K of 32, is made of tiles of 16 rows and 32
// columns, in the order [N / 16][K / 32]. A tile is 32 times 16 bytes: lane l of a warp has columns
// 8 (l % 4) to 8 (l % 4) + 7 of row l / 4, then the same of row l / 4 + 8, each number stored as
// q + 128. That is what the lane needs of A for two mma.m16n8k16, in one load. Scales are fp16,
// [N / 16][G][16], G = ceil(K / 128): w = q * scale of its row and group.
#pragma once

#include <cstdint>

#include "kernels/cuda/element_type.h"

namespace vidi {

struct PackedTask {
  const void* weight = nullptr;  // N * K bytes
  const void* scales = nullptr;  // fp16
  int64_t n_out = 0;             // N
  int n_in = 0;                  // K
};

// out [rows, N] = x [rows, K] w^T; contiguous, rows at most kMostPackedRows.
struct PackedProductTask : PackedTask {
  const void* x = nullptr;
  void* out = nullptr;
  float* partial = nullptr;      // packed_workspace() floats, or null where that is 0
  unsigned* counters = nullptr;  // packed_counters(), all 0; they are 0 again afterwards
  int rows = 0;
  int splits = 1;  // packed_splits()
};
inline constexpr int kMostPackedRows = 128;

// Into how many parts K is cut, so that the device is busy.
int packed_splits(int64_t n_out, int n_in, int rows, int multiprocessors);
int64_t packed_workspace(int64_t n_out, int rows, int splits);  // floats
int64_t packed_counters(int64_t n_out);                         // unsigned numbers

void launch_packed_product(const PackedProductTask& task, ElementType type, void* stream);

// `rows` rows from `first` on (a multiple of 16) as contiguous [rows, K], rounded to `type`.
void launch_unpack(const PackedTask& task, int64_t first, int64_t rows, void* out, ElementType type,
                   void* stream);
// out [N, K / group]: WeightMatrix::folded; `width` a multiple of 8.
void launch_unpack_folded(const PackedTask& task, int group, int width, void* out, ElementType type,
                          void* stream);
// out [n, K]: the rows with these ids; an id is int64, below N.
void launch_unpack_rows(const PackedTask& task, const int64_t* ids, int64_t n, void* out,
                        ElementType type, void* stream);
// Quantises contiguous rows [n, K], n a multiple of 16, into rows [first, first + n) of the matrix.
void launch_pack(const void* rows, int64_t n, int64_t first, const PackedTask& to, ElementType type,
                 void* stream);

}  // namespace vidi
