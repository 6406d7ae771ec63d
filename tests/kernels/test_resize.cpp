#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/pixels/resize.h"
#include "model/checkpoint/safetensors.h"
#include "model/result.h"
#include "tests/sha256.h"

namespace vidi {
namespace {

constexpr int kSide = 384;
constexpr uint8_t kGuard = 0xA5;
using Bytes = std::vector<uint8_t>;

const std::string kFolder = VIDI_TEST_DATA "/frontend/";

// The golden list's source picture: edges and ramps with noise on top, from integers alone.
Bytes make_picture(uint32_t width, uint32_t height, uint32_t seed) {
  Bytes picture;
  picture.reserve(size_t{width} * height * 3);
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t c = 0; c < 3; ++c) {
        uint32_t n = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u) ^ seed;
        n = (n ^ (n >> 13)) * 1274126177u;
        const uint32_t checks = (x * 5 / width + y * 3 / height + c) % 2;
        const uint32_t value =
            x * 120 / width + y * 40 * (c + 1) / height + 90 * checks + (n >> 16) % 61;
        picture.push_back(static_cast<uint8_t>(std::min(255u, value)));
      }
    }
  }
  return picture;
}

Bytes resize(const Bytes& picture, int width, int height, int side) {
  Bytes target(size_t{3} * side * side);
  resize_bicubic(picture.data(), width, height, size_t{3} * width, target.data(), side);
  return target;
}

Bytes cut(const Bytes& picture, int y, int x, int side) {
  Bytes crop;
  for (int row = y; row < y + side; ++row) {
    const auto start = picture.begin() + (static_cast<size_t>(row) * kSide + x) * 3;
    crop.insert(crop.end(), start, start + side * 3);
  }
  return crop;
}

// Extreme values are frequent, so that sums reach beyond a byte on both sides.
Bytes make_noise(size_t size, uint32_t seed) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    const uint32_t kind = seed >> 30, value = seed >> 20 & 255;
    byte = static_cast<uint8_t>(kind == 0 ? 0 : kind == 1 ? 255 : value);
  }
  return bytes;
}

// [height, channel, width] in memory.
class PlanarRows : public RgbRows {
 public:
  PlanarRows(Bytes planes, int width) : planes_(std::move(planes)), row_bytes_(size_t{3} * width) {}
  void read(int y, uint8_t* planes) override {
    asked_for_.push_back(y);
    std::copy_n(planes_.begin() + static_cast<ptrdiff_t>(y * row_bytes_), row_bytes_, planes);
  }
  const std::vector<int>& asked_for() const { return asked_for_; }

 private:
  const Bytes planes_;
  const size_t row_bytes_;
  std::vector<int> asked_for_;
};

constexpr Orientation kAllOrientations[] = {
    {false, false, false}, {true, false, false}, {false, true, false}, {true, true, false},
    {false, false, true},  {true, false, true},  {false, true, true},  {true, true, true}};

// Packed RGB to PlanarRows' layout.
Bytes planar(const Bytes& packed, int width, int height) {
  Bytes planes(packed.size());
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        planes[(size_t{3} * y + c) * width + x] = packed[(size_t{1} * y * width + x) * 3 + c];
  return planes;
}

// Pixel by pixel, as orientation.h says it.
Bytes turned(const Bytes& stored, int width, int height, const Orientation& orientation) {
  Bytes shown(stored.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int mx = orientation.mirrored_x ? width - 1 - x : x;
      const int my = orientation.mirrored_y ? height - 1 - y : y;
      const size_t at =
          orientation.transposed ? size_t{1} * mx * height + my : size_t{1} * my * width + mx;
      std::copy_n(&stored[(size_t{1} * y * width + x) * 3], 3, &shown[at * 3]);
    }
  }
  return shown;
}

class Goldens {
 public:
  Goldens() : path_(kFolder + "resize.safetensors"), header_(read_safetensors_header(path_)) {
    std::ifstream(kFolder + "resize.json") >> list_;
  }
  const nlohmann::json& list() const { return list_; }
  Bytes tensor(const std::string& name) const {
    const TensorEntry& entry = header_.tensors.at(name);
    Bytes bytes(entry.end - entry.begin);
    read_file_range(path_, entry.begin, bytes.data(), bytes.size());
    return bytes;
  }

 private:
  std::string path_;
  SafetensorsHeader header_;
  nlohmann::json list_;
};

