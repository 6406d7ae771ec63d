// Features live no longer than they are needed: of a window alone, of windows that overlap, of one
// that is tried again.
#include <gtest/gtest.h>

#include <thread>

#include "model/window.h"
#include "tests/support/analyze.h"
#include "tests/support/scripted_session.h"

namespace vidi {
namespace {

using scripted::Step;
using std::chrono::seconds;
using test::analyze;
using Frames = std::vector<std::shared_ptr<const SampledFrame>>;

const Error kNoMemory{ErrorCode::kOutOfMemory, "CUDA out of memory"};
constexpr int kPiece = 10;
constexpr int kMostAtOnce = kPiece + static_cast<int>(kPicturesAtOnce) - 1;

class WindowFeaturesTest : public test::SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    scripted::frames_per_piece(kPiece);
  }

  // A picture a second, each of a colour of its own.
  static Frames pictures(uint32_t n) {
    Frames frames;
    for (uint32_t i = 0; i < n; ++i) frames.push_back(test::solid_frame(i, seconds(i)));
    return frames;
  }
  // Of pictures `first` ... `last` - 1; no other window needs what begins before `needed_from`.
  static std::shared_ptr<AnalysisWindow> window(const Frames& all, size_t first, size_t last,
                                                Time needed_from = kForever) {
    auto made = std::make_shared<AnalysisWindow>();
    made->start = seconds(first), made->stop = seconds(last);
    made->needed_from = needed_from;
    made->plan = std::make_shared<AskPlan>();
    made->frames.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                        all.begin() + static_cast<std::ptrdiff_t>(last));
    return made;
  }
  static std::vector<uint32_t> colours(uint32_t first, uint32_t last) {
    std::vector<uint32_t> all;
    for (uint32_t i = first; i < last; ++i) all.push_back(i);
    return all;
  }
};

// A window of many pieces never has more features than a piece and those seen with it, leaves none,
// and is the window that it was.
TEST_F(WindowFeaturesTest, AWindowAloneLeavesNone) {
  const Frames all = pictures(95);
  const auto asked = window(all, 0, 95);
  asked->audio = {test::even_sound(480000, 0.5f), test::even_sound(1000, 0.5f)};
  ASSERT_TRUE(analyze(*session_, asked));
  EXPECT_EQ(scripted::n_features(), 0);
  EXPECT_LE(scripted::most_features(), kMostAtOnce);
  EXPECT_EQ(scripted::n_frames_seen(), 95);
  EXPECT_EQ(scripted::count(Step::kEncodeImages), 6);  // as many in a call as ever
  EXPECT_EQ(scripted::count(Step::kAppend), 10);
  EXPECT_EQ(scripted::last_window().frames, colours(0, 95));
  EXPECT_EQ(scripted::last_window().n_prepared, 95u);
  for (const auto& chunk : asked->audio) EXPECT_FALSE(chunk->features);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

// Of overlapping windows each picture and each stretch of sound is seen and heard once: what the
// next one needs stays, and goes with that.
TEST_F(WindowFeaturesTest, WhatTheNextNeedsStays) {
  const Frames all = pictures(120);
  const auto one = window(all, 0, 60, seconds(30)), two = window(all, 30, 90, seconds(60)),
             three = window(all, 60, 120);
  const auto first = test::even_sound(480000, 0), both = test::even_sound(480000, 0.5f),
             last = test::even_sound(480000, 0.25f);
  one->audio = {first, both}, two->audio = {both, last}, three->audio = {last};
  for (const auto& asked : {one, two}) {
    ASSERT_TRUE(analyze(*session_, asked));
    EXPECT_EQ(scripted::n_features(), 30);
    EXPECT_FALSE(asked->audio[0]->features);
    EXPECT_TRUE(asked->audio[1]->features);
  }
  ASSERT_TRUE(analyze(*session_, three));
  EXPECT_EQ(scripted::n_features(), 0);
  EXPECT_FALSE(last->features);
  EXPECT_LE(scripted::most_features(), 30 + kMostAtOnce);
  EXPECT_EQ(scripted::n_frames_seen(), 120);
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 3);
  EXPECT_EQ(scripted::last_window().frames, colours(60, 120));
}

