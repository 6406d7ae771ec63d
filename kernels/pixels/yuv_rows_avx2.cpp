// AVX2 multiplies 16-bit words in pairs and adds the two products to 32 bits. So a step of up to 22
// bits is two words, for i * 2^kLowBits and i, and a part and its start are two, for i and 1.
#include "kernels/pixels/yuv_rows_avx2.h"

#include "kernels/pixels/avx2.h"

#ifdef VIDI_HAS_AVX2_CODE

namespace vidi {
namespace {

constexpr int kLowBits = 7;  // 255 * 2^7 is a word yet
using Line = YuvLine<uint8_t>;

// Sixteen numbers of 32 bits, in the order in which AVX2 unpacks words to them and packs them
// again.
struct Numbers {
  __m256i a, b;
};

VIDI_AVX2 inline Numbers operator+(const Numbers& x, const Numbers& y) {
  return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)};
}

VIDI_AVX2 inline Numbers operator+(const Numbers& x, int32_t y) {
  const __m256i ys = _mm256_set1_epi32(y);
  return {_mm256_add_epi32(x.a, ys), _mm256_add_epi32(x.b, ys)};
}

VIDI_AVX2 inline __m256i words_at(const uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

// Two words beside each other, times two others beside each other.
VIDI_AVX2 inline Numbers products(const Numbers& pairs, int32_t first, int32_t second) {
  const __m256i factors = _mm256_set1_epi32(static_cast<int32_t>(
      (static_cast<uint32_t>(first) & 0xFFFF) | static_cast<uint32_t>(second) << 16));
  return {_mm256_madd_epi16(pairs.a, factors), _mm256_madd_epi16(pairs.b, factors)};
}

// Sixteen indices of tables.
struct Indices {
  Numbers with_high, with_one;  // beside i: i * 2^kLowBits, 1

  VIDI_AVX2 inline explicit Indices(__m256i i) {
    const __m256i high = _mm256_slli_epi16(i, kLowBits), one = _mm256_set1_epi16(1);
    with_high = {_mm256_unpacklo_epi16(i, high), _mm256_unpackhi_epi16(i, high)};
    with_one = {_mm256_unpacklo_epi16(i, one), _mm256_unpackhi_epi16(i, one)};
  }
};

// Line::at() less its base.
VIDI_AVX2 inline Numbers rise(const Line& line, const Indices& i) {
  const Numbers parts =
      products(i.with_one, static_cast<int32_t>(line.part), static_cast<int32_t>(line.start));
  const Numbers small = {_mm256_srli_epi32(parts.a, Line::kPartBits),
                         _mm256_srli_epi32(parts.b, Line::kPartBits)};
  return small + products(i.with_high, line.step & ((1 << kLowBits) - 1), line.step >> kLowBits);
}

// (eighths * near + (8 - eighths) * far + 4) / 8
VIDI_AVX2 inline Indices mixed(const ChromaRows<uint8_t>& rows, int x) {
  const __m256i near = words_at(rows.near + x);
  const __m256i apart = _mm256_sub_epi16(words_at(rows.far + x), near);
  const __m256i far =
      _mm256_mullo_epi16(apart, _mm256_set1_epi16(static_cast<int16_t>(8 - rows.near_eighths)));
  const __m256i eight_times = _mm256_add_epi16(_mm256_slli_epi16(near, 3), _mm256_set1_epi16(4));
  return Indices(_mm256_srli_epi16(_mm256_add_epi16(eight_times, far), 3));
}

VIDI_AVX2 inline void store(const Numbers& sums, uint8_t* out) {
  const __m256i words = _mm256_packs_epi32(_mm256_srai_epi32(sums.a, YuvTables::kBits),
                                           _mm256_srai_epi32(sums.b, YuvTables::kBits));
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(out),
      _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

}  // namespace

VIDI_AVX2 int yuv_bytes_avx2(const YuvLines<uint8_t>& lines, const uint8_t* y,
                             const ChromaRows<uint8_t>& u_rows, const ChromaRows<uint8_t>& v_rows,
                             int width, uint8_t* planes) {
  // Copies of our own: `planes` are bytes, which might be anything's.
  const YuvLines<uint8_t> t = lines;
  const ChromaRows<uint8_t> us = u_rows, vs = v_rows;
  const int32_t red_base = t.luma.base + t.red_v.base, blue_base = t.luma.base + t.blue_u.base;
  const int32_t green_base = t.luma.base + t.green_u.base + t.green_v.base;
  uint8_t *red = planes, *green = planes + width, *blue = planes + size_t{2} * width;
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const Indices u = mixed(us, x), v = mixed(vs, x);
    const Numbers luma = rise(t.luma, Indices(words_at(y + x)));
    store(luma + (rise(t.red_v, v) + red_base), red + x);
    store(luma + (rise(t.green_u, u) + rise(t.green_v, v) + green_base), green + x);
    store(luma + (rise(t.blue_u, u) + blue_base), blue + x);
  }
  return x;
}

}  // namespace vidi

#endif
