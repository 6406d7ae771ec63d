#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

#include "gst/decode/frame_plan.h"

namespace vidi {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What vidifilter does with the frames and gaps that reach it.
class Watcher {
 public:
  Watcher(const SamplingSettings& settings, Time frame_length)
      : sampler_(settings.shape), lead_(settings.lead) {
    times_.set_frame_length(frame_length);
    times_.set_sampling_interval(settings.sampling_interval);
  }
  void frame(const PlannedFrame& frame) {
    take(sampler_.frame(frame.pts, times_.reach_after(frame.pts, frame.duration),
                        std::exchange(lead_, Time(0))),
         frame.pts);
    times_.pass_frame(frame.pts, times_.end_of(frame.pts, frame.duration));
  }
  void skip(const PlannedFrame& frame) {
    take(sampler_.skip(frame.pts), std::nullopt);
    times_.pass_frame(frame.pts, frame.end);
  }
  void end() {
    take(sampler_.finish(times_.last_end()), std::nullopt);
    times_.forget();
    kept_.reset();
  }

  using Picks = std::vector<std::pair<int64_t, int64_t>>;  // target and PTS
  struct Window {
    int64_t start, stop;
    Picks picks;
    bool operator==(const Window&) const = default;
  };
  std::vector<Window> windows;  // those that were closed: others are forgotten at the end

 private:
  void take(const SamplerStep& step, std::optional<Time> now) {
    for (const Pick& pick : step.picks) {
      EXPECT_TRUE(pick.pts == kept_ || (step.grab && pick.pts == now)) << "a pick that is gone";
      picks_[pick.window].emplace_back(pick.target.count(), pick.pts.count());
    }
    for (const ClosedRange& gop : step.closed)
      windows.push_back({gop.start.count(), gop.stop.count(), picks_[gop.window]});
    if (step.grab) kept_ = now;
  }

