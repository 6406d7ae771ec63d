#include "kernels/resize.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/resize_taps.h"
#include "model/result.h"

// The compiler writes the inner loops once more for AVX2 and picks at start-up: 32-bit products are
// slow before SSE4.1.
// Not under a sanitizer, whose runtime is not ready when the pick is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define VIDI_ALSO_FOR_AVX2 __attribute__((target_clones("avx2", "default")))
#else
#define VIDI_ALSO_FOR_AVX2
#endif

namespace vidi {
namespace {

constexpr int kChannels = 3;
constexpr int kHalf = 1 << (kTapBits - 1);
constexpr int kBlockRows = 8;  // rows that the horizontal pass filters side by side
constexpr int kBlockPixel = kChannels * kBlockRows;

inline uint8_t to_pixel(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kTapBits, 0, 255));
}

// RGB rows `stride` bytes apart.
struct Picture {
  const uint8_t* data = nullptr;
  int width = 0, height = 0;
  size_t stride = 0;
};

// Eight rows to [pixel, channel, row], so that one weight meets 24 neighbouring bytes. Missing rows
// repeat the last.
VIDI_ALSO_FOR_AVX2
void interleave_rows(const uint8_t* source, size_t stride, int n_rows, int row_bytes,
                     uint8_t* block) {
  const uint8_t* rows[kBlockRows];
  for (int r = 0; r < kBlockRows; ++r) rows[r] = source + std::min(r, n_rows - 1) * stride;
  for (int i = 0; i < row_bytes; ++i) {
    for (int r = 0; r < kBlockRows; ++r) block[i * kBlockRows + r] = rows[r][i];
  }
}

// A block's rows to `target`: n_rows packed rows.
VIDI_ALSO_FOR_AVX2
void filter_block(const uint8_t* block, const Taps& taps, int n_rows, uint8_t* target) {
  const int side = static_cast<int>(taps.first.size());
  for (int x = 0; x < side; ++x) {
    const int32_t* weights = taps.weights_of(x);
    const uint8_t* pixel = block + static_cast<size_t>(taps.first[x]) * kBlockPixel;
    int32_t sums[kBlockPixel];
    std::fill_n(sums, kBlockPixel, kHalf);
    for (int t = 0; t < taps.count[x]; ++t, pixel += kBlockPixel) {
      for (int i = 0; i < kBlockPixel; ++i) sums[i] += weights[t] * pixel[i];
    }
    for (int r = 0; r < n_rows; ++r) {
      uint8_t* out = target + (static_cast<size_t>(r) * side + x) * kChannels;
      for (int c = 0; c < kChannels; ++c) out[c] = to_pixel(sums[c * kBlockRows + r]);
    }
  }
}

// [height, width] to `target` [height, side].
void filter_rows(const Picture& source, uint8_t* target, int side) {
  const Taps taps = make_taps(source.width, side);
  const size_t target_stride = static_cast<size_t>(side) * kChannels;
  std::vector<uint8_t> block(static_cast<size_t>(source.width) * kBlockPixel);
  for (int y = 0; y < source.height; y += kBlockRows) {
    const int n_rows = std::min(kBlockRows, source.height - y);
    interleave_rows(source.data + y * source.stride, source.stride, n_rows,
                    source.width * kChannels, block.data());
    filter_block(block.data(), taps, n_rows, target + y * target_stride);
  }
}

// [height, width] to `target` [side, width], a whole row at a time.
VIDI_ALSO_FOR_AVX2
void filter_columns(const Picture& source, uint8_t* target, int side) {
  const Taps taps = make_taps(source.height, side);
  const int row_bytes = source.width * kChannels;
  std::vector<int32_t> sums(row_bytes);
  int32_t* sum = sums.data();
  for (int y = 0; y < side; ++y) {
    const int32_t* weights = taps.weights_of(y);
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int t = 0; t < taps.count[y]; ++t) {
      const uint8_t* row = source.data + (taps.first[y] + t) * source.stride;
      for (int i = 0; i < row_bytes; ++i) sum[i] += weights[t] * row[i];
    }
    uint8_t* out = target + static_cast<size_t>(y) * row_bytes;
    for (int i = 0; i < row_bytes; ++i) out[i] = to_pixel(sum[i]);
  }
}

void check_size(const char* what, int size) {
  if (size >= 1 && size <= kMaxResize) return;
  throw EngineError(ErrorCode::kBadInput, std::string("the ") + what + " must be 1 to " +
                                              std::to_string(kMaxResize) + " pixels, found " +
                                              std::to_string(size));
}

}  // namespace

void resize_bicubic(const uint8_t* source, int width, int height, size_t source_stride,
                    uint8_t* target, int side) {
  check_size("frame's width", width);
  check_size("frame's height", height);
  check_size("target's side", side);
  if (source_stride < static_cast<size_t>(width) * kChannels) {
    throw EngineError(ErrorCode::kBadInput,
                      "a row of " + std::to_string(width) + " RGB pixels needs " +
                          std::to_string(width * kChannels) + " bytes, found a stride of " +
                          std::to_string(source_stride));
  }
  // Every row and column is read: the taps reach from edge to edge.
  const Picture frame = {source, width, height, source_stride};
  const bool columns_first = columns_come_first(width, height, side);
  Picture between = columns_first ? Picture{nullptr, width, side} : Picture{nullptr, side, height};
  between.stride = static_cast<size_t>(between.width) * kChannels;
  std::vector<uint8_t> pixels(between.height * between.stride);
  between.data = pixels.data();
  if (columns_first) {
    filter_columns(frame, pixels.data(), side);
    filter_rows(between, target, side);
  } else {
    filter_rows(frame, pixels.data(), side);
    filter_columns(between, target, side);
  }
}

}  // namespace vidi
