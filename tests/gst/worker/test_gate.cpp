// What the gate lets pass and what it keeps from the model, by the scripted engine's colours.
#include <gtest/gtest.h>

#include "gst/worker/gate.h"
#include "tests/support/scripted_session.h"

namespace vidi {
namespace {

using scripted::Step;
using std::chrono::seconds;

constexpr uint32_t kGrey = 0x808080;
constexpr uint32_t grey(int by) { return kGrey + static_cast<uint32_t>(by) * 0x010101; }

class GateTest : public test::SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    plan_->questions = {{"0", "a dog", "a dog"}};
    gate_.set({true, 0.9});  // 25 of 255
  }

  // Four seconds, a picture each, from window `index` of a grid on; of these colours.
  std::shared_ptr<AnalysisWindow> window(int index, const std::vector<uint32_t>& colours,
                                         int stride = 4) const {
    auto made = std::make_shared<AnalysisWindow>();
    made->index = static_cast<uint64_t>(index);
    made->start = seconds(index * stride);
    made->stop = made->start + seconds(4);
    made->next_start = seconds((index + 1) * stride);
    made->plan = plan_;
    for (size_t i = 0; i < colours.size(); ++i)
      made->frames.push_back(test::solid_frame(colours[i], made->start + seconds(i)));
    return made;
  }
  std::shared_ptr<AnalysisWindow> even(int index, uint32_t colour = kGrey) const {
    return window(index, std::vector<uint32_t>(4, colour));
  }
  // As the worker does it. Whether it is analysed.
  bool is_analysed(const std::shared_ptr<AnalysisWindow>& window) {
    reading_ = gate_.judge(*session_, *window, *window->plan);
    if (!reading_.is_open) return gate_.pass_by(*window), false;
    look_ahead(*session_, window->frames, *window->cancel);
    gate_.analysed(*session_, *window);
    return true;
  }

  std::shared_ptr<AskPlan> plan_ = std::make_shared<AskPlan>();
  Gate gate_;
  GateReading reading_;
};

// The first window is analysed, those that show the same are not, one in which a picture differs
// is.
TEST_F(GateTest, OpensForAChange) {
  EXPECT_TRUE(is_analysed(even(0)));
  EXPECT_FALSE(reading_.similarity);
  EXPECT_FALSE(is_analysed(even(1)));
  EXPECT_EQ(reading_.similarity, 1);
  EXPECT_FALSE(is_analysed(even(2, grey(20))));
  EXPECT_NEAR(*reading_.similarity, 1 - 20 / 255.0, 1e-9);
  EXPECT_TRUE(is_analysed(window(3, {kGrey, kGrey, grey(30), kGrey})));
  EXPECT_FALSE(is_analysed(even(4)));
}

// A change that is slow adds up: what was passed by is not what the next one is compared with.
TEST_F(GateTest, ASlowChangeAddsUp) {
  std::vector<bool> analysed;
  for (int i = 0; i < 8; ++i) analysed.push_back(is_analysed(even(i, grey(i * 10))));
  EXPECT_EQ(analysed, (std::vector<bool>{true, false, false, true, false, false, true, false}));
}

// What counts is how the last analysed window ended: what came and went within it does not keep the
// gate open, what still stands in the next one does not open it.
TEST_F(GateTest, ComparesWithTheEnd) {
  EXPECT_TRUE(is_analysed(window(0, {kGrey, 0, 0, kGrey})));
  EXPECT_FALSE(is_analysed(even(1)));
  EXPECT_TRUE(is_analysed(window(2, {kGrey, kGrey, 0, 0})));
  EXPECT_FALSE(is_analysed(even(3, 0)));
  EXPECT_TRUE(is_analysed(even(4)));
}

