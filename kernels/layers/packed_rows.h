// Weights of 8 bits on the CPU: rows of int8 with one scale for 128 columns. Plain loops; these are
// the specification of the CUDA kernels.
#pragma once

#include <cstdint>

namespace vidi {

inline constexpr int64_t kPackedGroup = 128;  // columns that share a scale
inline int64_t packed_groups(int64_t n_in) { return (n_in + kPackedGroup - 1) / kPackedGroup; }

// row [n_in] -> q [n_in], scales [packed_groups(n_in)], each rounded to fp16 before q is chosen;
// infinite where a number of the group is not finite.
void quantize_row(const float* row, int64_t n_in, int8_t* q, float* scales);
void dequantize_row(const int8_t* q, const float* scales, int64_t n_in, float* row);

// out[r] = sum of the row times x[r]; x [n_rows, n_in], n_in a multiple of 4. `row` [n_in]: for the
// numbers that the row stands for.
void packed_dot(const int8_t* q, const float* scales, const float* x, int64_t n_rows, int64_t n_in,
                float* row, float* out);

}  // namespace vidi
