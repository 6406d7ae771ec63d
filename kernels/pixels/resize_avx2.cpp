// AVX2 multiplies 16-bit numbers in pairs and adds the two products. A weight of 22 bits is a high
// and a low half for it: sum(high * pixel) * 65536 + sum(low * pixel), modulo 2^32 as the plain
// sum, hence the same bits.
#include "kernels/pixels/resize_avx2.h"

#include <cstring>

#include "kernels/pixels/avx2.h"

#ifdef VIDI_HAS_AVX2_CODE

namespace vidi {
namespace {

constexpr int kLanes = 3 * kStripRows;  // [channel, row]
constexpr int kPairBytes = 2 * kLanes;
constexpr int kHighBits = 16;

struct Halves {
  int16_t low, high;
};

Halves halves_of(int32_t weight) {
  const auto low = static_cast<int16_t>(weight);
  return {low, static_cast<int16_t>((weight - low) >> kHighBits)};
}

int32_t pair_of(int16_t first, int16_t second) {
  return static_cast<int32_t>(static_cast<uint16_t>(first) |
                              static_cast<uint32_t>(static_cast<uint16_t>(second)) << 16);
}

// Two weights beside each other, for two pixels beside each other.
struct WeightPair {
  int32_t low, high;
  WeightPair(int32_t first, int32_t second) {
    const Halves a = halves_of(first), b = halves_of(second);
    low = pair_of(a.low, b.low), high = pair_of(a.high, b.high);
  }
};

// ---- Across ------------------------------------------------------------------------------------

void prepare(AcrossTaps& across, int width) {
  if (!across.block.empty()) return;
  const Taps& taps = across.taps;
  const size_t side = taps.first.size(), stride = taps.stride / 2 + 1;
  across.lanes.resize(side * kLanes);
  across.first_pair.resize(side), across.n_pairs.resize(side);
  across.low.resize(side * stride), across.high.resize(side * stride);
  for (size_t x = 0; x < side; ++x) {
    const int first = taps.first[x], stop = first + taps.count[x];
    const auto weight = [&](int position) {
      return position < first || position >= stop ? 0 : taps.weights_of(x)[position - first];
    };
    across.first_pair[x] = first / 2;
    across.n_pairs[x] = (stop + 1) / 2 - first / 2;
    for (int p = 0; p < across.n_pairs[x]; ++p) {
      const int position = (first / 2 + p) * 2;
      const WeightPair pair(weight(position), weight(position + 1));
      across.low[x * stride + p] = pair.low, across.high[x * stride + p] = pair.high;
    }
  }
  // Last: it says that all is there.
  across.block.assign((static_cast<size_t>(width) + 1) / 2 * kPairBytes, 0);
}

// Eight rows of words to eight columns of them: word w of row r goes to word r of result w.
VIDI_AVX2 inline void transpose_words(__m128i rows[8]) {
  __m128i a[8], b[8];
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm_unpacklo_epi16(rows[2 * i], rows[2 * i + 1]);
    a[2 * i + 1] = _mm_unpackhi_epi16(rows[2 * i], rows[2 * i + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      b[4 * i + 2 * j] = _mm_unpacklo_epi32(a[4 * i + j], a[4 * i + 2 + j]);
      b[4 * i + 2 * j + 1] = _mm_unpackhi_epi32(a[4 * i + j], a[4 * i + 2 + j]);
    }
  }
  for (int i = 0; i < 4; ++i) {
    rows[2 * i] = _mm_unpacklo_epi64(b[i], b[4 + i]);
    rows[2 * i + 1] = _mm_unpackhi_epi64(b[i], b[4 + i]);
  }
}

// One channel of eight rows to block [pixel pair, channel, row, 2].
VIDI_AVX2 void interleave(const uint8_t* const rows[kStripRows], int width, uint8_t* block) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    __m128i pairs[kStripRows];
    for (int r = 0; r < kStripRows; ++r)
      pairs[r] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + x));
    transpose_words(pairs);
    for (int p = 0; p < 8; ++p)
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(block + static_cast<size_t>(x / 2 + p) * kPairBytes),
          pairs[p]);
  }
  for (; x < width; ++x)
    for (int r = 0; r < kStripRows; ++r)
      block[static_cast<size_t>(x / 2) * kPairBytes + 2 * r + x % 2] = rows[r][x];
}

// Missing rows repeat the last.
void interleave_strip(const uint8_t* planes, int width, int n_rows, uint8_t* block) {
  for (int c = 0; c < 3; ++c) {
    const uint8_t* rows[kStripRows];
    for (int r = 0; r < kStripRows; ++r)
      rows[r] = planes + (static_cast<size_t>(std::min(r, n_rows - 1)) * 3 + c) * width;
    interleave(rows, width, block + 2 * kStripRows * c);
  }
}

VIDI_AVX2 inline __m256i words_at(const uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

VIDI_AVX2 inline __m256i add_products(__m256i sum, __m256i pixels, __m256i weights) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pixels, weights));
}

