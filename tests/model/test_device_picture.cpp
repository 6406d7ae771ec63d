// Pictures made small where they lie: the same bits as the host's way, on the CPU and on CUDA.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/pixels/resize.h"
#include "kernels/pixels/yuv_tables.h"
#include "model/towers/device_picture.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

using Bytes = std::vector<uint8_t>;

uint8_t noise(int x, int y, int c) {
  const uint32_t n = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u);
  return static_cast<uint8_t>((n * 2654435761u) >> 24);
}

// A picture on the host, with rows longer than they need to be and noise behind them.
struct Source {
  PixelFormat format;
  int width, height;
  std::vector<Bytes> planes;
  std::vector<size_t> strides;
};

Source make_source(PixelFormat format, int width, int height, size_t padding) {
  const size_t w = width, h = height, half_w = (w + 1) / 2, half_h = (h + 1) / 2;
  std::vector<std::pair<size_t, size_t>> planes;  // bytes of a row, rows
  switch (format) {
    case PixelFormat::kNv12:
      planes = {{w, h}, {half_w * 2, half_h}};
      break;
    case PixelFormat::kP010:
      planes = {{w * 2, h}, {half_w * 4, half_h}};
      break;
    case PixelFormat::kI420:
      planes = {{w, h}, {half_w, half_h}, {half_w, half_h}};
      break;
    case PixelFormat::kRgb:
      planes = {{w * 3, h}};
      break;
    default:
      planes = {{w * 4, h}};
  }
  Source source{format, width, height, {}, {}};
  for (const auto& [bytes, rows] : planes) {
    const size_t stride = bytes + padding;
    Bytes plane(stride * rows);
    for (size_t i = 0; i < plane.size(); ++i) {
      plane[i] = noise(static_cast<int>(i % stride), static_cast<int>(i / stride),
                       static_cast<int>(source.planes.size()));
    }
    source.planes.push_back(plane);
    source.strides.push_back(stride);
  }
  return source;
}

DevicePicture on_host(const Source& source) {
  DevicePicture picture;
  picture.format = source.format;
  picture.width = source.width, picture.height = source.height;
  for (size_t i = 0; i < source.planes.size(); ++i) {
    picture.planes[i] = {source.planes[i].data(), source.strides[i]};
  }
  picture.on_host = true;
  return picture;
}

// ---- The plain version: one pixel at a time ----

int sample(const Source& s, int plane, int x, int y, int channels, int channel) {
  const bool wide = s.format == PixelFormat::kP010;
  const uint8_t* at = s.planes[plane].data() + y * s.strides[plane] +
                      static_cast<size_t>(x * channels + channel) * (wide ? 2 : 1);
  if (!wide) return *at;
  const int word = at[0] | at[1] << 8;
  return word | word >> 10;
}

// Cb (0) or Cr (1) at a pixel: across first, then down.
int chroma(const DevicePicture& p, const Source& s, int x, int y, int which) {
  const int last_x = (s.width + 1) / 2 - 1, last_y = (s.height + 1) / 2 - 1;
  const bool planar = s.format == PixelFormat::kI420;
  const auto at = [&](int cx, int cy) {
    return sample(s, planar ? 1 + which : 1, cx, cy, planar ? 1 : 2, planar ? 0 : which);
  };
  const auto across = [&](int cy) {
    const int own = at(x / 2, cy);
    const int next = at(std::min(x / 2 + 1, last_x), cy);
    if (p.chroma_at_left) return x % 2 ? (own + next + 1) >> 1 : own;
    return (3 * own + (x % 2 ? next : at(std::max(x / 2 - 1, 0), cy)) + 2) >> 2;
  };
  const int other = y % 2 ? std::min(y / 2 + 1, last_y) : std::max(y / 2 - 1, 0);
  return (3 * across(y / 2) + across(other) + 2) >> 2;
}

