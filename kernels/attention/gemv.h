// Products of a few rows with many, for attention of one token on the CPU: every key and value is
// read once, as a copy would. Matrix libraries first rearrange such operands, which costs more than
// the product. Torch-free; strides in elements.
#pragma once

#include <cstdint>

namespace vidi {

inline constexpr int64_t kGemvRows = 4;  // from more on a matrix library is faster

// scores[r * n + s] = rows[r] . keys[s]; rows [n_rows, width], keys [n, width].
void gemv(const float* rows, int64_t n_rows, int64_t width, const float* keys, int64_t key_stride,
          int64_t n, float* scores);

// out[r] = sum over s of weights[r * n + s] * values[s]; values [n, width], out [n_rows, width].
void gemv_transposed(const float* weights, int64_t n_rows, int64_t n, const float* values,
                     int64_t value_stride, int64_t width, float* out);

}  // namespace vidi
