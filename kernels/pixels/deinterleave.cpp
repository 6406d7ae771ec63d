#include "kernels/pixels/deinterleave.h"

#include <cstddef>
#include <cstring>

#include "kernels/pixels/avx2.h"

#define VIDI_INLINE inline __attribute__((always_inline))

namespace vidi {
namespace {

template <int step>
VIDI_INLINE void take(const uint8_t* in, int n, uint8_t* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] = in[i * step];
}

VIDI_INLINE void take_bytes(const uint8_t* in, int step, int n, uint8_t* out) {
  if (step == 2) take<2>(in, n, out);
  if (step == 3) take<3>(in, n, out);
  if (step == 4) take<4>(in, n, out);
}

template <int step>
VIDI_INLINE void take_words(const uint8_t* in, int n, int shift, uint16_t* __restrict out) {
  for (int i = 0; i < n; ++i) {
    const uint8_t* bytes = in + static_cast<ptrdiff_t>(2 * step) * i;
    const auto word = static_cast<uint16_t>((bytes[0] | bytes[1] << 8) << shift);
    out[i] = static_cast<uint16_t>(word | word >> 10);
  }
}

VIDI_INLINE void take_words(const uint8_t* in, int step, int n, int shift, uint16_t* out) {
  if (step == 1) take_words<1>(in, n, shift, out);
  if (step == 2) take_words<2>(in, n, shift, out);
}

#ifdef VIDI_HAS_AVX2_CODE
VIDI_AVX2 void take_bytes_avx2(const uint8_t* in, int step, int n, uint8_t* out) {
  take_bytes(in, step, n, out);
}
VIDI_AVX2 void take_words_avx2(const uint8_t* in, int step, int n, int shift, uint16_t* out) {
  take_words(in, step, n, shift, out);
}
#endif

}  // namespace

void deinterleave(const uint8_t* in, int step, int n, uint8_t* out) {
  if (step == 1) {
    std::memcpy(out, in, static_cast<size_t>(n));
    return;
  }
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_avx2()) return take_bytes_avx2(in, step, n, out);
#endif
  take_bytes(in, step, n, out);
}

void deinterleave(const uint8_t* in, int step, int n, int shift, uint16_t* out) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_avx2()) return take_words_avx2(in, step, n, shift, out);
#endif
  take_words(in, step, n, shift, out);
}

}  // namespace vidi
