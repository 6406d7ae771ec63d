#include "kernels/pixels/yuv_rows.h"

#include <algorithm>

#include "kernels/pixels/avx2.h"
#include "kernels/pixels/yuv_rows_avx2.h"

#define VIDI_INLINE inline __attribute__((always_inline))

namespace vidi {
namespace {

// ---- Tables as lines ---------------------------------------------------------------------------

// The start that a slope, in 2^-bits, needs to meet the table's first n entries, or which way the
// slope is wrong.
struct Fit {
  int64_t least, most;  // start; none when least > most
  bool too_flat = false;
};

Fit fit(const YuvTables::Table& table, int n, int bits, int64_t slope) {
  const int64_t one = int64_t{1} << bits;
  Fit found{0, one - 1};
  int at_least = 0, at_most = 0;
  for (int i = 0; i < n; ++i) {
    const int64_t missing = (int64_t{table[i]} - table[0]) * one - slope * i;
    if (missing > found.least) found.least = missing, at_least = i;
    if (missing + one - 1 < found.most) found.most = missing + one - 1, at_most = i;
  }
  found.too_flat = at_least > at_most;
  return found;
}

template <class Sample>
std::optional<YuvLine<Sample>> line_of(const YuvTables::Table& table) {
  constexpr int bits = YuvLine<Sample>::kPartBits, n = sizeof(Sample) == 1 ? 256 : 1024;
  const int64_t one = int64_t{1} << bits, rise = int64_t{table[n - 1]} - table[0];
  int64_t low = (rise - 1) * one / (n - 1) - 1, high = (rise + 1) * one / (n - 1) + 1;
  while (low <= high) {
    const int64_t slope = (low + high) / 2;
    const Fit found = fit(table, n, bits, slope);
    if (found.least <= found.most)
      return YuvLine<Sample>{table[0], static_cast<int32_t>(slope >> bits),
                             static_cast<uint32_t>(slope & (one - 1)),
                             static_cast<uint32_t>(found.least)};
    if (found.too_flat)
      low = slope + 1;
    else
      high = slope - 1;
  }
  return std::nullopt;
}

// ---- Rows --------------------------------------------------------------------------------------

VIDI_INLINE uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> YuvTables::kBits, 0, 255));
}

// How far above a table's index a sample starts.
template <class Sample>
constexpr int kIndexShift = sizeof(Sample) == 1 ? 0 : 6;

template <class Sample>
VIDI_INLINE void yuv_pixels(const YuvLines<Sample>& lines, const Sample* y,
                            const ChromaRows<Sample>& us, const ChromaRows<Sample>& vs, int width,
                            uint8_t* __restrict red, uint8_t* __restrict green,
                            uint8_t* __restrict blue) {
  const YuvLines<Sample> t = lines;
  const Sample *u_near = us.near, *u_far = us.far, *v_near = vs.near, *v_far = vs.far;
  const uint32_t near = us.near_eighths, far = 8 - near;
  for (int x = 0; x < width; ++x) {
    const uint32_t u = (near * u_near[x] + far * u_far[x] + 4) >> (3 + kIndexShift<Sample>);
    const uint32_t v = (near * v_near[x] + far * v_far[x] + 4) >> (3 + kIndexShift<Sample>);
    const int32_t luma = t.luma.at(y[x] >> kIndexShift<Sample>);
    red[x] = to_byte(luma + t.red_v.at(v));
    green[x] = to_byte(luma + t.green_u.at(u) + t.green_v.at(v));
    blue[x] = to_byte(luma + t.blue_u.at(u));
  }
}

template <class Sample>
VIDI_INLINE void double_samples(const Sample* half, bool at_samples, int width,
                                Sample* __restrict full) {
  const int n_between = (width + 1) / 2 - 1;
  full[0] = half[0], full[width - 1] = half[n_between];
  if (at_samples) {
    for (int k = 0; k < n_between; ++k) {
      const uint32_t a = half[k], b = half[k + 1];
      full[2 * k] = static_cast<Sample>(a);
      full[2 * k + 1] = static_cast<Sample>((a + b + 1) >> 1);
    }
    full[2 * n_between] = half[n_between];
  } else {
    for (int k = 0; k < n_between; ++k) {
      const uint32_t a = half[k], b = half[k + 1];
      full[2 * k + 1] = static_cast<Sample>((3 * a + b + 2) >> 2);
      full[2 * k + 2] = static_cast<Sample>((a + 3 * b + 2) >> 2);
    }
  }
}

#ifdef VIDI_HAS_AVX2_CODE
// The compiler's vectors serve words; bytes have a way of their own.
VIDI_AVX2 void yuv_pixels_avx2(const YuvLines<uint16_t>& lines, const uint16_t* y,
                               const ChromaRows<uint16_t>& u, const ChromaRows<uint16_t>& v,
                               int width, uint8_t* planes) {
  yuv_pixels(lines, y, u, v, width, planes, planes + width, planes + size_t{2} * width);
}

void yuv_pixels_avx2(const YuvLines<uint8_t>& lines, const uint8_t* y, const ChromaRows<uint8_t>& u,
                     const ChromaRows<uint8_t>& v, int width, uint8_t* planes) {
  const int done = yuv_bytes_avx2(lines, y, u, v, width, planes);
  const ChromaRows<uint8_t> u_rest{u.near + done, u.far + done, u.near_eighths};
  const ChromaRows<uint8_t> v_rest{v.near + done, v.far + done, v.near_eighths};
  planes += done;
  yuv_pixels(lines, y + done, u_rest, v_rest, width - done, planes, planes + width,
             planes + size_t{2} * width);
}

template <class Sample>
VIDI_AVX2 void double_samples_avx2(const Sample* half, bool at_samples, int width, Sample* full) {
  double_samples(half, at_samples, width, full);
}
#endif

}  // namespace

template <class Sample>
std::optional<YuvLines<Sample>> YuvLines<Sample>::make(const YuvTables& tables) {
  const auto luma = line_of<Sample>(tables.luma), red_v = line_of<Sample>(tables.red_v),
             green_u = line_of<Sample>(tables.green_u), green_v = line_of<Sample>(tables.green_v),
             blue_u = line_of<Sample>(tables.blue_u);
  if (!luma || !red_v || !green_u || !green_v || !blue_u) return std::nullopt;
  return YuvLines{*luma, *red_v, *green_u, *green_v, *blue_u};
}

template <class Sample>
void yuv_row(const YuvLines<Sample>& lines, const Sample* y, const ChromaRows<Sample>& u,
             const ChromaRows<Sample>& v, int width, uint8_t* planes) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_avx2()) return yuv_pixels_avx2(lines, y, u, v, width, planes);
#endif
  yuv_pixels(lines, y, u, v, width, planes, planes + width, planes + size_t{2} * width);
}

template <class Sample>
void double_across(const Sample* half, bool at_samples, int width, Sample* full) {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_avx2()) return double_samples_avx2(half, at_samples, width, full);
#endif
  double_samples(half, at_samples, width, full);
}

template struct YuvLines<uint8_t>;
template struct YuvLines<uint16_t>;
template void yuv_row(const YuvLines<uint8_t>&, const uint8_t*, const ChromaRows<uint8_t>&,
                      const ChromaRows<uint8_t>&, int, uint8_t*);
template void yuv_row(const YuvLines<uint16_t>&, const uint16_t*, const ChromaRows<uint16_t>&,
                      const ChromaRows<uint16_t>&, int, uint8_t*);
template void double_across(const uint8_t*, bool, int, uint8_t*);
template void double_across(const uint16_t*, bool, int, uint16_t*);

}  // namespace vidi
