#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gst/media/mapped_frame.h"
#include "gst/media/orientation_tags.h"
#include "gst/media/picture.h"
#include "gst/media/rgb_rows.h"
#include "gst/windows/analysis_window.h"
#include "kernels/pixels/resize.h"

namespace vidi {
namespace {

constexpr int kSide = 16;
using Bytes = std::vector<uint8_t>;
struct Color {  // R G B, or Y U V; 8 bits
  int a, b, c;
};
using Painter = std::function<Color(int x, int y)>;
struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using Buffer = std::unique_ptr<GstBuffer, Unref>;
using Caps = std::unique_ptr<GstCaps, Unref>;

// A critical or warning of GStreamer fails the test: untrusted buffers must be refused before.
class PictureTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    old_mask_ = g_log_set_always_fatal(
        static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK));
  }
  static void TearDownTestSuite() { g_log_set_always_fatal(old_mask_); }
  static inline GLogLevelFlags old_mask_;
};

Caps make_caps(const std::string& format, int width, int height, const std::string& more = "") {
  const std::string text = "video/x-raw, format=(string)" + format + ", width=(int)" +
                           std::to_string(width) + ", height=(int)" + std::to_string(height) + more;
  return Caps(gst_caps_from_string(
      (more.find("framerate") == std::string::npos ? text + ", framerate=(fraction)25/1" : text)
          .c_str()));
}

GstVideoInfo info_of(const Caps& caps) {
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
  return info;
}

Buffer make_buffer(size_t size, uint8_t fill = 0xEE) {
  Buffer buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(buffer.get(), 0, fill, size);
  return buffer;
}

Buffer wrap(const Bytes& bytes) {
  Buffer buffer(gst_buffer_new_allocate(nullptr, bytes.size(), nullptr));
  gst_buffer_fill(buffer.get(), 0, bytes.data(), bytes.size());
  return buffer;
}

int noise(int x, int y, int c) {
  const uint32_t n = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u);
  return static_cast<int>((n * 2654435761u) >> 24);
}
Color noisy_rgb(int x, int y) { return {noise(x, y, 1), noise(x, y, 2), noise(x, y, 3)}; }
Color noisy_luma(int x, int y) { return {40 + noise(x, y, 4) * 160 / 255, 110, 150}; }

bool is_rgb(const GstVideoInfo& info) { return GST_VIDEO_INFO_IS_RGB(&info); }

// Through the format's own pack function: every format that GStreamer writes, at its own layout.
void paint(GstVideoFrame* frame, const Painter& painter) {
  const GstVideoFormatInfo* format = frame->info.finfo;
  const auto* unpacked = gst_video_format_get_info(format->unpack_format);
  const bool wide = unpacked->depth[0] == 16;
  const bool full =
      is_rgb(frame->info) || frame->info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  const int width = frame->info.width;
  std::vector<uint16_t> words((width + 64) * 4);
  auto* bytes = reinterpret_cast<uint8_t*>(words.data());
  for (int y = 0; y < frame->info.height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Color color = painter(x, y);
      const int values[] = {255, color.a, color.b, color.c};
      for (int c = 0; c < 4; ++c) {
        if (wide) words[4 * x + c] = static_cast<uint16_t>(values[c] * (full ? 257 : 256));
        if (!wide) bytes[4 * x + c] = static_cast<uint8_t>(values[c]);
      }
    }
    format->pack_func(format, GST_VIDEO_PACK_FLAG_NONE, words.data(), 0, frame->data,
                      frame->info.stride, frame->info.chroma_site, y, width);
  }
}

Buffer painted(const GstVideoInfo& info, const Painter& painter) {
  Buffer buffer = make_buffer(info.size);
  GstVideoFrame frame;
  EXPECT_TRUE(gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_READWRITE));
  paint(&frame, painter);
  gst_video_frame_unmap(&frame);
  return buffer;
}