VIDI_AVX2 inline __m256i pixels_of(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(low, _mm256_slli_epi32(high, kHighBits)),
                                       _mm256_set1_epi32(kTapHalf));
  return _mm256_srai_epi32(sum, kTapBits);
}

// Two times eight numbers, clamped, in order.
VIDI_AVX2 inline __m128i bytes_of(__m256i first, __m256i second) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

// One target position of the strip: [channel, row].
VIDI_AVX2 void filter_position(const uint8_t* pair, const int32_t* low, const int32_t* high,
                               int n_pairs, uint8_t* out) {
  __m256i lows[3], highs[3];
  for (int c = 0; c < 3; ++c) lows[c] = highs[c] = _mm256_setzero_si256();
  for (int p = 0; p < n_pairs; ++p, pair += kPairBytes) {
    const __m256i low_weights = _mm256_set1_epi32(low[p]);
    const __m256i high_weights = _mm256_set1_epi32(high[p]);
    for (int c = 0; c < 3; ++c) {
      const __m256i pixels = words_at(pair + 2 * kStripRows * c);
      lows[c] = add_products(lows[c], pixels, low_weights);
      highs[c] = add_products(highs[c], pixels, high_weights);
    }
  }
  const __m256i blue = pixels_of(lows[2], highs[2]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   bytes_of(pixels_of(lows[0], highs[0]), pixels_of(lows[1], highs[1])));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 16), bytes_of(blue, blue));
}

// [n, kStripRows] to the first rows of [kStripRows, n].
VIDI_AVX2 void separate_rows(const uint8_t* lanes, size_t n, int n_rows, uint8_t* target) {
  const auto eight_at = [&](size_t i) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lanes + i * kStripRows));
  };
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i rows[kStripRows];
    for (size_t j = 0; j < kStripRows; ++j)
      rows[j] = _mm_unpacklo_epi8(eight_at(i + 2 * j), eight_at(i + 2 * j + 1));
    transpose_words(rows);
    for (int r = 0; r < n_rows; ++r)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(target + static_cast<size_t>(r) * n + i),
                       rows[r]);
  }
  for (; i < n; ++i)
    for (int r = 0; r < n_rows; ++r)
      target[static_cast<size_t>(r) * n + i] = lanes[i * kStripRows + r];
}

void across(const uint8_t* planes, int width, int n_rows, AcrossTaps& taps, uint8_t* target) {
  prepare(taps, width);
  interleave_strip(planes, width, n_rows, taps.block.data());
  const size_t side = taps.first_pair.size(), stride = taps.low.size() / side;
  for (size_t x = 0; x < side; ++x)
    filter_position(taps.block.data() + static_cast<size_t>(taps.first_pair[x]) * kPairBytes,
                    &taps.low[x * stride], &taps.high[x * stride], taps.n_pairs[x],
                    &taps.lanes[x * kLanes]);
  separate_rows(taps.lanes.data(), side * 3, n_rows, target);
}

// ---- Down --------------------------------------------------------------------------------------

// Sixteen columns of two rows: pixels beside each other are of one column.
VIDI_AVX2 inline void add_rows(const uint8_t* first, const uint8_t* second, const WeightPair& pair,
                               __m256i low[2], __m256i high[2]) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second));
  const __m256i pixels[2] = {_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)),
                             _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b))};
  const __m256i low_weights = _mm256_set1_epi32(pair.low);
  const __m256i high_weights = _mm256_set1_epi32(pair.high);
  for (int i = 0; i < 2; ++i) {
    low[i] = add_products(low[i], pixels[i], low_weights);
    high[i] = add_products(high[i], pixels[i], high_weights);
  }
}

VIDI_AVX2 void down(const uint8_t* const* rows, const int32_t* weights, int count, size_t n_bytes,
                    uint8_t* target) {
  size_t i = 0;
  for (; i + 16 <= n_bytes; i += 16) {
    __m256i low[2], high[2];
    for (__m256i* sum : {&low[0], &low[1], &high[0], &high[1]}) *sum = _mm256_setzero_si256();
    for (int t = 0; t + 1 < count; t += 2)
      add_rows(rows[t] + i, rows[t + 1] + i, {weights[t], weights[t + 1]}, low, high);
    if (count % 2)
      add_rows(rows[count - 1] + i, rows[count - 1] + i, {weights[count - 1], 0}, low, high);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target + i),
                     bytes_of(pixels_of(low[0], high[0]), pixels_of(low[1], high[1])));
  }
  for (; i < n_bytes; ++i) {
    int32_t sum = kTapHalf;
    for (int t = 0; t < count; ++t) sum += weights[t] * rows[t][i];
    target[i] = to_pixel(sum);
  }
}

}  // namespace

const ResizePasses kAvx2Passes = {across, down};

}  // namespace vidi

#endif
