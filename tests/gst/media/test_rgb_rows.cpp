// Rows straight from the planes against the way through GstVideoConverter, which defines them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gst/media/mapped_frame.h"
#include "gst/media/rgb_rows.h"

namespace vidi {
namespace {

using Bytes = std::vector<uint8_t>;

const char* const kRgbFormats[] = {"RGB",  "BGR",  "RGBA", "BGRA", "ARGB", "ABGR",
                                   "RGBx", "BGRx", "xRGB", "xBGR", "GBR"};
const char* const kYuvFormats[] = {
    "I420", "YV12", "NV12", "NV21",  "Y42B",      "NV16",      "NV61",      "YUY2",     "UYVY",
    "YVYU", "Y444", "NV24", "GRAY8", "P010_10LE", "I420_10LE", "I422_10LE", "Y444_10LE"};
const std::pair<int, int> kSizes[] = {{1, 1},   {2, 1},  {1, 2},   {2, 2},    {3, 3},
                                      {5, 4},   {4, 5},  {17, 33}, {64, 48},  {131, 7},
                                      {7, 131}, {33, 2}, {98, 1},  {161, 90}, {322, 181}};

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using Buffer = std::unique_ptr<GstBuffer, Unref>;

class FrameRowsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

GstVideoInfo info_of(const std::string& format, int width, int height,
                     const std::string& more = "") {
  GstVideoInfo info;
  const std::string text = "video/x-raw, format=(string)" + format +
                           ", framerate=(fraction)25/1, width=(int)" + std::to_string(width) +
                           ", height=(int)" + std::to_string(height) + more;
  GstCaps* caps = gst_caps_from_string(text.c_str());
  EXPECT_TRUE(caps && gst_video_info_from_caps(&info, caps)) << text;
  gst_caps_unref(caps);
  return info;
}

// Any bytes are a picture: values beyond the video range and alpha are in it, too.
Buffer noise(const GstVideoInfo& info, uint32_t seed) {
  Bytes bytes(info.size);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  Buffer buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  gst_buffer_fill(buffer.get(), 0, bytes.data(), info.size);
  return buffer;
}

Bytes read_all(FrameRows& rows, const GstVideoInfo& info, GstBuffer* buffer) {
  MappedFrame frame(buffer, info, GST_MAP_READ);
  EXPECT_TRUE(frame && rows.start(*frame.get()));
  const size_t row_bytes = size_t{3} * info.width;
  Bytes read(row_bytes * info.height);
  for (int y = 0; y < info.height; ++y) rows.read(y, &read[y * row_bytes]);
  return read;
}

void expect_same(const GstVideoInfo& info, const std::string& what) {
  auto direct = make_direct_rows(info), converted = make_converted_rows(info);
  ASSERT_TRUE(direct && converted) << what;
  for (uint32_t seed : {1u, 2u}) {  // two pictures: nothing of the first may stay
    const Buffer buffer = noise(info, seed);
    EXPECT_EQ(read_all(*direct, info, buffer.get()), read_all(*converted, info, buffer.get()))
        << what << " " << size_text(info.width, info.height);
  }
}

// Every format that is read directly gives GstVideoConverter's pixels, bit for bit, at any size.
TEST_F(FrameRowsTest, DirectRowsAreTheConverters) {
  for (auto [width, height] : kSizes) {
    for (const char* format : kRgbFormats) expect_same(info_of(format, width, height), format);
    for (const char* format : kYuvFormats) expect_same(info_of(format, width, height), format);
  }
}

// So they do for every matrix and range, and for both places of chroma.
TEST_F(FrameRowsTest, ColorimetryAndChromaSites) {
  for (const char* format : kYuvFormats)
    for (const char* site : {"jpeg", "mpeg2"})
      for (const char* colorimetry : {"bt601", "bt709", "bt2020", "smpte240m", "2:2:5:1", "1:2:5:1",
                                      "1:3:5:1", "1:4:5:1", "1:5:5:1", "1:6:5:1"}) {
        const std::string more =
            std::string(", colorimetry=(string)") + colorimetry + ", chroma-site=(string)" + site;
        for (auto [width, height] : {std::pair{34, 18}, {35, 19}})
          expect_same(info_of(format, width, height, more), format + more);
      }
}

// What would come out otherwise than GstVideoConverter has it is left to that: chroma beside rows,
// RGB of a narrow range, formats of other layouts.
TEST_F(FrameRowsTest, TheRestIsConverted) {
  // (GStreamer hears a chroma site only beside a colorimetry.)
  const std::string beside_rows = ", colorimetry=(string)bt601, chroma-site=(string)dv";
  EXPECT_FALSE(make_direct_rows(info_of("I420", 8, 8, beside_rows)));
  expect_same(info_of("UYVY", 35, 19, beside_rows), "UYVY has all rows");
  EXPECT_FALSE(make_direct_rows(info_of("RGB", 8, 8, ", colorimetry=(string)2:1:5:1")));
  for (const char* format : {"v210", "NV12_64Z32", "RGB8P", "Y41B", "VYUY", "AYUV", "RGB16"})
    EXPECT_FALSE(make_direct_rows(info_of(format, 8, 8))) << format;
}

// Fields are kept apart, be all frames of the stream interlaced or those that say so.
TEST_F(FrameRowsTest, InterlacedFrames) {
  const std::string site = ", colorimetry=(string)bt601, chroma-site=(string)";
  for (const char* format : kYuvFormats)
    for (int height : {1, 3, 4, 5, 7, 8, 12, 19, 20, 33, 48})
      for (const char* more :
           {"jpeg, interlace-mode=(string)interleaved", "mpeg2, interlace-mode=(string)interleaved",
            "mpeg2, interlace-mode=(string)fields", "mpeg2, interlace-mode=(string)mixed"})
        expect_same(info_of(format, 35, height, site + more), format + site + more);
}

// A frame of mixed content is read by its own flag.
TEST_F(FrameRowsTest, FlagsOfMixedContent) {
  const GstVideoInfo info = info_of("NV12", 16, 16, ", interlace-mode=(string)mixed");
  const auto direct = make_direct_rows(info), converted = make_converted_rows(info);
  const Buffer buffer = noise(info, 1);
  Bytes last;
  for (bool interlaced : {false, true}) {
    if (interlaced) GST_BUFFER_FLAG_SET(buffer.get(), GST_VIDEO_BUFFER_FLAG_INTERLACED);
    const Bytes rows = read_all(*direct, info, buffer.get());
    EXPECT_EQ(rows, read_all(*converted, info, buffer.get()));
    EXPECT_NE(rows, last);
    last = rows;
  }
}

// Where the last rows of a field have no chroma of their own, the last that the field has is
// repeated; GStreamer reads behind the plane there, so its bytes are not the measure.
TEST_F(FrameRowsTest, InterlacedFramesOfTwiceAnOddHeight) {
  for (const char* format : {"I420", "NV12", "P010_10LE"})
    for (int height : {2, 6, 30}) {
      const GstVideoInfo info = info_of(format, 18, height, ", interlace-mode=(string)interleaved");
      auto direct = make_direct_rows(info), converted = make_converted_rows(info);
      const Buffer buffer = noise(info, 3);
      Bytes rows = read_all(*direct, info, buffer.get());
      EXPECT_EQ(rows, read_all(*direct, info, buffer.get()));
      Bytes expected = read_all(*converted, info, buffer.get());
      const size_t known = size_t{3} * 18 * std::max(0, height - 3);
      rows.resize(known), expected.resize(known);
      EXPECT_EQ(rows, expected) << format << height;
    }
}

// A second picture of one row is not the first again, as it is to GstVideoConverter (1.22).
TEST_F(FrameRowsTest, PicturesOfOneRow) {
  for (const char* format : {"v210", "AYUV", "RGB16", "NV12", "RGBA"}) {
    const GstVideoInfo info = info_of(format, 6, 1);
    auto kept = make_converted_rows(info);
    for (uint32_t seed : {1u, 2u}) {
      auto fresh = make_converted_rows(info);
      const Buffer buffer = noise(info, seed);
      EXPECT_EQ(read_all(*kept, info, buffer.get()), read_all(*fresh, info, buffer.get()))
          << format << seed;
    }
  }
}

}  // namespace
}  // namespace vidi