// The textbook formula, in doubles.
Color to_rgb(const GstVideoInfo& info, Color in) {
  if (is_rgb(info)) return in;
  if (GST_VIDEO_INFO_IS_GRAY(&info)) in.b = in.c = 128;
  double kr = 0, kb = 0;
  gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb);
  const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  const double y = full ? in.a : (in.a - 16) * 255.0 / 219;
  const double u = (in.b - 128) * (full ? 1 : 255.0 / 224);
  const double v = (in.c - 128) * (full ? 1 : 255.0 / 224);
  const double r = y + 2 * (1 - kr) * v, b = y + 2 * (1 - kb) * u;
  const double g = (y - kr * r - kb * b) / (1 - kr - kb);
  const auto byte = [](double value) {
    return static_cast<int>(std::lround(std::clamp(value, 0.0, 255.0)));
  };
  return {byte(r), byte(g), byte(b)};
}

Bytes expected_rgb(const GstVideoInfo& info, const Painter& painter, int side) {
  Bytes rgb;
  for (int y = 0; y < info.height; ++y)
    for (int x = 0; x < info.width; ++x) {
      const Color color = to_rgb(info, painter(x, y));
      for (int value : {color.a, color.b, color.c}) rgb.push_back(static_cast<uint8_t>(value));
    }
  Bytes resized(size_t{3} * side * side);
  resize_bicubic(rgb.data(), info.width, info.height, size_t{3} * info.width, resized.data(), side);
  return resized;
}

std::unique_ptr<PictureReader> reader_of(const Caps& caps) {
  auto reader = PictureReader::make(caps.get());
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
  return reader ? std::move(*reader) : nullptr;
}

Bytes finished(PictureReader& reader, GstBuffer* buffer, int side = kSide) {
  auto grabbed = reader.grab(buffer);
  EXPECT_TRUE(grabbed) << (grabbed ? "" : grabbed.error().message);
  if (!grabbed) return {};
  auto frame = (*grabbed)->finish(side);
  EXPECT_TRUE(frame) << (frame ? "" : frame.error().message);
  if (!frame) return {};
  EXPECT_EQ((*frame)->side, side);
  return (*frame)->rgb;
}

// By the ways that define it.
Bytes plain_picture(const GstVideoInfo& info, GstBuffer* buffer, int side) {
  MappedFrame frame(buffer, info, GST_MAP_READ);
  auto rows = make_converted_rows(info);
  EXPECT_TRUE(frame && rows && rows->start(*frame.get()));
  Bytes rgb(size_t{3} * side * side);
  BicubicResize(info.width, info.height, side, {}, kPlainPasses).run(*rows, rgb.data());
  return rgb;
}