// The engine is told how much is still to be looked at, and what of it stays.
TEST_F(WindowFeaturesTest, TheEngineKnowsTheSize) {
  const Frames all = pictures(90);
  const auto one = window(all, 0, 60, seconds(40)), two = window(all, 40, 90, seconds(70));
  one->audio = {test::even_sound(480000, 0), test::even_sound(7, 0)};
  ASSERT_TRUE(analyze(*session_, one));
  WindowSize size = scripted::last_window_size();
  EXPECT_EQ(size.n_frames, 60u);
  EXPECT_EQ(size.n_unseen, 60u);
  EXPECT_EQ(size.n_shared, 20u);
  EXPECT_EQ(size.n_samples, 480007);
  ASSERT_TRUE(analyze(*session_, two));
  size = scripted::last_window_size();
  EXPECT_EQ(size.n_frames, 50u);
  EXPECT_EQ(size.n_unseen, 30u);
  EXPECT_EQ(size.n_shared, 20u);
}

// A picture that stands is seen once, however many pieces show it.
TEST_F(WindowFeaturesTest, AStandingPictureIsSeenOnce) {
  const Frames two = pictures(2);
  Frames all(35, two[0]);
  all.insert(all.end(), 30, two[1]);
  ASSERT_TRUE(analyze(*session_, window(all, 0, all.size())));
  EXPECT_EQ(scripted::n_frames_seen(), 2);
  EXPECT_EQ(scripted::n_features(), 0);
  EXPECT_EQ(scripted::last_window().frames.size(), 65u);
}

// What was streamed before the memory ran out is not made again; what has gone is, and the window
// is the same.
TEST_F(WindowFeaturesTest, AWindowThatIsTriedAgain) {
  for (const Step step : {Step::kAppend, Step::kEncode}) {
    for (const bool others_go : {true, false}) {
      scripted::reset();
      scripted::frames_per_piece(kPiece);
      scripted::fail(step, kNoMemory);
      const Frames all = pictures(40);
      const auto analysis = analyze(*session_, window(all, 0, 40), [&] { return others_go; });
      ASSERT_TRUE(analysis) << analysis.error().message;
      EXPECT_EQ(analysis->in_small_steps, !others_go);
      const int before = step == Step::kAppend ? static_cast<int>(kPicturesAtOnce) : 40;
      EXPECT_EQ(scripted::n_frames_seen(), others_go ? 40 : before + 40);
      EXPECT_EQ(scripted::last_window().frames, colours(0, 40));
      EXPECT_EQ(scripted::n_features(), 0);
      EXPECT_EQ(scripted::n_partial_windows(), 0);
    }
  }
}

// Where the engine has no room for towers and keys together all is looked at before, and goes when
// the window is encoded.
TEST_F(WindowFeaturesTest, AllBeforeWhereTheEngineSaysSo) {
  scripted::wants_all_features(true);
  const Frames all = pictures(50);
  ASSERT_TRUE(analyze(*session_, window(all, 0, 50, seconds(45))));
  EXPECT_EQ(scripted::most_features(), 50);
  EXPECT_EQ(scripted::n_features(), 5);
  EXPECT_EQ(scripted::count(Step::kAppend), 0);
}

// A window that fails or is cancelled on its way holds no keys.
TEST_F(WindowFeaturesTest, AWindowThatFailsHoldsNoKeys) {
  const Frames all = pictures(40);
  scripted::fail(Step::kAppend, {ErrorCode::kInternal, "broken"});
  const auto failed = window(all, 0, 40), stopped = window(all, 0, 40);
  EXPECT_FALSE(analyze(*session_, failed));
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  scripted::hold(Step::kAppend);
  std::thread canceller([&] {
    scripted::wait_for(Step::kAppend, 2);
    stopped->cancel->cancel();
  });
  EXPECT_EQ(analyze(*session_, stopped).error().code, ErrorCode::kCancelled);
  canceller.join();
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

}  // namespace
}  // namespace vidi
