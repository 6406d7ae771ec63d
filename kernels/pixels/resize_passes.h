// The inner loops of resize.cpp. Every version gives the same bytes; the plain one says which.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/pixels/resize_taps.h"

namespace vidi {

inline constexpr int kTapHalf = 1 << (kTapBits - 1);
inline constexpr int kStripRows = 8;  // rows that are filtered across side by side

inline uint8_t to_pixel(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kTapBits, 0, 255));
}

// What a row's taps are, and what a version keeps from strip to strip.
struct AcrossTaps {
  AcrossTaps(int source_size, int target_size) : taps(make_taps(source_size, target_size)) {}
  const Taps taps;
  // AVX2: taps in pairs of pixels from an even one, each weight in two halves of 16 bits.
  std::vector<int> first_pair, n_pairs;
  std::vector<int32_t> low, high;     // [target position, pair]
  std::vector<uint8_t> block, lanes;  // a strip before and after, rows beside each other
};

struct ResizePasses {
  // Up to kStripRows rows of planes, as RgbRows gives them, to packed RGB rows.
  void (*across)(const uint8_t* planes, int width, int n_rows, AcrossTaps& taps, uint8_t* target);
  // target[i] is the weighted sum of rows[0..count)[i].
  void (*down)(const uint8_t* const* rows, const int32_t* weights, int count, size_t n_bytes,
               uint8_t* target);
};

extern const ResizePasses kPlainPasses;
// What this machine does fastest.
const ResizePasses& best_passes();

}  // namespace vidi
