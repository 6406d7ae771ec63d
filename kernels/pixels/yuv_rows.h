// Rows of Y'CbCr to rows of RGB, in sums that fill vector registers. The bytes are those that
// YuvTables gives after GStreamer's linear interpolation of chroma. Torch-free.
//
// Samples are bytes, or words whose upper ten bits count (as in P010).
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/pixels/yuv_tables.h"

namespace vidi {

// One of YuvTables' tables: base + step * i + (part * i + start) / 2^kPartBits, rounded down.
// Nothing overflows 32 bits. For bytes `part` and `start` are below 2^15: 14 bits would do for
// them, 20 for words.
template <class Sample>
struct YuvLine {
  static constexpr int kPartBits = sizeof(Sample) == 1 ? 15 : 21;
  int32_t base = 0, step = 0;
  uint32_t part = 0, start = 0;

  int32_t at(uint32_t i) const {
    const uint32_t small = (part * i + start) >> kPartBits;
    return base + step * static_cast<int32_t>(i) + static_cast<int32_t>(small);
  }
};

template <class Sample>
struct YuvLines {
  // Nothing when a table is no rounded line. (Those of GStreamer's matrices all are.)
  static std::optional<YuvLines> make(const YuvTables& tables);
  YuvLine<Sample> luma, red_v, green_u, green_v, blue_u;
};

// Chroma of full width: of the two sampled rows around a row, and how many eighths the nearer one
// counts. Where there is one alone, both are that.
template <class Sample>
struct ChromaRows {
  const Sample *near = nullptr, *far = nullptr;
  uint32_t near_eighths = 8;
};

// `planes` as RgbRows gives them.
template <class Sample>
void yuv_row(const YuvLines<Sample>& lines, const Sample* y, const ChromaRows<Sample>& u,
             const ChromaRows<Sample>& v, int width, uint8_t* planes);

// (width + 1) / 2 samples to `width`: samples stand at every other position, or else between two.
template <class Sample>
void double_across(const Sample* half, bool at_samples, int width, Sample* full);

}  // namespace vidi
