#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/pixels/yuv_rows.h"

namespace vidi {
namespace {

// Weights of red and blue in luma: FCC, BT.709, BT.601, SMPTE 240M, BT.2020.
constexpr std::pair<double, double> kMatrices[] = {
    {0.30, 0.11}, {0.2126, 0.0722}, {0.2990, 0.1140}, {0.212, 0.087}, {0.2627, 0.0593}};

template <class Sample>
void expect_line(const YuvLine<Sample>& line, const YuvTables::Table& table) {
  for (uint32_t i = 0; i < (sizeof(Sample) == 1 ? 256 : 1024); ++i)
    ASSERT_EQ(line.at(i), table[i]) << i;
}

template <class Sample>
void expect_lines(const YuvTables& tables) {
  const auto lines = YuvLines<Sample>::make(tables);
  ASSERT_TRUE(lines);
  expect_line(lines->luma, tables.luma);
  expect_line(lines->red_v, tables.red_v);
  expect_line(lines->green_u, tables.green_u);
  expect_line(lines->green_v, tables.green_v);
  expect_line(lines->blue_u, tables.blue_u);
}

// The tables of every matrix, range and depth are lines, to the last bit of every entry.
TEST(YuvRows, TablesAreLines) {
  for (auto [kr, kb] : kMatrices)
    for (bool full_range : {false, true}) {
      SCOPED_TRACE(testing::Message() << kr << " " << kb << " " << full_range);
      expect_lines<uint8_t>(YuvTables(kr, kb, full_range, 8));
      expect_lines<uint16_t>(YuvTables(kr, kb, full_range, 10));
    }
}

// A table that is no line is told, not bent.
TEST(YuvRows, OtherTablesAreRefused) {
  YuvTables tables(0.2126, 0.0722, false, 8);
  tables.red_v[77] += 2;
  EXPECT_FALSE(YuvLines<uint8_t>::make(tables));
}

// Every luma meets every chroma: the row's bytes are the tables' sums, at widths that fill no
// register, and nothing behind the row is written.
template <class Sample>
void expect_rows(const YuvTables& tables, uint32_t n, int shift) {
  const auto lines = YuvLines<Sample>::make(tables);
  ASSERT_TRUE(lines);
  const int width = static_cast<int>(n) - 1;
  std::vector<Sample> y(width), u(width), v(width);
  for (uint32_t turn = 0; turn < n; turn += 3) {
    for (uint32_t x = 0; x + 1 < n; ++x) {
      y[x] = static_cast<Sample>(x << shift);
      u[x] = static_cast<Sample>((x + turn) % n << shift);
      v[x] = static_cast<Sample>((x * 5 + turn * 7) % n << shift);
    }
    std::vector<uint8_t> planes(size_t{3} * width + 1, 0xA5);
    yuv_row<Sample>(*lines, y.data(), {u.data(), u.data()}, {v.data(), v.data()}, width,
                    planes.data());
    for (int x = 0; x < width; ++x) {
      const int a = y[x] >> shift, b = u[x] >> shift, c = v[x] >> shift;
      const int32_t sums[] = {tables.luma[a] + tables.red_v[c],
                              tables.luma[a] + tables.green_u[b] + tables.green_v[c],
                              tables.luma[a] + tables.blue_u[b]};
      for (int i = 0; i < 3; ++i)
        ASSERT_EQ(planes[i * width + x], std::clamp(sums[i] >> YuvTables::kBits, 0, 255))
            << a << " " << b << " " << c;
    }
    ASSERT_EQ(planes.back(), 0xA5);
  }
}

TEST(YuvRows, RowsAreTheTablesSums) {
  for (auto [kr, kb] : kMatrices)
    for (bool full_range : {false, true}) {
      expect_rows<uint8_t>(YuvTables(kr, kb, full_range, 8), 256, 0);
      expect_rows<uint16_t>(YuvTables(kr, kb, full_range, 10), 1024, 6);
    }
}

// Two rows of chroma are mixed in eighths, rounded.
TEST(YuvRows, ChromaIsMixed) {
  const YuvTables tables(0.2126, 0.0722, true, 8);
  const auto lines = YuvLines<uint8_t>::make(tables);
  ASSERT_TRUE(lines);
  constexpr int kWidth = 40;
  std::vector<uint8_t> y(kWidth, 100), near(kWidth), far(kWidth);
  for (int x = 0; x < kWidth; ++x) {
    near[x] = static_cast<uint8_t>(x * 101), far[x] = static_cast<uint8_t>(255 - x * 67);
  }
  for (uint32_t eighths : {5u, 6u, 7u, 8u}) {
    std::vector<uint8_t> planes(size_t{3} * kWidth);
    yuv_row<uint8_t>(*lines, y.data(), {near.data(), far.data(), eighths},
                     {near.data(), far.data(), eighths}, kWidth, planes.data());
    for (int x = 0; x < kWidth; ++x) {
      const uint32_t v = (eighths * near[x] + (8 - eighths) * far[x] + 4) / 8;
      EXPECT_EQ(planes[x],
                std::clamp((tables.luma[100] + tables.red_v[v]) >> YuvTables::kBits, 0, 255));
    }
  }
}

// Chroma grows by its neighbours' mean or by quarters of them, and its edges repeat.
TEST(YuvRows, ChromaIsDoubled) {
  const std::vector<uint8_t> half = {0, 8, 255};
  const auto doubled = [&](bool at_samples, int width) {
    std::vector<uint8_t> full(width + 1, 0xA5);
    double_across(half.data(), at_samples, width, full.data());
    EXPECT_EQ(full.back(), 0xA5);
    full.pop_back();
    return full;
  };
  using Row = std::vector<uint8_t>;
  EXPECT_EQ(doubled(true, 6), (Row{0, 4, 8, 132, 255, 255}));
  EXPECT_EQ(doubled(true, 5), (Row{0, 4, 8, 132, 255}));
  EXPECT_EQ(doubled(false, 6), (Row{0, 2, 6, 70, 193, 255}));
  EXPECT_EQ(doubled(false, 5), (Row{0, 2, 6, 70, 193}));
  EXPECT_EQ(doubled(true, 1), (Row{0}));
  EXPECT_EQ(doubled(false, 2), (Row{0, 0}));
}

}  // namespace
}  // namespace vidi