void yuv_pixel(const DevicePicture& p, const Source& s, const YuvTables& t, int x, int y,
               uint8_t* rgb) {
  const int shift = s.format == PixelFormat::kP010 ? 6 : 0;
  const int luma = sample(s, 0, x, y, 1, 0) >> shift;
  const int u = chroma(p, s, x, y, 0) >> shift, v = chroma(p, s, x, y, 1) >> shift;
  const auto byte = [](int sum) {
    return static_cast<uint8_t>(std::clamp(sum >> YuvTables::kBits, 0, 255));
  };
  rgb[0] = byte(t.luma[luma] + t.red_v[v]);
  rgb[1] = byte(t.luma[luma] + t.green_u[u] + t.green_v[v]);
  rgb[2] = byte(t.luma[luma] + t.blue_u[u]);
}

Bytes turned(const Bytes& rgb, int width, int height, const Orientation& orientation) {
  Bytes shown(rgb.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int mx = orientation.mirrored_x ? width - 1 - x : x;
      const int my = orientation.mirrored_y ? height - 1 - y : y;
      const int at = orientation.transposed ? mx * height + my : my * width + mx;
      std::copy_n(&rgb[(static_cast<size_t>(y) * width + x) * 3], 3,
                  &shown[static_cast<size_t>(at) * 3]);
    }
  }
  return shown;
}

Bytes expected(const DevicePicture& p, const Source& s, int side) {
  const bool deep = s.format == PixelFormat::kP010;
  const YuvTables tables(p.kr, p.kb, p.full_range, deep ? 10 : 8);
  Bytes rgb(size_t{3} * s.width * s.height);
  for (int y = 0; y < s.height; ++y) {
    for (int x = 0; x < s.width; ++x) {
      uint8_t* pixel = &rgb[(static_cast<size_t>(y) * s.width + x) * 3];
      for (int c = 0; c < 3; ++c) {
        if (s.format == PixelFormat::kRgb) pixel[c] = sample(s, 0, x, y, 3, c);
        if (s.format == PixelFormat::kRgba) pixel[c] = sample(s, 0, x, y, 4, c);
        if (s.format == PixelFormat::kBgra) pixel[c] = sample(s, 0, x, y, 4, 2 - c);
      }
      if (s.planes.size() > 1) yuv_pixel(p, s, tables, x, y, pixel);
    }
  }
  Bytes small(size_t{3} * side * side);
  const bool on_its_side = p.orientation.transposed;
  const int width = on_its_side ? s.height : s.width, height = on_its_side ? s.width : s.height;
  const Bytes shown = turned(rgb, s.width, s.height, p.orientation);
  resize_bicubic(shown.data(), width, height, size_t{3} * width, small.data(), side);
  return small;
}

// ---- On the CPU and on CUDA ----

class DevicePictureTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !at::hasCUDA()) GTEST_SKIP() << "this machine or engine has no CUDA";
  }

  Bytes shrink(DevicePicture picture, const Source& source, int side) {
    std::vector<at::Tensor> copies;
    for (size_t i = 0; GetParam() && i < source.planes.size(); ++i) {
      const auto size = static_cast<int64_t>(source.planes[i].size());
      copies.push_back(
          at::from_blob(const_cast<uint8_t*>(source.planes[i].data()), {size}, at::kByte)
              .to(at::kCUDA));
      picture.planes[i].data = copies.back().data_ptr();
    }
    picture.on_host = !GetParam();
    Bytes rgb(size_t{3} * side * side + 1, 0xA5);
    const Result<bool> done = shrink_picture(picture, side, rgb.data());
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_EQ(rgb.back(), 0xA5) << "written behind the end";
    rgb.pop_back();
    return rgb;
  }
};

struct Size {
  int width, height, side;
};
constexpr Size kSizes[] = {{96, 54, 32}, {40, 300, 32}, {33, 17, 20}, {7, 5, 16},
                           {1, 1, 4},    {2, 3, 3},     {32, 32, 32}};

// RGB in any order of bytes comes out as the CPU's resize has it, bit for bit, in all shapes.
TEST_P(DevicePictureTest, RgbIsBitExact) {
  for (PixelFormat format : {PixelFormat::kRgb, PixelFormat::kRgba, PixelFormat::kBgra}) {
    for (const Size& size : kSizes) {
      const Source source = make_source(format, size.width, size.height, 13);
      const DevicePicture picture = on_host(source);
      EXPECT_EQ(shrink(picture, source, size.side), expected(picture, source, size.side))
          << size.width << "x" << size.height << " format " << static_cast<int>(format);
    }
  }
}