int largest_difference(const Bytes& a, const Bytes& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

int difference_from_reference(const Caps& caps, const Painter& painter, int side = kSide) {
  const GstVideoInfo info = info_of(caps);
  auto reader = reader_of(caps);
  if (!reader) return 256;
  const Buffer buffer = painted(info, painter);
  return largest_difference(finished(*reader, buffer.get(), side),
                            expected_rgb(info, painter, side));
}

const std::pair<int, int> kSizes[] = {{1, 1}, {2, 1}, {1, 2}, {17, 33}, {64, 48}, {131, 7}};

// RGB and grey formats of 8 and 16 bits come out as the plain pixels, resized, bit for bit.
TEST_F(PictureTest, PlainPixelsAreExact) {
  for (const char* format :
       {"RGB", "BGR", "RGBA", "BGRA", "ARGB", "ABGR", "RGBx", "BGRx", "xRGB", "xBGR", "GBR", "RGBP",
        "BGRP", "GBRA", "ARGB64_LE", "RGBA64_BE", "GRAY8", "GRAY16_LE", "GRAY16_BE"})
    for (auto [width, height] : kSizes)
      EXPECT_EQ(difference_from_reference(make_caps(format, width, height), noisy_rgb), 0)
          << format << " " << width << "x" << height;
}

// Every format of the pad's template is read and comes out within rounding of the textbook.
TEST_F(PictureTest, EveryTemplateFormatMatchesTheFormula) {
  const Caps all(video_template_caps());
  const GValue* formats = gst_structure_get_value(gst_caps_get_structure(all.get(), 0), "format");
  ASSERT_GE(gst_value_list_get_size(formats), 100u);
  for (guint i = 0; i < gst_value_list_get_size(formats); ++i) {
    const std::string format = g_value_get_string(gst_value_list_get_value(formats, i));
    if (format == "RGB8P" || format == "NV61") continue;  // have tests of their own
    const bool coarse = format.starts_with("RGB1") || format.starts_with("BGR1");
    const int tolerance =
        coarse && !format.starts_with("RGB10") && !format.starts_with("BGR10") ? 8 : 2;
    for (auto [width, height] : kSizes) {
      const Caps caps = make_caps(format, width, height, ", colorimetry=(string)bt709");
      const Caps rgb_caps = make_caps(format, width, height);
      const bool rgb = is_rgb(info_of(rgb_caps));
      EXPECT_LE(difference_from_reference(rgb ? rgb_caps : caps, rgb ? noisy_rgb : noisy_luma),
                tolerance)
          << format << " " << width << "x" << height;
    }
  }
}

// bt601, bt709 and bt2020, video and full range, each use their own matrix.
TEST_F(PictureTest, ColorimetryIsHonoured) {
  for (const char* format : {"I420", "NV12", "YUY2", "v210", "P010_10LE", "Y444", "AYUV"})
    for (const char* colorimetry : {"bt601", "bt709", "bt2020", "2:4:5:1", "1:4:5:1", "1:3:5:1"})
      for (Color color : {Color{180, 60, 200}, Color{70, 200, 90}, Color{128, 128, 128}})
        EXPECT_LE(
            difference_from_reference(
                make_caps(format, 32, 32, std::string(", colorimetry=(string)") + colorimetry),
                [color](int, int) { return color; }),
            2)
            << format << " " << colorimetry;
}

// Chroma that changes slowly is interpolated at the right place, for any chroma site.
TEST_F(PictureTest, ChromaStaysInPlace) {
  const auto slope = [](int x, int y) { return Color{128, 64 + x, 64 + y}; };
  for (const char* format : {"I420", "NV12", "YUY2", "P010_10LE", "Y42B"})
    for (const char* site : {"jpeg", "mpeg2"})
      EXPECT_LE(
          difference_from_reference(
              make_caps(format, 128, 128,
                        std::string(", colorimetry=(string)bt601, chroma-site=(string)") + site),
              slope, 128),
          6)
          << format << " " << site;
}

// A frame of real size and odd width agrees too, and side may equal width and height.
TEST_F(PictureTest, OddAndEqualSizes) {
  EXPECT_LE(difference_from_reference(make_caps("I420", 1279, 719, ", colorimetry=(string)bt709"),
                                      noisy_luma, 384),
            2);
  EXPECT_EQ(difference_from_reference(make_caps("BGRx", 1279, 719), noisy_rgb, 384), 0);
  EXPECT_EQ(difference_from_reference(make_caps("RGB", 24, 24), noisy_rgb, 24), 0);
  EXPECT_EQ(difference_from_reference(make_caps("GRAY8", 32768, 1), noisy_rgb, 8), 0);
  EXPECT_EQ(difference_from_reference(make_caps("GRAY8", 1, 32768), noisy_rgb, 8), 0);
}

// A picture is GstVideoConverter's pixels through the plain resize, bit for bit, whichever faster
// way it took: wide, tall, made smaller and larger, interlaced or not.
TEST_F(PictureTest, FastWaysGiveThePlainBytes) {
  for (const char* format : {"NV12", "I420", "P010_10LE", "I420_10LE", "UYVY", "YUY2", "RGBA",
                             "BGR", "GRAY8", "v210", "AYUV"})
    for (auto [width, height] : {std::pair{641, 361}, {361, 641}, {90, 700}, {700, 32}, {33, 19}})
      for (const char* more : {"", ", interlace-mode=(string)interleaved"}) {
        const Caps caps = make_caps(format, width, height, more);
        const GstVideoInfo info = info_of(caps);
        const Buffer buffer = painted(info, [](int x, int y) { return noisy_rgb(x, y); });
        auto reader = reader_of(caps);
        for (int side : {98, 384, 98})
          EXPECT_EQ(finished(*reader, buffer.get(), side), plain_picture(info, buffer.get(), side))
              << format << " " << width << "x" << height << " to " << side << more;
      }
}

// The same picture twice gives the same bytes, also where GStreamer reads a row too far.
TEST_F(PictureTest, InterlacedPicturesOfTwiceAnOddHeight) {
  for (const char* format : {"P016_LE", "P012_LE", "P010_10LE", "NV12", "I420_12LE"}) {
    const Caps caps = make_caps(format, 700, 30, ", interlace-mode=(string)interleaved");
    const GstVideoInfo info = info_of(caps);
    const Buffer buffer = painted(info, noisy_rgb);
    Bytes first;
    for (uint8_t fill : {0x00, 0xFF, 0x77}) {
      make_buffer(2 * info.size, fill);  // what freed memory holds
      const Bytes next = finished(*reader_of(caps), buffer.get());
      if (first.empty()) first = next;
      EXPECT_EQ(next, first) << format;
    }
  }
}

// Frame rate, pixel aspect ratio and interlacing change nothing about the pixels.
TEST_F(PictureTest, OtherFieldsOfTheCapsDoNotMatter) {
  for (const char* more :
       {", framerate=(fraction)0/1", ", framerate=(fraction)0/1, max-framerate=(fraction)30/1",
        ", pixel-aspect-ratio=(fraction)64/45", ", interlace-mode=(string)interleaved",
        ", interlace-mode=(string)interleaved, field-order=(string)top-field-first",
        ", interlace-mode=(string)mixed", ", interlace-mode=(string)fields",
        ", multiview-mode=(string)side-by-side"})
    for (auto [width, height] : kSizes) {
      EXPECT_EQ(difference_from_reference(make_caps("BGRA", width, height, more), noisy_rgb), 0)
          << more;
      if (height < 4) continue;  // two fields of 4:2:0 have no chroma of their own below that
      for (const char* format : {"I420", "NV12", "YUY2", "P010_10LE"})
        EXPECT_LE(difference_from_reference(make_caps(format, width, height, more), noisy_luma), 2)
            << format << more << width << "x" << height;
    }
}

// ---- Turned pictures ---------------------------------------------------------------------------

// A stored picture comes out as GStreamer's videoflip turns it, for all eight values of the tag.
// One chroma value everywhere: where half-size chroma lies between pixels, a turned plane no longer
// says.
TEST_F(PictureTest, TurnedAsVideoflipTurns) {
  for (const char* value : {"rotate-0", "rotate-90", "rotate-180", "rotate-270", "flip-rotate-0",
                            "flip-rotate-90", "flip-rotate-180", "flip-rotate-270"}) {
    GstTagList* list = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, value, nullptr);
    OrientationTags tags;
    tags.take(list);
    GstHarness* h = gst_harness_new("videoflip");
    gst_util_set_object_arg(G_OBJECT(h->element), "video-direction", "auto");
    gst_harness_set_src_caps_str(h, "video/x-raw, format=RGB, width=2, height=2, framerate=1/1");
    gst_harness_push_event(h, gst_event_new_tag(list));
    for (const char* format : {"RGB", "BGRA", "GRAY8", "I420", "NV12", "YUY2", "I420_10LE"}) {
      for (auto [width, height] : {std::pair{64, 48}, {30, 90}, {18, 16}}) {
        const Caps caps = make_caps(format, width, height, ", colorimetry=(string)bt709");
        const Buffer buffer =
            painted(info_of(caps), is_rgb(info_of(caps)) ? noisy_rgb : noisy_luma);
        gst_harness_set_src_caps(h, gst_caps_ref(caps.get()));
        gst_harness_push(h, gst_buffer_copy_deep(buffer.get()));
        const Buffer shown(gst_harness_pull(h));
        const Caps shown_caps(gst_pad_get_current_caps(h->sinkpad));
        auto reader = PictureReader::make(caps.get(), {}, tags.current());
        ASSERT_TRUE(reader) << reader.error().message;
        EXPECT_EQ(finished(**reader, buffer.get()), finished(*reader_of(shown_caps), shown.get()))
            << value << " " << format << " " << width << "x" << height;
      }
    }
    gst_harness_teardown(h);
  }
}

