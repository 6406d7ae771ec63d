#include "kernels/resize.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

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

constexpr int kMaxSize = 32768;
constexpr int kChannels = 3;
constexpr double kCubicSupport = 2.0;  // source pixels each way, at scale 1
constexpr int kWeightBits =
    22;  // a sum of 8-bit pixels times weights, with overshoot, stays inside int32
constexpr int kHalf = 1 << (kWeightBits - 1);
constexpr int kBlockRows = 8;  // rows that the horizontal pass filters side by side
constexpr int kBlockPixel = kChannels * kBlockRows;

// For each target position: the first source position it reads, how many, and their fixed-point
// weights.
struct Taps {
  int stride = 0;  // weights kept a target position
  std::vector<int> first, count;
  std::vector<int32_t> weights;
  const int32_t* weights_of(int i) const { return &weights[static_cast<size_t>(i) * stride]; }
};

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// Half away from zero, like the reference.
int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

// The order of the double operations decides some weights' last bit, so it is part of "bit for
// bit".
Taps make_taps(int source_size, int target_size) {
  const double scale = static_cast<double>(source_size) / target_size;
  const double stretch = std::max(scale, 1.0);
  const double support = kCubicSupport * stretch;
  Taps taps;
  taps.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.first.resize(target_size);
  taps.count.resize(target_size);
  taps.weights.resize(static_cast<size_t>(target_size) * taps.stride);
  std::vector<double> exact(taps.stride);
  for (int i = 0; i < target_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int count = std::min(source_size, static_cast<int>(center + support + 0.5)) - first;
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      exact[t] = cubic((t + first - center + 0.5) * (1.0 / stretch));
      sum += exact[t];
    }
    int32_t* weights = &taps.weights[static_cast<size_t>(i) * taps.stride];
    for (int t = 0; t < count; ++t) weights[t] = to_fixed(sum != 0 ? exact[t] / sum : exact[t]);
    taps.first[i] = first;
    taps.count[i] = count;
  }
  return taps;
}

inline uint8_t to_pixel(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
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

// Rounding between the passes makes their order visible. Pillow 13 takes the columns first when
// that saves the row pass many rows, which upright phone videos meet.
bool columns_come_first(int width, int height, int side) {
  return height > side && height - side > 2 * (width - side);
}

void check_size(const char* what, int size) {
  if (size >= 1 && size <= kMaxSize) return;
  throw EngineError(ErrorCode::kBadInput, std::string("the ") + what + " must be 1 to " +
                                              std::to_string(kMaxSize) + " pixels, found " +
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