void expect_bad_input(int width, int height, size_t stride, int side) {
  Bytes source(64, 0), target(64, kGuard);
  try {
    resize_bicubic(source.data(), width, height, stride, target.data(), side);
    FAIL() << width << "x" << height << " stride " << stride << " to " << side << " was accepted";
  } catch (const std::invalid_argument&) {
  }
  EXPECT_EQ(target, Bytes(64, kGuard));
}

// The test's own SHA-256 must agree with the standard's examples, or the hashes below prove
// nothing.
TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  EXPECT_EQ(sha256(Bytes(text.begin(), text.end())),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// Every listed size, from 1 pixel wide to 1920x1080, must give PIL's bytes.
TEST(Resize, GivesTheReferencesBytes) {
  const Goldens goldens;
  ASSERT_FALSE(goldens.list().empty());
  for (const auto& item : goldens.list()) {
    const int width = item["width"], height = item["height"];
    SCOPED_TRACE(std::to_string(width) + "x" + std::to_string(height));
    const Bytes source = make_picture(width, height, item["seed"]);
    ASSERT_EQ(sha256(source), item["source_sha256"].get<std::string>());
    if (item.contains("source")) {
      EXPECT_EQ(source, goldens.tensor(item["source"]));
    }
    const Bytes result = resize(source, width, height, kSide);
    for (const auto& crop : item["crops"]) {
      EXPECT_EQ(cut(result, crop["y"], crop["x"], 32), goldens.tensor(crop["tensor"]))
          << crop["tensor"];
    }
    if (item.contains("full")) {
      EXPECT_EQ(result, goldens.tensor(item["full"]));
    }
    EXPECT_EQ(sha256(result), item["result_sha256"].get<std::string>());
  }
}

// What this machine does fastest must give the plain loops' bytes: for wide, tall and tiny
// pictures, at sizes that fill no vector register evenly, made smaller and larger, picture after
// picture.
TEST(Resize, FastPassesGiveThePlainBytes) {
  for (auto [width, height, side] : {std::array{1, 1, 1},
                                     {1, 1, 40},
                                     {2, 3, 17},
                                     {1, 200, 9},
                                     {200, 1, 9},
                                     {15, 16, 17},
                                     {16, 15, 33},
                                     {31, 33, 8},
                                     {33, 400, 31},
                                     {47, 48, 49},
                                     {400, 33, 31},
                                     {640, 9, 98},
                                     {9, 640, 98},
                                     {257, 131, 384},
                                     {131, 1025, 64},
                                     {1025, 131, 64},
                                     {32768, 2, 5},
                                     {2, 32768, 5}}) {
    BicubicResize plain(width, height, side, {}, kPlainPasses), fast(width, height, side);
    for (uint32_t seed : {5u, 6u}) {
      const Bytes picture = make_noise(size_t{3} * width * height, seed);
      PlanarRows rows(picture, width);
      Bytes expected(size_t{3} * side * side), got(expected.size());
      plain.run(rows, expected.data());
      fast.run(rows, got.data());
      EXPECT_EQ(got, expected) << width << "x" << height << " to " << side;
    }
  }
}

// Rows are asked for once each, from the top to the bottom, in either order of the passes.
TEST(Resize, ReadsEveryRowOnce) {
  for (auto [width, height, side] :
       {std::array{90, 50, 20}, {50, 300, 20}, {5, 3, 16}, {1, 999, 2}}) {
    const Bytes picture(size_t{3} * width * height, 7);
    PlanarRows rows(picture, width);
    Bytes target(size_t{3} * side * side);
    BicubicResize(width, height, side).run(rows, target.data());
    ASSERT_EQ(rows.asked_for().size(), static_cast<size_t>(height));
    for (int y = 0; y < height; ++y) EXPECT_EQ(rows.asked_for()[y], y);
  }
}

// A picture that is stored turned comes out as the turned picture itself does, bit for bit, in all
// eight ways, whichever pass comes first.
TEST(Resize, TurnsAsTheWholePictureWouldBeTurned) {
  for (const Orientation& orientation : kAllOrientations) {
    for (auto [width, height, side] : {std::array{48, 48, 48},
                                       {90, 50, 20},
                                       {50, 300, 20},
                                       {300, 50, 20},
                                       {5, 3, 16},
                                       {1, 99, 2},
                                       {192, 108, 38},
                                       {108, 192, 38}}) {
      const Bytes stored = make_noise(size_t{3} * width * height, 9);
      const int shown_width = orientation.transposed ? height : width;
      const int shown_height = orientation.transposed ? width : height;
      Bytes got(size_t{3} * side * side);
      PlanarRows rows(planar(stored, width, height), width);
      BicubicResize(width, height, side, orientation).run(rows, got.data());
      EXPECT_EQ(got,
                resize(turned(stored, width, height, orientation), shown_width, shown_height, side))
          << width << "x" << height << " to " << side << " mirrored " << orientation.mirrored_x
          << orientation.mirrored_y << " transposed " << orientation.transposed;
    }
  }
}

// What a mirrored row is filtered with is the mirror of what the row is filtered with: else
// pictures could not be turned when they are small.
TEST(Resize, TapsAreTheirOwnMirror) {
  for (int side : {384, 32, 7}) {
    for (int size = 1; size <= 2200; ++size) {
      const Taps taps = make_taps(size, side);
      const auto weight = [&](int target, int source) {
        const int t = source - taps.first[target];
        return t < 0 || t >= taps.count[target] ? 0 : taps.weights_of(target)[t];
      };
      for (int i = 0; i < side; ++i) {
        for (int t = 0; t < taps.count[i]; ++t) {
          const int source = taps.first[i] + t;
          ASSERT_EQ(weight(i, source), weight(side - 1 - i, size - 1 - source))
              << size << " to " << side << ", position " << i;
        }
      }
    }
  }
}

// A picture that has the target's size already must come out unchanged.
TEST(Resize, KeepsAPictureOfTheTargetsSize) {
  for (int side : {1, 2, 13, 98}) {
    const Bytes picture = make_picture(side, side, 7);
    EXPECT_EQ(resize(picture, side, side, side), picture) << side;
  }
}

// One colour must stay that colour at any size, since the weights of a position sum to one.
TEST(Resize, KeepsOneColour) {
  for (auto [width, height, side] :
       {std::array{1, 1, 5}, {1, 1, 1}, {640, 3, 1}, {17, 31, 29}, {3, 257, 98}}) {
    Bytes picture, expected;
    for (int i = 0; i < width * height; ++i) picture.insert(picture.end(), {0, 130, 255});
    for (int i = 0; i < side * side; ++i) expected.insert(expected.end(), {0, 130, 255});
    EXPECT_EQ(resize(picture, width, height, side), expected)
        << width << "x" << height << " to " << side;
  }
}

// Whatever lies between the rows of a strided source must not reach the result.
TEST(Resize, SkipsTheBytesBetweenRows) {
  const int width = 31, height = 19, side = 27;
  const Bytes packed = make_picture(width, height, 3);
  for (size_t padding : {1, 3, 35}) {
    Bytes strided;
    for (int y = 0; y < height; ++y) {
      const auto row = packed.begin() + y * width * 3;
      strided.insert(strided.end(), row, row + width * 3);
      if (y + 1 < height)
        strided.insert(strided.end(), padding, kGuard);  // nothing after the last row
    }
    Bytes target(3 * side * side);
    resize_bicubic(strided.data(), width, height, width * 3 + padding, target.data(), side);
    EXPECT_EQ(target, resize(packed, width, height, side)) << padding;
  }
}

// The target's neighbours in memory must stay as they were, at sizes that fill no vector register
// evenly.
TEST(Resize, WritesTheTargetAlone) {
  const size_t margin = 64;
  for (auto [width, height, side] : {std::array{1, 1, 1}, {5, 9, 7}, {33, 8, 17}, {100, 41, 3}}) {
    const size_t size = size_t{3} * side * side;
    const Bytes picture = make_picture(width, height, 11);
    Bytes memory(size + 2 * margin, kGuard);
    resize_bicubic(picture.data(), width, height, size_t{3} * width, memory.data() + margin, side);
    EXPECT_EQ(Bytes(memory.begin(), memory.begin() + margin), Bytes(margin, kGuard));
    EXPECT_EQ(Bytes(memory.end() - margin, memory.end()), Bytes(margin, kGuard));
    EXPECT_EQ(Bytes(memory.begin() + margin, memory.end() - margin),
              resize(picture, width, height, side));
  }
}

// Sizes outside 1..32768 and a stride shorter than a row must be refused before anything is read or
// written.
TEST(Resize, RefusesBadSizes) {
  expect_bad_input(0, 1, 3, 1);
  expect_bad_input(1, 0, 3, 1);
  expect_bad_input(1, 1, 3, 0);
  expect_bad_input(-1, 1, 3, 1);
  expect_bad_input(1, -4, 3, 1);
  expect_bad_input(1, 1, 3, -384);
  expect_bad_input(32769, 1, 3 * 32769, 1);
  expect_bad_input(1, 32769, 3, 1);
  expect_bad_input(1, 1, 3, 32769);
  expect_bad_input(2, 2, 5, 1);
}

}  // namespace
}  // namespace vidi