// ---- Layouts written by hand, without GStreamer's pack functions -------------------------------

void put16(Bytes& bytes, size_t at, int value) {
  bytes[at] = static_cast<uint8_t>(value);
  bytes[at + 1] = static_cast<uint8_t>(value >> 8);
}

// I420 and P010 written by hand into padded rows that a GstVideoMeta describes read correctly.
TEST_F(PictureTest, PaddedPlanesAreHonoured) {
  for (bool ten_bit : {false, true}) {
    const int width = 17, height = 33, chroma_height = 17, stride = 96;
    const Caps caps =
        make_caps(ten_bit ? "P010_10LE" : "I420", width, height, ", colorimetry=(string)bt709");
    const int n_chroma = ten_bit ? 1 : 2;
    gsize offsets[4] = {40, 40 + stride * 50, 40 + stride * 80, 0};
    gint strides[4] = {stride, stride, stride, 0};
    Bytes bytes(offsets[n_chroma] + stride * chroma_height, 0xEE);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const Color color = noisy_luma(x, y);
        const size_t luma = offsets[0] + y * stride, chroma = (y / 2) * stride;
        if (ten_bit) {
          put16(bytes, luma + 2 * x, color.a << 8);
          put16(bytes, offsets[1] + chroma + x / 2 * 4, color.b << 8);
          put16(bytes, offsets[1] + chroma + x / 2 * 4 + 2, color.c << 8);
        } else {
          bytes[luma + x] = static_cast<uint8_t>(color.a);
          bytes[offsets[1] + chroma + x / 2] = static_cast<uint8_t>(color.b);
          bytes[offsets[2] + chroma + x / 2] = static_cast<uint8_t>(color.c);
        }
      }
    bytes.resize(offsets[n_chroma] + stride * (chroma_height - 1) + (ten_bit ? 36 : 9));  // exact
    const Buffer buffer = wrap(bytes);
    const GstVideoFormat format = ten_bit ? GST_VIDEO_FORMAT_P010_10LE : GST_VIDEO_FORMAT_I420;
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, format, width, height,
                                   ten_bit ? 2 : 3, offsets, strides);
    auto reader = reader_of(caps);
    EXPECT_LE(largest_difference(finished(*reader, buffer.get()),
                                 expected_rgb(info_of(caps), noisy_luma, kSide)),
              2);
    gst_buffer_set_size(buffer.get(), bytes.size() - 1);  // one byte less is too little
    EXPECT_FALSE(reader->grab(buffer.get()));
  }
}

