#include "kernels/layers/packed_rows.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pixels/avx2.h"

#define VIDI_INLINE inline __attribute__((always_inline))

namespace vidi {
namespace {

// Sums that do not wait for each other: of four rows, or of four quarters of one. n: a multiple
// of 4.
VIDI_INLINE void dot_four(const float* w, const float* x, int64_t stride, int64_t n, float* out) {
  const float *x1 = x + stride, *x2 = x + 2 * stride, *x3 = x + 3 * stride;
  float a = 0, b = 0, c = 0, d = 0;
#pragma omp simd reduction(+ : a, b, c, d)
  for (int64_t i = 0; i < n; ++i) {
    a += w[i] * x[i], b += w[i] * x1[i], c += w[i] * x2[i], d += w[i] * x3[i];
  }
  out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}

VIDI_INLINE float dot_one(const float* w, const float* x, int64_t n) {
  const int64_t q = n / 4;
  float a = 0, b = 0, c = 0, d = 0;
#pragma omp simd reduction(+ : a, b, c, d)
  for (int64_t i = 0; i < q; ++i) {
    a += w[i] * x[i], b += w[i + q] * x[i + q];
    c += w[i + 2 * q] * x[i + 2 * q], d += w[i + 3 * q] * x[i + 3 * q];
  }
  return (a + b) + (c + d);
}

VIDI_INLINE void widen(const int8_t* q, const float* scales, int64_t n_in, float* row) {
  for (int64_t at = 0; at < n_in; at += kPackedGroup) {
    const int64_t end = std::min(at + kPackedGroup, n_in);
    const float scale = scales[at / kPackedGroup];
#pragma omp simd
    for (int64_t i = at; i < end; ++i) row[i] = static_cast<float>(q[i]) * scale;
  }
}

VIDI_INLINE void dot(const int8_t* q, const float* scales, const float* x, int64_t n_rows,
                     int64_t n_in, float* row, float* out) {
  widen(q, scales, n_in, row);
  int64_t r = 0;
  for (; r + 4 <= n_rows; r += 4) dot_four(row, x + r * n_in, n_in, n_in, out + r);
  for (; r < n_rows; ++r) out[r] = dot_one(row, x + r * n_in, n_in);
}

#ifdef VIDI_HAS_AVX2_CODE
VIDI_FMA __m256 eight_numbers(const int8_t* q) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(q));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

VIDI_FMA float sum_of(__m256 x) {
  float lanes[8];
  _mm256_storeu_ps(lanes, x);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// One row of x: the numbers are used as they are read. n_in: a multiple of 32.
VIDI_FMA float dot_one_fma(const int8_t* q, const float* scales, const float* x, int64_t n_in) {
  __m256 total = _mm256_setzero_ps();
  for (int64_t at = 0; at < n_in; at += kPackedGroup) {
    __m256 sums[4] = {};
    for (int64_t i = at; i < std::min(at + kPackedGroup, n_in); i += 32) {
      for (int k = 0; k < 4; ++k)
        sums[k] =
            _mm256_fmadd_ps(eight_numbers(q + i + 8 * k), _mm256_loadu_ps(x + i + 8 * k), sums[k]);
    }
    const __m256 of_group =
        _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
    total = _mm256_fmadd_ps(_mm256_set1_ps(scales[at / kPackedGroup]), of_group, total);
  }
  return sum_of(total);
}

// kRows rows of x at once, so that a number is widened once for all. n_in: a multiple of 8.
template <int kRows>
VIDI_FMA void dot_rows_fma(const int8_t* q, const float* scales, const float* x, int64_t n_in,
                           float* out) {
  __m256 sums[kRows] = {};
  for (int64_t at = 0; at < n_in; at += kPackedGroup) {
    const __m256 scale = _mm256_set1_ps(scales[at / kPackedGroup]);
    for (int64_t i = at; i < std::min(at + kPackedGroup, n_in); i += 8) {
      const __m256 w = _mm256_mul_ps(eight_numbers(q + i), scale);
      for (int r = 0; r < kRows; ++r)
        sums[r] = _mm256_fmadd_ps(w, _mm256_loadu_ps(x + r * n_in + i), sums[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) out[r] = sum_of(sums[r]);
}

VIDI_FMA void dot_fma(const int8_t* q, const float* scales, const float* x, int64_t n_rows,
                      int64_t n_in, float* row, float* out) {
  if (n_in % 32 != 0) return dot(q, scales, x, n_rows, n_in, row, out);
  int64_t r = 0;
  for (; r + 8 <= n_rows; r += 8) dot_rows_fma<8>(q, scales, x + r * n_in, n_in, out + r);
  for (; r + 4 <= n_rows; r += 4) dot_rows_fma<4>(q, scales, x + r * n_in, n_in, out + r);
  for (; r < n_rows; ++r) out[r] = dot_one_fma(q, scales, x + r * n_in, n_in);
}

VIDI_FMA void widen_fma(const int8_t* q, const float* scales, int64_t n_in, float* row) {
  widen(q, scales, n_in, row);
}
#endif

}  // namespace

void quantize_row(const float* row, int64_t n_in, int8_t* q, float* scales) {
  for (int64_t at = 0; at < n_in; at += kPackedGroup) {
    const int64_t end = std::min(at + kPackedGroup, n_in);
    float largest = 0;
    bool are_finite = true;
    for (int64_t i = at; i < end; ++i) {
      largest = std::max(largest, std::abs(row[i]));
      are_finite &= std::isfinite(row[i]);
    }
    if (!are_finite) largest = std::numeric_limits<float>::infinity();
    const float scale = c10::Half(largest / 127);
    scales[at / kPackedGroup] = scale;
    for (int64_t i = at; i < end; ++i) {
      const float nearest = scale > 0 ? std::nearbyint(row[i] / scale) : 0;
      // Not std::clamp: a number that is none becomes -127.
      q[i] = static_cast<int8_t>(std::min(std::max(-127.0f, nearest), 127.0f));
    }
  }
}

void dequantize_row(const int8_t* q, const float* scales, int64_t n_in, float* row) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_fma()) return widen_fma(q, scales, n_in, row);
#endif
  widen(q, scales, n_in, row);
}

void packed_dot(const int8_t* q, const float* scales, const float* x, int64_t n_rows, int64_t n_in,
                float* row, float* out) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_fma()) return dot_fma(q, scales, x, n_rows, n_in, row, out);
#endif
  dot(q, scales, x, n_rows, n_in, row, out);
}

}  // namespace vidi