  FrameSampler sampler_;
  FrameTimes times_;
  Time lead_;
  std::optional<Time> kept_;
  std::map<uint64_t, Picks> picks_;
};

struct Stream {
  std::vector<PlannedFrame> frames;
  Time frame_length{};
  SamplingSettings settings;
};

Time ms(unsigned n) { return milliseconds(n); }

// Steady, with holes, variable, or with long stands; told and untold rates; windows of any kind.
Stream random_stream(unsigned seed) {
  std::minstd_rand random(seed);
  const auto any = [&](unsigned from, unsigned to) { return from + random() % (to - from + 1); };
  Stream stream;
  const Time steady = Time(1'000'000'000 / any(1, 60));
  const unsigned kind = any(0, 3);
  if (any(0, 3) > 0) stream.frame_length = steady;
  Time pts = ms(any(0, 5000));
  for (int i = 0; i < 400; ++i) {
    PlannedFrame frame;
    frame.pts = pts;
    if (any(0, 2) > 0) frame.duration = steady;
    stream.frames.push_back(frame);
    pts += kind == 2 ? ms(any(1, 900)) : steady;
    if (kind == 1 && any(0, 9) == 0) pts += ms(any(1, 3000));
    if (kind == 3 && any(0, 99) == 0) pts += ms(any(4000, 40000));
  }
  const Time duration = any(0, 1) ? Time(0) : ms(any(500, 9000));
  stream.settings.shape = {static_cast<int>(any(1, 30)), static_cast<int>(any(1, 20)), duration,
                           ms(any(200, 9000))};
  stream.settings.jump_stride = stream.settings.shape.stride;
  stream.settings.sampling_interval =
      seconds(1) * stream.settings.shape.rate_denominator / stream.settings.shape.rate_numerator;
  if (any(0, 3) == 0) stream.settings.lead = ms(any(1000, 20000));
  return stream;
}

// Plans the frames in GOPs of a random length; the rest of the stream goes to `watcher`.
size_t feed(Watcher& watcher, const Stream& stream, unsigned seed) {
  std::minstd_rand random(seed);
  FramePlan plan(stream.settings, stream.frame_length);
  size_t n_fed = 0;
  for (size_t at = 0; at < stream.frames.size();) {
    const size_t n = std::min<size_t>(1 + random() % 60, stream.frames.size() - at);
    std::vector<PlannedFrame> gop(stream.frames.begin() + static_cast<long>(at),
                                  stream.frames.begin() + static_cast<long>(at + n));
    EXPECT_TRUE(plan.plan(gop));
    for (const PlannedFrame& frame : gop) {
      if (frame.needed) watcher.frame(frame), ++n_fed;
      if (!frame.needed) watcher.skip(frame);
    }
    at += n;
  }
  watcher.end();
  return n_fed;
}

// Of any stream, the frames that are said to be needed lead to the same picks and windows as all.
TEST(FramePlan, NeededFramesAloneArePickedLikeAll) {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    const Stream stream = random_stream(seed);
    Watcher all(stream.settings, stream.frame_length);
    for (const PlannedFrame& frame : stream.frames) all.frame(frame);
    all.end();
    Watcher some(stream.settings, stream.frame_length);
    feed(some, stream, seed);
    ASSERT_TRUE(some.windows == all.windows) << "seed " << seed;
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

// At one picture a second of 30 frames a second, little more than that one is needed.
TEST(FramePlan, NeedsLittleOfASteadyStream) {
  Stream stream;
  stream.frame_length = Time(1'000'000'000 / 30);
  for (int i = 0; i < 3000; ++i) {
    PlannedFrame frame;
    frame.pts = Time(int64_t{i} * 1'000'000'000 / 30);
    frame.duration = stream.frame_length;
    stream.frames.push_back(frame);
  }
  stream.settings.shape.duration = Time(0);
  Watcher watcher(stream.settings, stream.frame_length);
  const size_t n = feed(watcher, stream, 1);
  EXPECT_GE(n, 100u);
  EXPECT_LE(n, 120u);
}

// A slide that stands is decoded, though a film is before it; so is what comes behind it.
TEST(FramePlan, WhatStandsIsNeeded) {
  FramePlan plan({}, milliseconds(40));
  std::vector<PlannedFrame> frames(100);
  for (int i = 0; i < 98; ++i) frames[i].pts = milliseconds(40 * i);
  frames[97].duration = seconds(20);
  frames[98].pts = seconds(24), frames[99].pts = milliseconds(24040);
  ASSERT_TRUE(plan.plan(frames));
  EXPECT_TRUE(frames[97].needed);
  EXPECT_TRUE(frames[98].needed);
}

// Where a stream is broken and goes on much later, only the element can tell whether time jumps.
TEST(FramePlan, RefusesWhereTimeMayJump) {
  for (const int late_s : {4, 40}) {
    FramePlan plan({}, milliseconds(40));
    std::vector<PlannedFrame> frames(2);
    frames[1].pts = seconds(late_s);
    EXPECT_TRUE(plan.plan(frames));
    frames[0].pts = seconds(2 * late_s), frames[1].pts = seconds(3 * late_s);
    frames[1].discont = true;
    EXPECT_EQ(plan.plan(frames), late_s == 4);
  }
}

// Frames that go back in time, or two of one time, cannot be planned.
TEST(FramePlan, RefusesTimesThatDoNotGrow) {
  const auto plans = [](std::vector<int> times) {
    FramePlan plan({}, Time(0));
    std::vector<PlannedFrame> frames(times.size());
    for (size_t i = 0; i < times.size(); ++i) frames[i].pts = seconds(times[i]);
    std::vector<PlannedFrame> first(frames.begin(), frames.begin() + 2);
    std::vector<PlannedFrame> second(frames.begin() + 2, frames.end());
    return plan.plan(first) && plan.plan(second);
  };
  EXPECT_TRUE(plans({0, 1, 2, 3}));
  EXPECT_FALSE(plans({0, 0, 1, 2}));
  EXPECT_FALSE(plans({1, 0, 2, 3}));
  EXPECT_FALSE(plans({0, 2, 1, 3}));
  EXPECT_FALSE(plans({0, 2, 2, 3}));
}

}  // namespace
}  // namespace vidi