// The last chroma sample of a packed 4:2:2 row of odd width is part of the picture.
TEST_F(PictureTest, OddPackedRowsKeepTheirLastChroma) {
  const Caps caps = make_caps("YUY2", 3, 1, ", colorimetry=(string)bt601");
  const Buffer buffer = wrap({100, 90, 100, 200, 100, 90, 0, 200});
  gsize offset[4] = {};
  gint stride[4] = {8};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_YUY2, 3,
                                 1, 1, offset, stride);
  auto reader = reader_of(caps);
  EXPECT_LE(largest_difference(finished(*reader, buffer.get(), 3), expected_rgb(
                                                                       info_of(caps),
                                                                       [](int, int) {
                                                                         return Color{100, 90, 200};
                                                                       },
                                                                       3)),
            2);
}

// v210, three 10-bit values in a word, written by hand from its definition.
TEST_F(PictureTest, V210ByHand) {
  const int width = 12, height = 5, stride = 128;
  const Caps caps = make_caps("v210", width, height, ", colorimetry=(string)bt709");
  Bytes bytes(stride * height);
  for (int y = 0; y < height; ++y)
    for (int block = 0; block < width / 6; ++block) {
      std::vector<int> values;  // U Y V Y U Y V Y U Y V Y
      for (int i = 0; i < 6; ++i) {
        const Color color = noisy_luma(block * 6 + i, y);
        values.push_back((i % 2 ? color.c : color.b) * 4);
        values.push_back(color.a * 4);
      }
      for (int word = 0; word < 4; ++word) {
        const uint32_t packed = static_cast<uint32_t>(
            values[3 * word] | values[3 * word + 1] << 10 | values[3 * word + 2] << 20);
        std::memcpy(&bytes[y * stride + block * 16 + word * 4], &packed, 4);
      }
    }
  auto reader = reader_of(caps);
  const Buffer buffer = wrap(bytes);
  EXPECT_LE(largest_difference(finished(*reader, buffer.get()),
                               expected_rgb(info_of(caps), noisy_luma, kSide)),
            2);
}