// Y'CbCr comes out as the pixel-by-pixel version has it, for each matrix, range and chroma site.
TEST_P(DevicePictureTest, YuvIsBitExact) {
  for (PixelFormat format : {PixelFormat::kNv12, PixelFormat::kP010, PixelFormat::kI420}) {
    for (const Size& size : kSizes) {
      for (int variant = 0; variant < 4; ++variant) {
        const Source source = make_source(format, size.width, size.height, 14);
        DevicePicture picture = on_host(source);
        picture.full_range = variant & 1;
        picture.chroma_at_left = variant & 2;
        if (variant == 3) picture.kr = 0.299, picture.kb = 0.114;
        EXPECT_EQ(shrink(picture, source, size.side), expected(picture, source, size.side))
            << size.width << "x" << size.height << " format " << static_cast<int>(format)
            << " variant " << variant;
      }
    }
  }
}

// A picture that is stored turned comes out as the turned picture would, bit for bit, in all eight
// ways, whichever pass comes first.
TEST_P(DevicePictureTest, TurnedIsBitExact) {
  for (PixelFormat format : {PixelFormat::kRgb, PixelFormat::kNv12}) {
    for (const Size& size : kSizes) {
      for (int way = 0; way < 8; ++way) {
        const Source source = make_source(format, size.width, size.height, 14);
        DevicePicture picture = on_host(source);
        picture.orientation = {(way & 1) != 0, (way & 2) != 0, (way & 4) != 0};
        EXPECT_EQ(shrink(picture, source, size.side), expected(picture, source, size.side))
            << size.width << "x" << size.height << " format " << static_cast<int>(format) << " way "
            << way;
      }
    }
  }
}

// A full-size frame comes out right too: kernels have limits that small pictures do not meet.
TEST_P(DevicePictureTest, FullHd) {
  const Source source = make_source(PixelFormat::kNv12, 1920, 1080, 128);
  const DevicePicture picture = on_host(source);
  EXPECT_EQ(shrink(picture, source, 384), expected(picture, source, 384));
}

INSTANTIATE_TEST_SUITE_P(On, DevicePictureTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Cuda" : "Cpu"; });

// What cannot be is refused with a reason, and nothing is written.
TEST(DevicePictureRefusalTest, BadPictures) {
  const Source source = make_source(PixelFormat::kP010, 20, 10, 2);
  const auto code = [&](auto spoil, int side = 8) {
    DevicePicture picture = on_host(source);
    spoil(picture);
    Bytes rgb(size_t{3} * 64, 7);
    const Result<bool> done = shrink_picture(picture, side, rgb.data());
    EXPECT_EQ(rgb, Bytes(size_t{3} * 64, 7));
    return done ? ErrorCode::kInternal : done.error().code;
  };
  EXPECT_EQ(code([](auto& p) { p.width = 0; }), ErrorCode::kBadInput);
  EXPECT_EQ(code([](auto& p) { p.height = 40000; }), ErrorCode::kBadInput);
  EXPECT_EQ(code([](auto& p) { p.planes[1].data = nullptr; }), ErrorCode::kBadInput);
  EXPECT_EQ(code([](auto& p) { p.planes[0].stride = 39; }), ErrorCode::kBadInput);
  EXPECT_EQ(code([](auto& p) { p.planes[1].stride = 41; }), ErrorCode::kBadInput);
  EXPECT_EQ(code([](auto&) {}, 0), ErrorCode::kBadInput);
}

// Without CUDA, a picture in a device's memory is refused as unsupported, so that the caller takes
// the way through the host; its address is not touched.
TEST(DevicePictureRefusalTest, NoDevice) {
  if (at::hasCUDA()) GTEST_SKIP() << "this machine has CUDA";
  DevicePicture picture;
  picture.width = picture.height = 16;
  picture.planes[0] = {reinterpret_cast<const void*>(0x1000), 48};
  Bytes rgb(size_t{3} * 64);
  const Result<bool> done = shrink_picture(picture, 8, rgb.data());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace vidi
