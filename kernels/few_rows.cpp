#include "kernels/few_rows.h"

#include <algorithm>

// Where the processor has it: 8 numbers and both operations at once. Not under a sanitizer, whose
// runtime is not ready when the pick is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define VIDI_ALSO_FOR_FMA __attribute__((target_clones("fma", "default")))
#else
#define VIDI_ALSO_FOR_FMA
#endif

namespace vidi {

VIDI_ALSO_FOR_FMA
void dot_few_rows(const float* rows, int64_t n_rows, int64_t width, const float* keys,
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

VIDI_ALSO_FOR_FMA
void weigh_few_rows(const float* weights, int64_t n_rows, int64_t n, const float* values,
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

}  // namespace vidi