// NV61 rows of odd width end in a whole pair of chroma. (GStreamer 1.22 packs that pair swapped.)
TEST_F(PictureTest, OddNv61ByHand) {
  const Caps caps = make_caps("NV61", 3, 1, ", colorimetry=(string)bt601");
  const GstVideoInfo info = info_of(caps);
  Bytes bytes(info.size);
  for (int x = 0; x < 3; ++x) bytes[x] = 100;
  for (int x = 0; x < 2; ++x) {
    bytes[info.offset[1] + 2 * x] = 200;
    bytes[info.offset[1] + 2 * x + 1] = 90;
  }
  auto reader = reader_of(caps);
  const Buffer buffer = wrap(bytes);
  const auto flat = [](int, int) { return Color{100, 90, 200}; };
  EXPECT_LE(largest_difference(finished(*reader, buffer.get(), 3), expected_rgb(info, flat, 3)), 1);
}

// A palette travels with its picture.
TEST_F(PictureTest, PaletteIsCopied) {
  const Caps caps = make_caps("RGB8P", 4, 1);
  const GstVideoInfo info = info_of(caps);
  Bytes bytes(info.size);
  for (int x = 0; x < 4; ++x) bytes[x] = static_cast<uint8_t>(10 * x);
  for (int i = 0; i < 256; ++i) {
    const uint32_t argb = 0xFF000000u | static_cast<uint32_t>(i << 16 | (255 - i) << 8 | (i / 2));
    std::memcpy(&bytes[info.offset[1] + 4 * i], &argb, 4);
  }
  const auto colors = [](int x, int) { return Color{10 * x, 255 - 10 * x, 5 * x}; };
  auto reader = reader_of(caps);
  const Buffer buffer = wrap(bytes);
  EXPECT_EQ(finished(*reader, buffer.get(), 4), expected_rgb(info, colors, 4));
}

// ---- Lifetimes and damage ----------------------------------------------------------------------

// A grabbed picture is a copy: it keeps its pixels when the buffer changes, when others are grabbed
// and when the reader is gone.
TEST_F(PictureTest, GrabbedPicturesStandAlone) {
  const Caps caps = make_caps("RGB", 20, 10);
  const auto other = [](int x, int y) { return noisy_rgb(x + 100, y); };
  auto reader = reader_of(caps);
  Buffer buffer = painted(info_of(caps), noisy_rgb);
  auto first = reader->grab(buffer.get());
  buffer = painted(info_of(caps), other);
  auto second = reader->grab(buffer.get());
  buffer.reset();
  reader.reset();
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*(*second)->finish(kSide))->rgb, expected_rgb(info_of(caps), other, kSide));
  EXPECT_EQ((*(*first)->finish(kSide))->rgb, expected_rgb(info_of(caps), noisy_rgb, kSide));
}

// Only one reference to a buffer exists before and after a grab, and copies are used again.
TEST_F(PictureTest, BuffersAreNotKept) {
  const Caps caps = make_caps("NV12", 64, 64);
  auto reader = reader_of(caps);
  const Buffer buffer = painted(info_of(caps), noisy_luma);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(reader->grab(buffer.get()));
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), 1);
}

