// What is done before a window is complete: done once, of use at its end, and never in the way.
#include <gtest/gtest.h>

#include "gst/worker/lookahead.h"
#include "tests/support/analyze.h"
#include "tests/support/scripted_session.h"

namespace vidi {
namespace {

using scripted::Step;
using test::analyze;
using Frames = std::vector<std::shared_ptr<const SampledFrame>>;

// One a second, each of a grey of its own.
Frames pictures(uint32_t n) {
  Frames frames;
  for (uint32_t i = 0; i < n; ++i) {
    frames.push_back(test::solid_frame(i * 0x010101, std::chrono::seconds(i)));
  }
  return frames;
}

class LookaheadTest : public test::SessionTest {
 protected:
  // The window `index` has the first `n` of `all`, and will have as many as these.
  void show(const Frames& all, size_t n, uint64_t index = 0, uint64_t epoch = 0) {
    auto window = std::make_shared<OpenWindow>();
    window->index = index;
    window->epoch = epoch;
    window->n_frames = all.size();
    window->frames.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
    for (const auto& frame : window->frames) lookahead_.picture(frame);
    lookahead_.set_open_window(std::move(window));
  }
  // A new beginning, with an engine that has room for the features of so many pictures; 0: any.
  void open_with_room_for(int n_features) {
    scripted::reset();
    ModelInfo info;
    info.most_features = n_features;
    scripted::set_info(info);
    session_ = std::move(*vidi_engine_api()->open({.folder = "a", .progress = {}}, Cancel()));
    n_shown_ = 0;
  }
  // Likewise, as a stream does: each picture comes once.
  void show_next(const Frames& all, size_t n, Time needed_from, uint64_t index = 0) {
    auto window = std::make_shared<OpenWindow>();
    window->index = index;
    window->n_frames = all.size();
    window->needed_from = needed_from;
    window->frames.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
    for (; n_shown_ < n; ++n_shown_) {
      if (n_shown_ == 0 || all[n_shown_] != all[n_shown_ - 1]) lookahead_.picture(all[n_shown_]);
    }
    lookahead_.set_open_window(std::move(window));
  }
  void work() {
    while (lookahead_.work(*session_)) {
    }
  }
  std::shared_ptr<AnalysisWindow> complete(Frames frames, uint64_t index = 0, uint64_t epoch = 0) {
    auto window = std::make_shared<AnalysisWindow>();
    window->index = index;
    window->epoch = epoch;
    window->stop = std::chrono::seconds(frames.size());
    window->frames = std::move(frames);
    window->plan = std::make_shared<AskPlan>();
    lookahead_.hand_over(*window);
    return window;
  }
  size_t n_prepared_of(const std::shared_ptr<AnalysisWindow>& window) {
    EXPECT_TRUE(analyze(*session_, window));
    return scripted::last_window().n_prepared;
  }