// Of windows that overlap, what the analysed one had is not compared again.
TEST_F(GateTest, PicturesThatWereAnalysedAreNoChange) {
  EXPECT_TRUE(is_analysed(window(0, {0, 0, 0, kGrey}, 2)));
  EXPECT_FALSE(is_analysed(window(1, {0, kGrey, kGrey, kGrey}, 2)));
  EXPECT_FALSE(is_analysed(window(2, {kGrey, kGrey, kGrey, kGrey}, 2)));
  EXPECT_TRUE(is_analysed(window(3, {kGrey, kGrey, kGrey, 0}, 2)));
}

// A picture that stands is the same picture: nothing is compared, and nothing has changed.
TEST_F(GateTest, APictureThatStandsIsNoChange) {
  const auto first = even(0);
  EXPECT_TRUE(is_analysed(first));
  auto second = even(1);
  second->frames.assign(4, first->frames.back());
  EXPECT_FALSE(is_analysed(second));
  EXPECT_FALSE(reading_.similarity);
}

// What does not follow without a hole is analysed: after a jump, a dropped window, a flush; so is
// what was cut short, or has lost a picture.
TEST_F(GateTest, OpensWhereSomethingIsMissing) {
  EXPECT_TRUE(is_analysed(even(0)));
  EXPECT_TRUE(is_analysed(even(2)));  // 1 was dropped
  auto last = even(3);
  last->next_start = kForever;  // the grid ends
  EXPECT_FALSE(is_analysed(last));
  EXPECT_TRUE(is_analysed(even(4)));
  auto partial = even(5);
  partial->partial = true;
  EXPECT_TRUE(is_analysed(partial));
  auto lossy = even(6);
  lossy->dropped_frames = 1;
  EXPECT_TRUE(is_analysed(lossy));
  EXPECT_FALSE(is_analysed(even(7)));
  auto jumped = even(8);
  jumped->first_frame = seconds(32);  // another grid
  EXPECT_TRUE(is_analysed(jumped));
  auto flushed = even(9);
  flushed->first_frame = jumped->first_frame;
  flushed->epoch = 1;
  EXPECT_TRUE(is_analysed(flushed));
  gate_.forget();
  auto next = even(10);
  next->first_frame = flushed->first_frame;
  next->epoch = 1;
  EXPECT_TRUE(is_analysed(next));
}

// Other questions are answered, whatever the pictures show; the same ones in another object are no
// change.
TEST_F(GateTest, OpensForOtherQuestions) {
  EXPECT_TRUE(is_analysed(even(0)));
  plan_ = std::make_shared<AskPlan>(*plan_);
  EXPECT_FALSE(is_analysed(even(1)));
  plan_ = std::make_shared<AskPlan>(*plan_);
  plan_->questions[0].text = "a cat";
  EXPECT_TRUE(is_analysed(even(2)));
  EXPECT_FALSE(is_analysed(even(3)));
}

std::shared_ptr<SoundChunk> sound(double n_seconds, float amplitude) {
  auto chunk = std::make_shared<SoundChunk>();
  for (int i = 0; i < static_cast<int>(n_seconds * 16000); ++i)
    chunk->samples.push_back(i % 2 ? amplitude : -amplitude);
  return chunk;
}

// A sound opens it, and so does the end of one; what was heard in the analysed window does not.
TEST_F(GateTest, OpensForASound) {
  const auto with = [&](int index, const std::vector<std::shared_ptr<const SoundChunk>>& audio) {
    auto made = window(index, {kGrey, kGrey, kGrey, kGrey}, 2);
    made->audio = audio;
    return made;
  };
  EXPECT_TRUE(is_analysed(with(0, {sound(2, 0.01f), sound(1, 0.5f), sound(1, 0.01f)})));
  EXPECT_FALSE(is_analysed(with(1, {sound(1, 0.5f), sound(3, 0.01f)})));
  EXPECT_FALSE(is_analysed(with(2, {sound(4, 0.012f)})));
  EXPECT_TRUE(is_analysed(with(3, {sound(3.8, 0.01f), sound(0.2, 0.1f)})));
  EXPECT_TRUE(is_analysed(with(4, {sound(2, 0.01f), sound(2, 0.1f)})));
  EXPECT_TRUE(is_analysed(with(5, {sound(4, 0.1f)})));   // it had just begun
  EXPECT_FALSE(is_analysed(with(6, {sound(4, 0.1f)})));  // and goes on
  EXPECT_TRUE(is_analysed(with(7, {})));                 // and has ended
}

