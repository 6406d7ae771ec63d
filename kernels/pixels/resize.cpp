#include "kernels/pixels/resize.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/pixels/deinterleave.h"

namespace vidi {
namespace {

constexpr int kChannels = 3;

int checked(const char* what, int size) {
  if (size >= 1 && size <= kMaxResize) return size;
  throw std::invalid_argument(std::string("the ") + what + " must be 1 to " +
                              std::to_string(kMaxResize) + " pixels, found " +
                              std::to_string(size));
}

// Row y of a picture of which only the last rows are kept. Strips of rows never cross its end.
class Window {
 public:
  Window(std::vector<uint8_t>& memory, const Taps& taps, int height, size_t row_bytes)
      : row_bytes_(row_bytes), n_rows_(rows_kept(taps, height)), memory_(memory) {
    memory_.resize(n_rows_ * row_bytes_);
  }
  uint8_t* row(int y) { return &memory_[y % n_rows_ * row_bytes_]; }

 private:
  static size_t rows_kept(const Taps& taps, int height) {
    const int n = std::min(taps.stride + kStripRows, height);
    return static_cast<size_t>(n + kStripRows - 1) / kStripRows * kStripRows;
  }

  const size_t row_bytes_, n_rows_;
  std::vector<uint8_t>& memory_;
};

// The columns' pass, from the top: `fill(y, n, rows)` writes the source's rows y to y + n, each
// once, and `emit(y, rows)` takes those that target row y is made of.
template <class Fill, class Emit>
void filter_down(const Taps& taps, int height, Window& window, const Fill& fill, const Emit& emit) {
  std::vector<const uint8_t*> rows(taps.stride);
  int n_filled = 0;
  for (int y = 0; y < static_cast<int>(taps.first.size()); ++y) {
    while (n_filled < taps.first[y] + taps.count[y]) {
      const int n = std::min(kStripRows, height - n_filled);
      fill(n_filled, n, window.row(n_filled));
      n_filled += n;
    }
    for (int t = 0; t < taps.count[y]; ++t) rows[t] = window.row(taps.first[y] + t);
    emit(y, rows.data());
  }
}

// Packed RGB in memory.
class PackedRows : public RgbRows {
 public:
  PackedRows(const uint8_t* source, int width, size_t stride)
      : source_(source), width_(width), stride_(stride) {}
  void read(int y, uint8_t* planes) override {
    for (int c = 0; c < kChannels; ++c)
      deinterleave(source_ + y * stride_ + c, kChannels, width_,
                   planes + static_cast<size_t>(c) * width_);
  }

 private:
  const uint8_t* source_;
  const int width_;
  const size_t stride_;
};

}  // namespace

BicubicResize::BicubicResize(int width, int height, int side, const Orientation& orientation,
                             const ResizePasses& passes)
    : width_(checked("frame's width", width)),
      height_(checked("frame's height", height)),
      side_(checked("target's side", side)),
      orientation_(orientation),
      passes_(passes),
      across_(width, side),
      down_(make_taps(height, side)) {}

void BicubicResize::run(RgbRows& source, uint8_t* target) {
  strip_.resize(static_cast<size_t>(kStripRows) * kChannels * width_);
  // Every row and column is read: the taps reach from edge to edge.
  if (columns_come_first(width_, height_, side_, orientation_))
    columns_first(source, target);
  else
    rows_first(source, target);
  turn_square(target, side_, orientation_);
}

void BicubicResize::read(RgbRows& source, int y, int n_rows, uint8_t* rows) const {
  for (int i = 0; i < n_rows; ++i)
    source.read(y + i, rows + static_cast<size_t>(i) * kChannels * width_);
}

void BicubicResize::rows_first(RgbRows& source, uint8_t* target) {
  const size_t row_bytes = static_cast<size_t>(kChannels) * side_;
  Window window(window_, down_, height_, row_bytes);
  const auto fill = [&](int y, int n, uint8_t* rows) {
    read(source, y, n, strip_.data());
    passes_.across(strip_.data(), width_, n, across_, rows);
  };
  const auto emit = [&](int y, const uint8_t* const* rows) {
    passes_.down(rows, down_.weights_of(y), down_.count[y], row_bytes, target + y * row_bytes);
  };
  filter_down(down_, height_, window, fill, emit);
}

void BicubicResize::columns_first(RgbRows& source, uint8_t* target) {
  const size_t row_bytes = static_cast<size_t>(kChannels) * width_;
  Window window(window_, down_, height_, row_bytes);
  const auto fill = [&](int y, int n, uint8_t* rows) { read(source, y, n, rows); };
  const auto emit = [&](int y, const uint8_t* const* rows) {
    const int at = y % kStripRows;
    passes_.down(rows, down_.weights_of(y), down_.count[y], row_bytes, &strip_[at * row_bytes]);
    if (at + 1 == kStripRows || y + 1 == side_)
      passes_.across(strip_.data(), width_, at + 1, across_,
                     target + static_cast<size_t>(y - at) * kChannels * side_);
  };
  filter_down(down_, height_, window, fill, emit);
}

void resize_bicubic(const uint8_t* source, int width, int height, size_t source_stride,
                    uint8_t* target, int side) {
  BicubicResize resize(width, height, side);
  if (source_stride < static_cast<size_t>(width) * kChannels) {
    throw std::invalid_argument("a row of " + std::to_string(width) + " RGB pixels needs " +
                                std::to_string(width * kChannels) + " bytes, found a stride of " +
                                std::to_string(source_stride));
  }
  PackedRows rows(source, width, source_stride);
  resize.run(rows, target);
}

}  // namespace vidi
