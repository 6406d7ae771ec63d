#include "kernels/attention/gemv.h"

#include <algorithm>

#include "kernels/pixels/avx2.h"

#define VIDI_INLINE inline __attribute__((always_inline))

namespace vidi {
namespace {

VIDI_INLINE void dot(const float* rows, int64_t n_rows, int64_t width, const float* keys,
                     int64_t key_stride, int64_t n, float* scores) {
  for (int64_t s = 0; s < n; ++s) {
    const float* key = keys + s * key_stride;
    for (int64_t r = 0; r < n_rows; ++r) {
      const float* row = rows + r * width;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t d = 0; d < width; ++d) sum += row[d] * key[d];
      scores[r * n + s] = sum;
    }
  }
}

VIDI_INLINE void weigh(const float* weights, int64_t n_rows, int64_t n, const float* values,
                       int64_t value_stride, int64_t width, float* out) {
  std::fill(out, out + n_rows * width, 0.0f);
  for (int64_t s = 0; s < n; ++s) {
    const float* value = values + s * value_stride;
    for (int64_t r = 0; r < n_rows; ++r) {
      const float weight = weights[r * n + s];
      float* sum = out + r * width;
#pragma omp simd
      for (int64_t d = 0; d < width; ++d) sum[d] += weight * value[d];
    }
  }
}

#ifdef VIDI_HAS_AVX2_CODE
// 8 numbers and both operations at once.
VIDI_FMA void dot_fma(const float* rows, int64_t n_rows, int64_t width, const float* keys,
                      int64_t key_stride, int64_t n, float* scores) {
  dot(rows, n_rows, width, keys, key_stride, n, scores);
}

VIDI_FMA void weigh_fma(const float* weights, int64_t n_rows, int64_t n, const float* values,
                        int64_t value_stride, int64_t width, float* out) {
  weigh(weights, n_rows, n, values, value_stride, width, out);
}
#endif

}  // namespace

void gemv(const float* rows, int64_t n_rows, int64_t width, const float* keys, int64_t key_stride,
          int64_t n, float* scores) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_fma()) return dot_fma(rows, n_rows, width, keys, key_stride, n, scores);
#endif
  dot(rows, n_rows, width, keys, key_stride, n, scores);
}

void gemv_transposed(const float* weights, int64_t n_rows, int64_t n, const float* values,
                     int64_t value_stride, int64_t width, float* out) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_fma()) return weigh_fma(weights, n_rows, n, values, value_stride, width, out);
#endif
  weigh(weights, n_rows, n, values, value_stride, width, out);
}

}  // namespace vidi