// Pictures that cannot be looked at or compared open it: the analysis tells what is wrong.
TEST_F(GateTest, OpensWhereItCannotTell) {
  EXPECT_TRUE(is_analysed(even(0)));
  scripted::fail(Step::kCompare, {ErrorCode::kInternal, "broken"}, 1);
  EXPECT_TRUE(is_analysed(even(1)));
  scripted::fail(Step::kEncodeImages, {ErrorCode::kInternal, "broken"}, 1);
  EXPECT_TRUE(is_analysed(even(2)));
  EXPECT_FALSE(is_analysed(even(3)));
}

// Turned off, it lets everything pass and compares nothing.
TEST_F(GateTest, OffMeansOpen) {
  gate_.set({});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_analysed(even(i)));
  EXPECT_EQ(scripted::count(Step::kCompare), 0);
  EXPECT_FALSE(gate_.is_closed());
}

// Of the window that fills it is known that it will be analysed once one of its pictures differs,
// or where there is nothing to compare it with; each picture is compared once.
TEST_F(GateTest, OpensAheadOfTheWindow) {
  const auto open = [&](int index, const std::vector<uint32_t>& colours) {
    auto made = std::make_shared<OpenWindow>();
    made->index = static_cast<uint64_t>(index);
    made->frames = window(index, colours)->frames;
    look_ahead(*session_, made->frames, Cancel());
    return made;
  };
  EXPECT_TRUE(gate_.opens(*session_, *open(0, {kGrey})));
  EXPECT_FALSE(gate_.is_closed());
  EXPECT_TRUE(is_analysed(even(0)));
  EXPECT_TRUE(gate_.is_closed());
  EXPECT_FALSE(gate_.opens(*session_, *open(1, {kGrey})));
  EXPECT_FALSE(gate_.opens(*session_, *open(1, {kGrey, kGrey})));
  EXPECT_EQ(scripted::count(Step::kCompare), 2);
  EXPECT_FALSE(gate_.opens(*session_, *open(1, {kGrey, kGrey})));
  EXPECT_EQ(scripted::count(Step::kCompare), 2);
  EXPECT_TRUE(gate_.opens(*session_, *open(1, {kGrey, kGrey, 0})));
  EXPECT_FALSE(gate_.is_closed());
  EXPECT_TRUE(gate_.opens(*session_, *open(1, {kGrey, kGrey, 0, kGrey})));
  EXPECT_EQ(scripted::count(Step::kCompare), 3);
}

// What opened it while the window filled stays known when the pictures were streamed since, and
// their features are gone: none is looked at twice.
TEST_F(GateTest, NeedsNoFeaturesOfWhatItOpenedFor) {
  EXPECT_TRUE(is_analysed(even(0)));
  const auto next = window(1, {kGrey, 0, kGrey, kGrey});
  OpenWindow open;
  open.index = 1, open.n_frames = 4, open.frames = next->frames;
  look_ahead(*session_, open.frames, Cancel());
  EXPECT_TRUE(gate_.opens(*session_, open));
  for (const auto& frame : next->frames) frame->features.reset();
  const int n_seen = scripted::count(Step::kEncodeImages);
  reading_ = gate_.judge(*session_, *next, *next->plan);
  EXPECT_TRUE(reading_.is_open);
  EXPECT_NEAR(*reading_.similarity, 1 - 128 / 255.0, 1e-9);
  EXPECT_EQ(scripted::count(Step::kEncodeImages), n_seen);
}

}  // namespace
}  // namespace vidi
