// How like two pictures' features are: what a gate before a camera rests on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/support/aten.h"
#include "tests/support/case.h"
#include "tests/support/refused.h"

namespace vidi {
namespace {

constexpr int kSide = 320;

struct Picture {
  std::vector<uint8_t> rgb = std::vector<uint8_t>(size_t{kSide} * kSide * 3);
  Frame frame() const { return {rgb.data(), kSide, kSide, size_t{kSide} * 3}; }
};

// A scene of soft waves.
Picture scene() {
  Picture picture;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      for (int c = 0; c < 3; ++c)
        picture.rgb[(size_t(y) * kSide + size_t(x)) * 3 + size_t(c)] =
            static_cast<uint8_t>(128 + 60 * std::sin(x / 40.0 + c) * std::cos(y / 55.0));
  return picture;
}

Picture with_square(Picture picture, int left, int top, int side) {
  for (int y = top; y < top + side; ++y) {
    auto row = picture.rgb.begin() + (std::ptrdiff_t{y} * kSide + left) * 3;
    std::fill(row, row + std::ptrdiff_t{side} * 3, uint8_t{250});
  }
  return picture;
}

Picture with_noise(Picture picture, double sigma) {
  std::mt19937 random(1);
  std::normal_distribution<double> error(0, sigma);
  for (uint8_t& value : picture.rgb)
    value = static_cast<uint8_t>(std::clamp(value + error(random), 0.0, 255.0));
  return picture;
}

class Similarity : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "cuda" && !at::hasCUDA()) GTEST_SKIP() << "there is no GPU";
    OpenOptions options;
    options.folder = VIDI_DEMO_CHECKPOINT, options.device = GetParam();
    session_ = VidiSession::load(options, Cancel());
  }
  FrameList features(const std::vector<Picture>& pictures) {
    std::vector<Frame> frames;
    for (const Picture& picture : pictures) frames.push_back(picture.frame());
    return value_of(session_->encode_images(frames, Cancel()));
  }
  std::vector<double> of(const std::vector<Picture>& pictures) {
    const auto reference = features({scene()});
    return value_of(session_->similarities(*reference[0], features(pictures)));
  }

  std::unique_ptr<VidiSession> session_;
};

// The same picture is 1 like itself, whatever it was looked at with; answers come in order.
TEST_P(Similarity, TheSameIsOne) {
  const auto found = of({scene(), with_square(scene(), 100, 100, 80), scene()});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NEAR(found[0], 1, 1e-3);
  EXPECT_LT(found[1], found[0]);
  EXPECT_NEAR(found[2], 1, 1e-3);
  EXPECT_TRUE(of({}).empty());
}

// A small thing counts wherever it is, and more than the noise of a sensor everywhere.
TEST_P(Similarity, ASmallThingIsMoreThanNoise) {
  const auto found = of({with_noise(scene(), 2), with_square(scene(), 8, 8, 24),
                         with_square(scene(), 150, 210, 24), with_square(scene(), 290, 290, 24)});
  for (size_t i = 1; i < found.size(); ++i) EXPECT_LT(found[i], found[0]) << i;
}

// It needs no weights: what was looked at before can be compared while they are away.
TEST_P(Similarity, NeedsNoWeights) {
  const auto kept = features({scene(), with_square(scene(), 8, 8, 24)});
  const double before = value_of(session_->similarities(*kept[0], {kept[1]})).at(0);
  session_->unload();
  EXPECT_EQ(value_of(session_->similarities(*kept[0], {kept[1]})).at(0), before);
}

struct OtherFeatures final : FrameFeatures {};

// Features of another engine are refused in a sentence.
TEST_P(Similarity, RefusesWhatIsNotItsOwn) {
  const auto own = features({scene()});
  const auto other = std::make_shared<OtherFeatures>();
  expect_refused(session_->similarities(*own[0], {other}), ErrorCode::kBadInput,
                 "was not made by this engine");
  expect_refused(session_->similarities(*other, own), ErrorCode::kBadInput,
                 "was not made by this engine");
}

INSTANTIATE_TEST_SUITE_P(Devices, Similarity, testing::Values("cpu", "cuda"));

}  // namespace
}  // namespace vidi