// Sizes that the resize refuses come back as an error with a sentence.
TEST_F(PictureTest, BadSides) {
  const Caps caps = make_caps("RGB", 8, 8);
  auto reader = reader_of(caps);
  auto grabbed = reader->grab(painted(info_of(caps), noisy_rgb).get());
  ASSERT_TRUE(grabbed);
  for (int side : {0, -1, 32769, INT32_MAX, INT32_MIN}) {
    auto frame = (*grabbed)->finish(side);
    ASSERT_FALSE(frame) << side;
    EXPECT_FALSE(frame.error().message.empty());
  }
  EXPECT_TRUE((*grabbed)->finish(4));
}

// Buffers that are too small, or whose layout contradicts the caps, are refused; good ones pass
// afterwards.
TEST_F(PictureTest, DamagedBuffers) {
  for (const char* format : {"I420", "NV12", "RGBA", "v210", "NV12_64Z32", "RGB8P"}) {
    const Caps caps = make_caps(format, 34, 18);
    const GstVideoInfo info = info_of(caps);
    auto reader = reader_of(caps);
    for (size_t size : {size_t{0}, size_t{1}, info.size / 2, info.size - 1})
      EXPECT_FALSE(reader->grab(make_buffer(size).get())) << format << size;

    const auto with_meta = [&](size_t size, guint width, guint height, gint stride, gsize offset,
                               GstVideoFormat as) {
      Buffer buffer = make_buffer(size);
      gsize offsets[4];
      gint strides[4];
      for (int i = 0; i < 4; ++i) {
        offsets[i] = info.offset[i] + offset;
        strides[i] = stride ? stride : info.stride[i];
      }
      gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, as, width, height,
                                     gst_video_format_get_info(as)->n_planes, offsets, strides);
      return static_cast<bool>(reader->grab(buffer.get()));
    };
    const GstVideoFormat same = GST_VIDEO_INFO_FORMAT(&info);
    EXPECT_TRUE(with_meta(info.size, 34, 18, 0, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size / 2, 34, 18, 0, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, 0, 700, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, 0, G_MAXSIZE / 2, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, 1 << 30, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, -200, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, 1, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 33, 18, 0, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 17, 0, 0, same)) << format;
    EXPECT_FALSE(with_meta(info.size, 34, 18, 0, 0, GST_VIDEO_FORMAT_Y444)) << format;
    EXPECT_TRUE(reader->grab(make_buffer(info.size).get())) << format;
  }
}

// Caps that are no raw video in system memory, or too large, are refused with a sentence.
TEST_F(PictureTest, BadCaps) {
  for (const char* text :
       {"ANY", "EMPTY", "audio/x-raw", "video/x-raw", "video/x-h264, width=8, height=8",
        "video/x-raw, format=RGB, width=[1,9], height=8, framerate=1/1",
        "video/x-raw, format=NONSENSE, width=8, height=8, framerate=1/1",
        "video/x-raw, format=ENCODED, width=8, height=8, framerate=1/1",
        "video/x-raw, format=RGB, width=0, height=8, framerate=1/1",
        "video/x-raw, format=RGB, width=-5, height=8, framerate=1/1",
        "video/x-raw, format=RGB, width=32769, height=8, framerate=1/1",
        "video/x-raw, format=ARGB64, width=32768, height=32768, framerate=1/1",
        "video/x-raw, format=RGB, width=2147483647, height=2147483647, framerate=1/1",
        "video/x-raw(memory:GLMemory), format=NV12, width=8, height=8, framerate=1/1",
        "video/x-raw(memory:DMABuf), format=NV12, width=8, height=8, framerate=1/1",
        "video/x-raw(format:Interlaced), format=NV12, width=8, height=8, framerate=1/1, "
        "interlace-mode=alternate"}) {
    const Caps caps(gst_caps_from_string(text));
    auto reader = PictureReader::make(caps.get());
    ASSERT_FALSE(reader) << text;
    EXPECT_EQ(reader.error().code, ErrorCode::kUnsupported) << text;
    EXPECT_GT(reader.error().message.size(), 20u) << text;
  }
  EXPECT_FALSE(PictureReader::make(nullptr));
}

}  // namespace
}  // namespace vidi
