#include "kernels/pixels/resize_passes.h"

#include "kernels/pixels/avx2.h"
#include "kernels/pixels/resize_avx2.h"

namespace vidi {
namespace {

void across(const uint8_t* planes, int width, int n_rows, AcrossTaps& across_taps,
            uint8_t* target) {
  const Taps& taps = across_taps.taps;
  const int side = static_cast<int>(taps.first.size());
  for (int r = 0; r < n_rows; ++r) {
    for (int c = 0; c < 3; ++c) {
      const uint8_t* row = planes + (static_cast<size_t>(r) * 3 + c) * width;
      uint8_t* out = target + static_cast<size_t>(r) * side * 3 + c;
      for (int x = 0; x < side; ++x) {
        const int32_t* weights = taps.weights_of(x);
        const uint8_t* pixels = row + taps.first[x];
        int32_t sum = kTapHalf;
        for (int t = 0; t < taps.count[x]; ++t) sum += weights[t] * pixels[t];
        out[size_t{3} * x] = to_pixel(sum);
      }
    }
  }
}

// Some columns at a time, whose sums then stay near the processor.
void down(const uint8_t* const* rows, const int32_t* weights, int count, size_t n_bytes,
          uint8_t* target) {
  constexpr size_t kColumns = 64;
  for (size_t begin = 0; begin < n_bytes; begin += kColumns) {
    const size_t n = std::min(kColumns, n_bytes - begin);
    int32_t sums[kColumns];
    std::fill_n(sums, kColumns, kTapHalf);
    for (int t = 0; t < count; ++t) {
      const uint8_t* row = rows[t] + begin;
      for (size_t i = 0; i < n; ++i) sums[i] += weights[t] * row[i];
    }
    for (size_t i = 0; i < n; ++i) target[begin + i] = to_pixel(sums[i]);
  }
}

}  // namespace

const ResizePasses kPlainPasses = {across, down};

const ResizePasses& best_passes() {
#ifdef VIDI_HAS_AVX2_CODE
  if (cpu_has_avx2()) return kAvx2Passes;
#endif
  return kPlainPasses;
}

}  // namespace vidi
