#include <gtest/gtest.h>

#include <initializer_list>
#include <random>
#include <vector>

#include "gst/decode/coded_frame.h"

namespace vidi {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr char kH264[] = "video/x-h264, stream-format=byte-stream, alignment=au, parsed=true";
constexpr char kH265[] = "video/x-h265, stream-format=byte-stream, alignment=au, parsed=true";

struct CodedFrames : ::testing::Test {
  void SetUp() override { gst_init(nullptr, nullptr); }
};

std::optional<CodedFrameReader> reader_of(const std::string& text) {
  GstCaps* caps = gst_caps_from_string(text.c_str());
  auto reader = CodedFrameReader::make(caps);
  gst_caps_unref(caps);
  return reader;
}

CodedFrame read(const std::string& caps, const Bytes& bytes, guint flags = 0) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, flags);
  const CodedFrame frame = reader_of(caps)->read(buffer);
  gst_buffer_unref(buffer);
  return frame;
}

Bytes nals(std::initializer_list<Bytes> units) {
  Bytes all;
  for (const Bytes& unit : units) {
    all.insert(all.end(), {0, 0, 1});
    all.insert(all.end(), unit.begin(), unit.end());
  }
  return all;
}

// H.264: IDR frames begin, frames of which no slice is a reference are disposable.
TEST_F(CodedFrames, H264) {
  const CodedFrame idr = read(kH264, nals({{0x67, 1}, {0x68, 1}, {0x65, 0x88}, {0x65, 0x22}}));
  EXPECT_TRUE(idr.starts && idr.closed && !idr.disposable);
  const CodedFrame p = read(kH264, nals({{0x41, 0x9a}}));
  EXPECT_TRUE(!p.starts && !p.disposable);
  const CodedFrame b = read(kH264, nals({{0x09, 0x30}, {0x01, 0x9e}, {0x01, 0x11}}));
  EXPECT_TRUE(!b.starts && b.disposable);
  EXPECT_FALSE(read(kH264, nals({{0x01, 0x9e}, {0x21, 0x11}})).disposable);
}

// H.264: a recovery point is no start.
TEST_F(CodedFrames, H264RecoveryPoint) {
  EXPECT_FALSE(read(kH264, nals({{0x06, 6, 1, 0xc4, 0x80}, {0x61, 0x88}})).starts);
}

// H.265: intra random access frames begin, IDR_N_LP without leading frames; _N frames are spare.
TEST_F(CodedFrames, H265) {
  const auto of_type = [](int type) {
    return read(kH265, nals({{static_cast<uint8_t>(type << 1), 1, 0xaf}}));
  };
  for (int type = 0; type < 22; ++type) {
    EXPECT_EQ(of_type(type).starts, type >= 16) << type;
    EXPECT_EQ(of_type(type).closed, type == 18 || type == 20) << type;
    EXPECT_EQ(of_type(type).disposable, type < 16 && type % 2 == 0) << type;
  }
  EXPECT_EQ(read(kH265, nals({{0, 3, 0xaf}})).layer, 2);
}

// VP8: key frames begin, frames that are never shown are known. VP9: the parser's flag tells.
TEST_F(CodedFrames, Vp8AndVp9) {
  EXPECT_TRUE(read("video/x-vp8", {0x10, 0, 0}).starts);
  EXPECT_FALSE(read("video/x-vp8", {0x11, 0, 0}).starts);
  EXPECT_TRUE(read("video/x-vp8", {0x01, 0, 0}).hidden);
  EXPECT_TRUE(read("video/x-vp9", {0x82}).closed);
  EXPECT_FALSE(read("video/x-vp9", {0x86}, GST_BUFFER_FLAG_DELTA_UNIT).starts);
}

// Lengths in front of NAL units are read as codec_data says how many bytes they have.
TEST_F(CodedFrames, LengthsAreRead) {
  const std::string avc =
      "video/x-h264, stream-format=avc, alignment=au, parsed=true, codec_data=(buffer)01640028fd";
  EXPECT_TRUE(read(avc, {0, 2, 0x65, 0x88}).closed);
  EXPECT_TRUE(read(avc, {0, 2, 0x01, 0x88}).disposable);
  for (const Bytes& damaged : {Bytes{0, 9, 0x65}, Bytes{0}, Bytes{}, Bytes{0, 1, 0x65, 0, 7}}) {
    const CodedFrame frame = read(avc, damaged);
    EXPECT_FALSE(frame.starts || frame.disposable);
  }
}

// Fields, unparsed streams and other codecs are not taken.
TEST_F(CodedFrames, RefusesWhatItCannotCut) {
  EXPECT_TRUE(reader_of(kH264));
  for (const char* caps :
       {"video/x-h264, stream-format=byte-stream, alignment=nal, parsed=true",
        "video/x-h264, stream-format=byte-stream, alignment=au",
        "video/x-h264, stream-format=byte-stream, alignment=au, parsed=true, "
        "interlace-mode=interleaved",
        "video/x-h264, stream-format=byte-stream, alignment=au, parsed=true, "
        "coded-picture-structure=field",
        "video/x-h264, stream-format=avc, alignment=au, parsed=true", "image/jpeg", "video/x-raw"})
    EXPECT_FALSE(reader_of(caps)) << caps;
}

// Any bytes are read without harm.
TEST_F(CodedFrames, AnyBytesAreRead) {
  std::minstd_rand random(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bytes(random() % 64);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 4 ? random() % 3 : random());
    for (const char* caps : {kH264, kH265, "video/x-vp8", "video/x-vp9"}) read(caps, bytes);
  }
}

}  // namespace
}  // namespace vidi
