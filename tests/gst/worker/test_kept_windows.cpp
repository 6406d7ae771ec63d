// Windows kept for questions: each owner's are his, and the oldest gives way first.
#include <gtest/gtest.h>

#include "gst/worker/kept_windows.h"
#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using std::chrono::seconds;

struct NoKeys final : Encoded {
  bool has_frames() const override { return false; }
  bool has_audio() const override { return false; }
  int64_t n_tokens() const override { return 0; }
  double duration_s() const override { return 0; }
};

class KeptWindowsTest : public testing::Test {
 protected:
  // Four seconds from `index` on.
  void add(KeptWindows::Owner owner, uint64_t index, bool encoded = true) {
    Analysis analysis;
    analysis.window = window_at(index);
    if (encoded) analysis.encoded = std::make_shared<NoKeys>();
    kept_.add(owner, analysis);
  }
  bool has(KeptWindows::Owner owner, int64_t index) const {
    return kept_.covered_until(owner, seconds(index)) >= seconds(index + 4);
  }

  KeptWindows kept_;
  int a_ = 0, b_ = 0;
};

// Nobody sees another's windows, and each has his own bound.
TEST_F(KeptWindowsTest, EachHasHisOwn) {
  kept_.set_bound(&a_, 2);
  add(&a_, 0), add(&b_, 100), add(&a_, 4), add(&b_, 104), add(&a_, 8);
  EXPECT_FALSE(has(&a_, 0));
  EXPECT_TRUE(has(&a_, 4) && has(&a_, 8));
  EXPECT_TRUE(has(&b_, 104));
  EXPECT_FALSE(has(&b_, 100));
  EXPECT_FALSE(has(&a_, 104));
  EXPECT_EQ(kept_.overlapping(&a_, seconds(7), seconds(9)).size(), 2u);
  kept_.set_bound(&a_, 0);
  EXPECT_FALSE(has(&a_, 8));
  EXPECT_FALSE(kept_.gave_way(&a_, seconds(0), seconds(100)));  // that was his own wish
}

// For memory the oldest goes first, whosever it is, and its owner can be told.
TEST_F(KeptWindowsTest, TheOldestGivesWay) {
  kept_.set_bound(&a_, 5);
  add(&a_, 0), add(&b_, 100), add(&a_, 4);
  EXPECT_TRUE(kept_.drop_oldest());
  EXPECT_FALSE(has(&a_, 0));
  EXPECT_TRUE(kept_.gave_way(&a_, seconds(1), seconds(2)));
  EXPECT_FALSE(kept_.gave_way(&a_, seconds(4), seconds(5)));
  EXPECT_TRUE(kept_.drop_oldest());
  EXPECT_FALSE(has(&b_, 100));
  EXPECT_TRUE(has(&a_, 4));
  EXPECT_TRUE(kept_.drop_all());
  EXPECT_FALSE(kept_.drop_all() || kept_.drop_oldest());
}

// What is kept tells of its pictures and sound, and holds nothing of them, features least of all.
TEST_F(KeptWindowsTest, HoldsNeitherMediaNorFeatures) {
  struct Features final : FrameFeatures {};
  Analysis analysis;
  auto window = window_at(0);
  window->audio = {test::even_sound(16000, 0.5f)};
  for (const auto& frame : window->frames)
    frame->features.set(nullptr, std::make_shared<Features>());
  const std::weak_ptr<const FrameFeatures> features = window->frames[1]->features.of(nullptr);
  const std::weak_ptr<const SampledFrame> picture = window->frames[1];
  const std::weak_ptr<const SoundChunk> sound = window->audio[0];
  analysis.window = std::move(window);
  analysis.encoded = std::make_shared<NoKeys>();
  kept_.add(&a_, analysis);
  analysis = {};
  EXPECT_TRUE(features.expired() && picture.expired() && sound.expired());
  const auto kept = kept_.overlapping(&a_, seconds(0), seconds(4));
  ASSERT_EQ(kept.size(), 1u);
  ASSERT_EQ(kept[0].window->frames.size(), 2u);
  EXPECT_EQ(kept[0].window->frames[1]->pts, seconds(1));
  EXPECT_EQ(kept[0].window->audio.size(), 1u);
}

// What is not encoded has no memory to give, and stays; within its owner's bound it counts.
TEST_F(KeptWindowsTest, WhatHoldsNoMemoryStays) {
  kept_.set_bound(&a_, 2);
  add(&a_, 0, false), add(&a_, 4);
  EXPECT_TRUE(kept_.drop_oldest());
  EXPECT_TRUE(has(&a_, 0));
  EXPECT_FALSE(kept_.drop_oldest() || kept_.drop_all());
  add(&a_, 8), add(&a_, 12);
  EXPECT_FALSE(has(&a_, 0));
}

// Who forgets his windows, or goes, leaves the others theirs.
TEST_F(KeptWindowsTest, ForgetsOneOwner) {
  add(&a_, 0), add(&b_, 0);
  kept_.forget(&a_);
  EXPECT_FALSE(has(&a_, 0));
  EXPECT_TRUE(has(&b_, 0));
  kept_.remove(&b_);
  EXPECT_FALSE(kept_.drop_all());
}

}  // namespace
}  // namespace vidi