  Lookahead lookahead_;
  size_t n_shown_ = 0;  // of show_next()
};

// Every picture is looked at and streamed once, however often the window is shown; encode gets all.
TEST_F(LookaheadTest, StreamsEachPictureOnce) {
  const Frames all = pictures(40);
  for (const size_t n : {1u, 2u, 2u, 20u, 39u}) {
    show(all, n);
    work();
  }
  EXPECT_EQ(scripted::n_frames_seen(), 39);
  EXPECT_EQ(scripted::count(Step::kAppend), 1 + 1 + 2 + 2);  // 16 at once
  const auto window = complete(all);
  EXPECT_EQ(n_prepared_of(window), 39u);
  EXPECT_EQ(window->prepared.keys, nullptr);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

// A window that is shown before its picture can be looked at is streamed when that was done.
TEST_F(LookaheadTest, StreamsWhatIsLookedAtLater) {
  const Frames all = pictures(4);
  show(all, 2);
  work();
  auto window = std::make_shared<OpenWindow>();
  window->n_frames = all.size();
  window->frames.assign(all.begin(), all.begin() + 3);
  lookahead_.set_open_window(window);
  work();
  EXPECT_EQ(scripted::count(Step::kAppend), 1);
  lookahead_.picture(all[2]);
  work();
  EXPECT_EQ(n_prepared_of(complete(all)), 3u);
}

// What no other window needs goes when it is streamed, but for the last that have room; the window
// has all of it, and nothing is seen twice.
TEST_F(LookaheadTest, StreamedPicturesLetGoOfFeatures) {
  const Frames all = pictures(200);
  for (const int most : {0, 24}) {
    open_with_room_for(most);
    for (const size_t n : {5u, 6u, 100u, 190u}) {
      show_next(all, n, kForever);
      work();
    }
    const int stay = most == 0 ? 64 : most - 16;
    EXPECT_EQ(scripted::n_features(), stay);
    EXPECT_LE(scripted::most_features(), stay + 16);
    const auto window = complete(all);
    window->needed_from = kForever;
    EXPECT_EQ(n_prepared_of(window), 190u);
    EXPECT_EQ(scripted::n_frames_seen(), 200);
    EXPECT_EQ(scripted::last_window().frames.size(), 200u);
    EXPECT_EQ(scripted::n_features(), 0);
  }
}

// What the next window shows as well stays, however much of it there is.
TEST_F(LookaheadTest, WhatTheNextWindowNeedsStays) {
  const Frames all = pictures(200);
  open_with_room_for(0);
  show_next(all, 190, std::chrono::seconds(100));
  work();
  EXPECT_EQ(scripted::n_features(), 90);
  for (size_t i = 100; i < 190; ++i) EXPECT_TRUE(all[i]->features) << i;
  const auto window = complete(all);
  window->needed_from = std::chrono::seconds(100);
  EXPECT_EQ(n_prepared_of(window), 190u);
  EXPECT_EQ(scripted::n_features(), 100);
  EXPECT_EQ(scripted::n_frames_seen(), 200);
}

// A picture that stands is looked at once, also when those before it have gone.
TEST_F(LookaheadTest, AStandingPictureIsSeenOnce) {
  const Frames two = pictures(2);
  Frames all(100, two[0]);
  all.insert(all.end(), 100, two[1]);
  open_with_room_for(16);
  for (size_t n = 50; n <= 200; n += 50) {
    show_next(all, n, kForever);
    work();
  }
  EXPECT_EQ(scripted::n_features(), 1);
  EXPECT_EQ(n_prepared_of(complete(all)), 200u);
  EXPECT_EQ(scripted::n_frames_seen(), 2);
}

// A window of the usual length that ends early is another one than was streamed: its pictures are
// not looked at again.
TEST_F(LookaheadTest, AnEarlyEndLosesNothing) {
  const Frames all = pictures(200);
  open_with_room_for(0);
  show_next(all, 60, kForever);
  work();
  EXPECT_EQ(n_prepared_of(complete({all.begin(), all.begin() + 60})), 0u);
  EXPECT_EQ(scripted::n_frames_seen(), 60);
}

// No more pictures are looked at ahead than features have room; the rest is the analysis' own, and
// what goes makes room for others.
TEST_F(LookaheadTest, LooksAtNoMoreThanHaveRoom) {
  const Frames all = pictures(40), next = pictures(40);
  open_with_room_for(20);
  scripted::room_for_partial_windows(false);
  show_next(all, 35, kForever);
  work();
  EXPECT_EQ(scripted::n_frames_seen(), 20);
  const auto window = complete(all);
  window->needed_from = kForever;
  EXPECT_TRUE(analyze(*session_, window));
  EXPECT_EQ(scripted::n_frames_seen(), 40);
  n_shown_ = 0;
  show_next(next, 30, kForever, 1);
  work();
  EXPECT_EQ(scripted::n_frames_seen(), 60);
}

// What was shown of a window that is analysed by now is not begun once more.
TEST_F(LookaheadTest, APastWindowIsNotBegunAgain) {
  const Frames all = pictures(4);
  show(all, 3);
  complete(all);
  work();
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  EXPECT_EQ(scripted::count(Step::kAppend), 0);
}

// Sound is heard once, before its window is complete.
TEST_F(LookaheadTest, HearsAhead) {
  const auto chunk = test::even_sound(480000, 0.5f);
  lookahead_.sound(chunk);
  {
    auto gone = std::make_shared<SoundChunk>();
    gone->samples = chunk->samples;
    lookahead_.sound(gone);
  }
  work();
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 1);
  const auto window = complete(pictures(3));
  window->audio = {chunk};
  EXPECT_TRUE(analyze(*session_, window));
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 1);
  EXPECT_EQ(scripted::last_window().audio.size(), 480000u);
}

// A window with another number of pictures than it was to have is analysed without; so is the same
// index of another epoch.
TEST_F(LookaheadTest, AnotherWindowGetsNothing) {
  Frames all = pictures(5);
  show(all, 4);
  work();
  EXPECT_EQ(n_prepared_of(complete(all, 0, 1)), 0u);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  show(all, 4);
  work();
  all.pop_back();
  EXPECT_EQ(n_prepared_of(complete(all)), 0u);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

// More pictures than there were to be are no error.
TEST_F(LookaheadTest, TooManyPicturesAreLeftAlone) {
  Frames all = pictures(4);
  show(all, 3);
  work();
  auto more = std::make_shared<OpenWindow>();
  more->n_frames = 4;
  more->frames = pictures(6);
  for (const auto& frame : more->frames) lookahead_.picture(frame);
  lookahead_.set_open_window(more);
  work();
  EXPECT_EQ(scripted::count(Step::kAppend), 1);
}

// Pictures that the model could not look at end what is streamed; the rest is the analysis' own.
TEST_F(LookaheadTest, StopsAtAPictureThatWasNotSeen) {
  const Frames all = pictures(6);
  show(all, 2);
  work();
  scripted::fail(Step::kEncodeImages, {ErrorCode::kInternal, "broken"}, -1);
  show(all, 5);
  work();
  scripted::fail(Step::kEncodeImages, {}, 0);
  EXPECT_EQ(n_prepared_of(complete(all)), 2u);
}

// Without room nothing is prepared, and it is tried again when more pictures come.
TEST_F(LookaheadTest, TriesAgainForRoom) {
  const Frames all = pictures(6);
  scripted::room_for_partial_windows(false);
  show(all, 3);
  work();
  EXPECT_EQ(scripted::count(Step::kAppend), 0);
  scripted::room_for_partial_windows(true);
  show(all, 4);
  work();
  EXPECT_EQ(n_prepared_of(complete(all)), 4u);
}

// A failed step gives the window up and frees its room; caches are freed when memory was short.
TEST_F(LookaheadTest, AFailureFreesTheRoom) {
  const Frames all = pictures(6);
  scripted::fail(Step::kAppend, {ErrorCode::kOutOfMemory, "no room"}, 1);
  show(all, 3);
  work();
  EXPECT_EQ(scripted::n_caches_freed(), 1);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  show(all, 5);
  work();
  EXPECT_EQ(scripted::count(Step::kAppend), 1);
  EXPECT_EQ(n_prepared_of(complete(all)), 0u);
  show(all, 5, 1);  // the next window has its own chance
  work();
  EXPECT_EQ(n_prepared_of(complete(all, 1)), 5u);
}

// A window that is complete and waits keeps what was prepared while the next one is begun; a
// dropped one does not.
TEST_F(LookaheadTest, AWaitingWindowKeepsItsOwn) {
  const Frames first = pictures(4), second = pictures(6);
  show(first, 4, 0);
  work();
  show(second, 2, 1);
  work();
  EXPECT_EQ(scripted::n_partial_windows(), 2);
  EXPECT_EQ(n_prepared_of(complete(first, 0)), 4u);
  EXPECT_EQ(scripted::n_partial_windows(), 1);
  AnalysisWindow dropped;
  dropped.index = 1;
  lookahead_.drop(dropped);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

// Memory that another window needs is given back, and not taken again for the same window.
TEST_F(LookaheadTest, GivesItsRoomBack) {
  const Frames all = pictures(4);
  EXPECT_FALSE(lookahead_.free_room());
  show(all, 2);
  work();
  EXPECT_TRUE(lookahead_.free_room());
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  EXPECT_FALSE(lookahead_.free_room());
  show(all, 3);
  work();
  EXPECT_EQ(n_prepared_of(complete(all)), 0u);
}

// A flush forgets everything.
TEST_F(LookaheadTest, ForgetsEverything) {
  const Frames all = pictures(4);
  show(all, 3);
  work();
  show(all, 4);
  lookahead_.forget();
  work();
  EXPECT_EQ(scripted::n_partial_windows(), 0);
  EXPECT_EQ(scripted::n_frames_seen(), 3);
}

// A stream that says it will last for years makes nobody reserve memory.
TEST_F(LookaheadTest, EndlessWindowsAreNotPrepared) {
  auto window = std::make_shared<OpenWindow>();
  window->n_frames = size_t{1} << 40;
  window->frames = pictures(3);
  for (const auto& frame : window->frames) lookahead_.picture(frame);
  lookahead_.set_open_window(window);
  work();
  EXPECT_EQ(scripted::n_frames_seen(), 3);
  EXPECT_EQ(scripted::count(Step::kAppend), 0);
}

}  // namespace
}  // namespace vidi
