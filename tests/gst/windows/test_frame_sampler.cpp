#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "gst/windows/frame_sampler.h"

namespace vidi {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

SamplingShape shape_of(int numerator, int denominator, Time duration, Time stride) {
  return {numerator, denominator, duration, stride};
}

// The caller's side: keeps the last grabbed frame only, and checks that every pick can be had.
class Caller {
 public:
  explicit Caller(SamplingShape shape) : sampler(shape) {}

  SamplerStep frame(Time pts, Time reach = kForever, Time lead = Time(0)) {
    return take(sampler.frame(pts, reach, lead), pts);
  }
  SamplerStep finish(Time end) {
    auto step = take(sampler.finish(end), std::nullopt);
    kept_.reset();
    return step;
  }

  FrameSampler sampler;
  std::map<uint64_t, std::vector<Pick>> picks;  // by window
  std::vector<ClosedRange> closed;
  int n_grabbed = 0;

 private:
  SamplerStep take(SamplerStep step, std::optional<Time> now) {
    for (const Pick& pick : step.picks) {
      const bool is_now = step.grab && pick.pts == now;
      EXPECT_TRUE(is_now || pick.pts == kept_) << "a pick that is not kept: " << pick.pts.count();
      picks[pick.window].push_back(pick);
    }
    if (step.grab) kept_ = now, ++n_grabbed;
    for (const ClosedRange& range : step.closed) closed.push_back(range);
    return step;
  }
  std::optional<Time> kept_;
};

// By the definition: the nearer of the two neighbours, or the earlier when they are far apart.
Time on_show(const std::vector<Time>& frames, Time target, Time interval) {
  const auto behind = std::lower_bound(frames.begin(), frames.end(), target);
  if (behind == frames.begin()) return frames.front();
  const Time before = *(behind - 1);
  if (behind == frames.end()) return before;
  if (*behind == target) return target;
  if (*behind - before > interval) return before;
  return target - before <= *behind - target ? before : *behind;
}

// Every target of the window, counted from its start, has what was on show, and nothing else.
void expect_on_show(const Caller& caller, const ClosedRange& range, const std::vector<Time>& frames,
                    int numerator, int denominator) {
  const auto found = caller.picks.find(range.window);
  ASSERT_NE(found, caller.picks.end());
  const Time interval = nanoseconds(1'000'000'000LL * denominator / numerator);
  size_t k = 0;
  for (;; ++k) {
    const Time target = range.start + nanoseconds(std::llround(k * 1e9L * denominator / numerator));
    if (target >= range.stop) break;
    ASSERT_LT(k, found->second.size()) << "window " << range.window;
    EXPECT_EQ(found->second[k].target, target) << "target " << k;
    EXPECT_EQ(found->second[k].pts, on_show(frames, target, interval))
        << "target " << target.count();
  }
  EXPECT_EQ(k, found->second.size()) << "window " << range.window;
}

void run_and_compare(const std::vector<Time>& frames, Time reach, SamplingShape shape) {
  Caller caller(shape);
  for (const Time pts : frames) caller.frame(pts, reach);
  const Time end = frames.back() + milliseconds(20);
  caller.finish(end);

  ASSERT_FALSE(caller.closed.empty());
  Time start = frames.front();
  for (size_t i = 0; i < caller.closed.size(); ++i) {
    const ClosedRange& range = caller.closed[i];
    const bool is_last = i + 1 == caller.closed.size();
    EXPECT_EQ(range.start, start);
    EXPECT_EQ(range.partial, shape.duration > Time{} && range.stop < start + shape.duration);
    EXPECT_EQ(range.next_start, is_last ? kForever : start + shape.stride);
    if (is_last) {
      EXPECT_TRUE(range.stop == end || range.stop == start + shape.duration);
    }
    expect_on_show(caller, range, frames, shape.rate_numerator, shape.rate_denominator);
    start += shape.stride;
  }
  // The last one reaches the stream's end, or as far as its length does.
  EXPECT_GE(caller.closed.back().stop, std::min(end, caller.closed.back().start + shape.duration));
}

std::vector<Time> constant_rate(int numerator, int denominator, Time first, Time length) {
  std::vector<Time> frames;
  for (int64_t i = 0;; ++i) {
    const Time pts = nanoseconds(i * 1'000'000'000 * denominator / numerator);
    if (pts > length) return frames;
    frames.push_back(first + pts);
  }
}

const SamplingShape kShapes[] = {
    shape_of(1, 1, seconds(60), seconds(30)),
    shape_of(2, 1, seconds(10), milliseconds(3700)),
    shape_of(1, 2, seconds(7), seconds(7)),
    shape_of(30000, 1001, seconds(5), nanoseconds(1'234'567'891)),
    shape_of(3, 1, milliseconds(2500), milliseconds(333)),
    shape_of(1, 1, Time{}, seconds(30)),
};

// At a constant frame rate every target gets its nearest frame, though only frames near targets are
// grabbed.
TEST(FrameSampler, PicksTheNearestFrameAtConstantRates) {
  const int rates[][2] = {{24000, 1001}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60, 1}};
  for (const auto& rate : rates) {
    const auto frames = constant_rate(rate[0], rate[1], nanoseconds(40'123'456'789), seconds(71));
    const Time interval = nanoseconds(1'000'000'000LL * rate[1] / rate[0]);
    for (const SamplingShape& shape : kShapes) {
      SCOPED_TRACE(testing::Message() << rate[0] << "/" << rate[1] << " fps, "
                                      << shape.rate_numerator << "/" << shape.rate_denominator);
      run_and_compare(frames, kForever, shape);
      run_and_compare(frames, 2 * interval, shape);
    }
  }
}

// The number of targets told beforehand is the number of picks that come, for rates that do not
// divide a second and streams that end anywhere; unknown ends say 0.
TEST(FrameSampler, TellsItsTargetsBeforehand) {
  for (const auto& [numerator, denominator] : {std::pair(1, 1), {2, 1}, {30000, 1001}, {1, 7}}) {
    for (const Time end :
         {milliseconds(100), milliseconds(3000), milliseconds(9999), milliseconds(60007)}) {
      for (const Time duration : {Time(0), Time(seconds(10))}) {
        Caller caller(shape_of(numerator, denominator, duration, seconds(10)));
        std::map<uint64_t, uint64_t> told;
        for (Time pts{}; pts < end; pts += milliseconds(10)) {
          caller.frame(pts);
          told[caller.sampler.earliest_index()] = caller.sampler.targets_of_earliest(end);
        }
        caller.finish(end);
        for (const ClosedRange& range : caller.closed) {
          EXPECT_EQ(told[range.window], caller.picks[range.window].size())
              << numerator << "/" << denominator << " " << end.count() << " " << range.window;
        }
        EXPECT_FALSE(caller.closed.empty());
      }
    }
  }
  FrameSampler whole(shape_of(1, 1, Time(0), Time(0)));
  whole.frame(Time(0), kForever);
  EXPECT_EQ(whole.targets_of_earliest(kForever), 0u);
}

// With frames at random intervals every target gets what was on show, whether the longest interval
// is known or not.
TEST(FrameSampler, PicksWhatIsOnShowOfARandomStream) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const int64_t longest_ms = round % 3 == 0 ? 40 : round % 3 == 1 ? 700 : 6000;
    std::uniform_int_distribution<int64_t> interval(0, longest_ms * 1'000'000);
    std::vector<Time> frames{nanoseconds(interval(random))};
    while (frames.size() < 400 && frames.back() < seconds(100)) {
      frames.push_back(frames.back() + nanoseconds(interval(random)));
    }
    for (const SamplingShape& shape : kShapes) {
      SCOPED_TRACE(testing::Message() << "round " << round << ", rate " << shape.rate_numerator);
      run_and_compare(frames, round % 2 ? kForever : Time(milliseconds(longest_ms)), shape);
    }
  }
}

// Of two frames equally near to a target the earlier is picked, and of frames with one PTS the
// first.
TEST(FrameSampler, TiesGoToTheEarlierFrame) {
  Caller caller(shape_of(1, 1, seconds(10), seconds(10)));
  caller.frame(seconds(0));
  caller.frame(milliseconds(900));
  const auto step = caller.frame(milliseconds(1100));
  ASSERT_EQ(step.picks.size(), 1u);
  EXPECT_EQ(step.picks[0].pts, milliseconds(900));

  EXPECT_EQ(caller.frame(seconds(2)).picks.at(0).pts, seconds(2));
  const auto doubled = caller.frame(seconds(2));
  EXPECT_TRUE(doubled.picks.empty());
  EXPECT_FALSE(doubled.grab);
}

// Only frames that may be picked are copied: at 30 fps and 1/s that is few of them, and all picks
// can still be had.
TEST(FrameSampler, GrabsFewFramesWhenTheRateIsKnown) {
  Caller caller(shape_of(1, 1, seconds(60), seconds(30)));
  const auto frames = constant_rate(30000, 1001, Time{}, seconds(100));
  for (const Time pts : frames) caller.frame(pts, nanoseconds(1'000'000'000LL * 1001 / 30000));
  EXPECT_GE(caller.n_grabbed, 100);
  EXPECT_LE(caller.n_grabbed, 210);
}

// When a frame comes later than was promised, the better of the kept frame and the one at hand is
// picked.
TEST(FrameSampler, ABrokenPromiseCostsOnlyAccuracy) {
  Caller caller(shape_of(1, 1, seconds(10), seconds(10)));
  caller.frame(seconds(0), milliseconds(40));
  EXPECT_FALSE(caller.frame(milliseconds(800), milliseconds(40)).grab);
  const auto late = caller.frame(milliseconds(1700), milliseconds(40));
  ASSERT_EQ(late.picks.size(), 1u);
  EXPECT_EQ(late.picks[0].pts, milliseconds(1700));
  EXPECT_TRUE(late.grab);
}

// A slide is the pick until the next one comes, not until it is nearer; one that comes on a target
// is picked there.
TEST(FrameSampler, AFrameStandsUntilTheNext) {
  Caller caller(shape_of(4, 1, seconds(8), seconds(8)));
  caller.frame(seconds(0));
  EXPECT_EQ(caller.frame(seconds(4)).picks.size(), 16u);
  EXPECT_EQ(caller.frame(milliseconds(5900)).picks.size(), 7u);  // 4.25 .. 5.75
  caller.finish(seconds(7));
  std::map<Time, int> n_picks;
  for (const Pick& pick : caller.picks[0]) ++n_picks[pick.pts];
  EXPECT_EQ(n_picks[seconds(0)], 16);         // 0 .. 3.75
  EXPECT_EQ(n_picks[seconds(4)], 8);          // 4 .. 5.75
  EXPECT_EQ(n_picks[milliseconds(5900)], 4);  // 6 .. 6.75
}

// Two frames exactly an interval apart are near to each other: the nearer is picked. A little more,
// and the earlier stands.
TEST(FrameSampler, FramesAnIntervalApartAreNear) {
  for (const auto& [first_ms, picked_ms] : {std::pair(300, 1300), {299, 299}}) {
    Caller caller(shape_of(1, 1, seconds(10), seconds(10)));
    for (const int ms : {0, first_ms, 1300}) caller.frame(milliseconds(ms));
    EXPECT_EQ(caller.picks[0].at(1).target, seconds(1));
    EXPECT_EQ(caller.picks[0].at(1).pts, milliseconds(picked_ms));
  }
}

// What stands is picked, and closes windows, as soon as it is known that nothing came; not earlier
// than an interval behind the frame. A frame that comes late for all that changes nothing of it.
TEST(FrameSampler, AStandingFrameFillsWindows) {
  Caller caller(shape_of(1, 1, seconds(4), seconds(2)));
  const auto advance = [&](Time now) {
    const SamplerStep step = caller.sampler.advance(now);
    for (const Pick& pick : step.picks) caller.picks[pick.window].push_back(pick);
    for (const ClosedRange& range : step.closed) caller.closed.push_back(range);
    return step;
  };
  EXPECT_TRUE(advance(seconds(5)).closed.empty());  // before any frame
  caller.frame(seconds(0));
  caller.frame(milliseconds(900));
  EXPECT_TRUE(advance(milliseconds(1900)).picks.empty());
  EXPECT_EQ(advance(milliseconds(2500)).picks.size(), 3u);  // 1, 2, and 2 of the second window
  advance(seconds(9));
  ASSERT_EQ(caller.closed.size(), 3u);
  for (const ClosedRange& range : caller.closed) {
    EXPECT_EQ(range.stop - range.start, seconds(4));
    EXPECT_EQ(range.next_start, range.start + seconds(2));
    EXPECT_FALSE(range.partial);
    EXPECT_EQ(caller.picks[range.window].size(), 4u);
  }
  EXPECT_EQ(caller.picks[caller.closed[2].window].back().pts, milliseconds(900));
  EXPECT_TRUE(advance(seconds(9)).picks.empty());
  EXPECT_TRUE(caller.frame(seconds(8)).picks.empty());
  EXPECT_EQ(caller.frame(seconds(10)).picks.back().target, seconds(10));
  caller.finish(seconds(11));
  EXPECT_EQ(caller.closed.back().start, seconds(8));
  EXPECT_EQ(caller.closed.back().stop, seconds(11));
}

// A last frame that is shown for long fills whole windows, and the rest of one.
TEST(FrameSampler, TheLastFrameMayStandForWindows) {
  Caller caller(shape_of(1, 1, seconds(4), seconds(4)));
  for (int i = 0; i < 3; ++i) caller.frame(seconds(i));
  caller.finish(seconds(14));
  ASSERT_EQ(caller.closed.size(), 4u);
  EXPECT_EQ(caller.closed[3].start, seconds(12));
  EXPECT_EQ(caller.closed[3].stop, seconds(14));
  EXPECT_TRUE(caller.closed[3].partial);
  EXPECT_EQ(caller.picks[caller.closed[3].window].back().pts, seconds(2));
  EXPECT_EQ(caller.closed[3].next_start, kForever);
}

// A grid may start before its first frame, which is then shown for all of that time.
TEST(FrameSampler, TheFirstFrameStandsForTheTimeBefore) {
  Caller caller(shape_of(1, 1, seconds(4), seconds(4)));
  const auto step = caller.frame(seconds(2), kForever, seconds(10));
  ASSERT_EQ(step.closed.size(), 2u);
  EXPECT_EQ(step.closed[0].start, seconds(-8));
  EXPECT_EQ(step.closed[1].stop, seconds(0));
  EXPECT_EQ(step.closed[1].first_frame, seconds(2));
  EXPECT_EQ(step.picks.size(), 11u);
  for (const Pick& pick : step.picks) EXPECT_EQ(pick.pts, seconds(2));
  EXPECT_FALSE(step.closed[1].several);
  caller.frame(seconds(3));
  EXPECT_EQ(caller.frame(seconds(4)).closed.at(0).start, seconds(0));
  EXPECT_TRUE(caller.closed.back().several);
}

// A frame that was left out counts as a neighbour: the frame before it does not stand. When the
// grid is another than was thought, the nearest that comes is picked.
TEST(FrameSampler, SkippedFramesAreNeighbours) {
  FrameSampler sampler(shape_of(1, 1, seconds(10), seconds(10)));
  sampler.frame(seconds(0), milliseconds(100));
  for (int ms = 40; ms < 980; ms += 40) EXPECT_TRUE(sampler.skip(milliseconds(ms)).picks.empty());
  EXPECT_EQ(sampler.frame(milliseconds(1010), milliseconds(100)).picks.at(0).pts,
            milliseconds(1010));
  for (int ms = 1040; ms < 1960; ms += 40) sampler.skip(milliseconds(ms));
  EXPECT_TRUE(sampler.frame(milliseconds(1990), milliseconds(100)).picks.empty());
  EXPECT_EQ(sampler.skip(milliseconds(2020)).picks.at(0).pts, milliseconds(1990));

  for (int ms = 2040; ms < 3400; ms += 40) {
    EXPECT_TRUE(sampler.skip(milliseconds(ms)).picks.empty());
  }
  EXPECT_EQ(sampler.frame(milliseconds(3400), milliseconds(100)).picks.at(0).pts,
            milliseconds(3400));
}

// The frame just before a window's start can be that window's first pick.
TEST(FrameSampler, AWindowMayBeginWithAFrameBeforeIt) {
  Caller caller(shape_of(1, 1, seconds(4), milliseconds(1500)));
  for (const int ms : {0, 1000, 1450, 2000, 3000}) caller.frame(milliseconds(ms));
  ASSERT_FALSE(caller.picks[1].empty());
  EXPECT_EQ(caller.picks[1][0].target, milliseconds(1500));
  EXPECT_EQ(caller.picks[1][0].pts, milliseconds(1450));
}

// A stream of one frame is one partial window with the frame for every target up to its end.
TEST(FrameSampler, OneFrameOnly) {
  Caller caller(shape_of(1, 1, seconds(60), seconds(30)));
  EXPECT_TRUE(caller.frame(seconds(5)).grab);
  EXPECT_TRUE(caller.sampler.running());
  EXPECT_EQ(caller.sampler.earliest_start(), seconds(5));
  const auto step = caller.finish(seconds(5) + milliseconds(40));
  ASSERT_EQ(step.closed.size(), 1u);
  EXPECT_TRUE(step.closed[0].partial);
  EXPECT_EQ(step.closed[0].start, seconds(5));
  EXPECT_EQ(step.closed[0].stop, seconds(5) + milliseconds(40));
  EXPECT_EQ(step.closed[0].next_start, kForever);
  EXPECT_EQ(caller.picks[0].size(), 1u);
  EXPECT_FALSE(caller.sampler.running());
}

// finish() without a frame does nothing; and what nobody has seen before is not made up.
TEST(FrameSampler, FinishWithoutFrames) {
  FrameSampler sampler(SamplingShape{});
  const auto step = sampler.finish(seconds(10));
  EXPECT_TRUE(step.closed.empty() && step.picks.empty());
  EXPECT_FALSE(step.grab);
  EXPECT_FALSE(sampler.running());
}

// At the end the earliest open window closes with its last targets settled; the one behind it is
// forgotten; the next frame starts a new grid with an index of its own.
TEST(FrameSampler, FinishInTheMiddleOfAWindow) {
  Caller caller(shape_of(1, 1, seconds(10), seconds(5)));
  for (int i = 0; i <= 12; ++i) caller.frame(seconds(i));
  const auto step = caller.finish(seconds(14));
  ASSERT_EQ(caller.closed.size(), 2u);
  EXPECT_EQ(step.closed.at(0).start, seconds(5));
  EXPECT_EQ(step.closed.at(0).stop, seconds(14));
  EXPECT_TRUE(step.closed.at(0).partial);
  ASSERT_EQ(step.picks.size(), 1u);
  EXPECT_EQ(step.picks[0].target, seconds(13));
  EXPECT_EQ(step.picks[0].pts, seconds(12));

  const auto next = caller.frame(seconds(100));
  ASSERT_EQ(next.picks.size(), 1u);
  EXPECT_EQ(next.picks[0].target, seconds(100));
  EXPECT_GT(next.picks[0].window, step.closed[0].window);
}

// A window that ends with the stream is whole; a window that would repeat what the closed one
// covered is not made.
TEST(FrameSampler, NothingIsCoveredTwiceAtTheEnd) {
  Caller whole(shape_of(1, 1, seconds(10), seconds(5)));
  for (int i = 0; i < 10; ++i) whole.frame(seconds(i));
  EXPECT_FALSE(whole.finish(seconds(10)).closed.at(0).partial);

  Caller covered(shape_of(1, 1, seconds(10), seconds(5)));
  for (int i = 0; i <= 10; ++i) covered.frame(seconds(i));
  ASSERT_EQ(covered.closed.size(), 1u);
  EXPECT_TRUE(covered.finish(seconds(10)).closed.empty());
  EXPECT_FALSE(covered.sampler.running());

  // After that a new grid is not measured by the old one.
  covered.frame(seconds(2));
  EXPECT_EQ(covered.finish(seconds(3)).closed.size(), 1u);
}

// With duration 0 one window holds the whole stream, and it is not partial.
TEST(FrameSampler, TheWholeStreamIsOneWindow) {
  Caller caller(shape_of(1, 1, Time{}, seconds(30)));
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(caller.frame(seconds(3 + i)).closed.empty());
  const auto step = caller.finish(seconds(5003));
  ASSERT_EQ(step.closed.size(), 1u);
  EXPECT_FALSE(step.closed[0].partial);
  EXPECT_EQ(step.closed[0].stop, seconds(5003));
  EXPECT_EQ(step.closed[0].next_start, kForever);
  EXPECT_EQ(caller.picks[0].size(), 5000u);
}

// Targets are exact after ten hours at 30000/1001.
TEST(FrameSampler, TargetsDoNotDrift) {
  Caller caller(shape_of(30000, 1001, Time{}, seconds(30)));
  const int64_t n = 30LL * 3600 * 10;
  for (int64_t i = 0; i < n; i += 1) {
    const Time pts = nanoseconds((i * 1001 * 100'000 + 1) / 3);  // nearest ns of i * 1001 / 30000 s
    const auto step = caller.sampler.frame(pts, kForever);
    ASSERT_EQ(step.picks.size(), 1u) << i;
    ASSERT_EQ(step.picks[0].target, pts) << i;
  }
}

// New shapes count from the next window on; the window that runs keeps its length.
TEST(FrameSampler, ReshapeCountsFromTheNextWindow) {
  Caller caller(shape_of(1, 1, seconds(20), seconds(10)));
  for (int i = 0; i <= 3; ++i) caller.frame(seconds(i));
  caller.sampler.reshape(shape_of(1, 1, seconds(6), seconds(5)));  // next starts at 0 + 5
  for (int i = 4; i <= 20; ++i) caller.frame(seconds(i));
  ASSERT_EQ(caller.closed.size(), 3u);
  EXPECT_EQ(caller.closed[0].start, seconds(5));
  EXPECT_EQ(caller.closed[0].stop, seconds(11));
  EXPECT_EQ(caller.closed[1].start, seconds(10));
  EXPECT_EQ(caller.closed[2].start, seconds(0));
  EXPECT_EQ(caller.closed[2].stop, seconds(20));
  EXPECT_EQ(caller.closed[2].next_start, seconds(15));
  EXPECT_EQ(caller.picks[caller.closed[2].window].size(), 20u);
}

// When the new stride lies behind already, the next frame starts the next window; the rate stays.
TEST(FrameSampler, ReshapeMayStartAWindowAtOnce) {
  Caller caller(shape_of(1, 1, seconds(60), seconds(60)));
  for (int i = 0; i <= 10; ++i) caller.frame(seconds(i));
  caller.sampler.reshape(shape_of(5, 1, seconds(4), seconds(2)));
  caller.frame(milliseconds(10'500));
  caller.frame(milliseconds(14'500));
  ASSERT_EQ(caller.closed.size(), 1u);
  EXPECT_EQ(caller.closed[0].start, milliseconds(10'500));
  EXPECT_EQ(caller.closed[0].stop, milliseconds(14'500));
  EXPECT_EQ(caller.closed[0].next_start, milliseconds(12'500));
  EXPECT_EQ(caller.picks[caller.closed[0].window].size(), 4u);
  // The long window covers more than the short one that is closed: it is not forgotten.
  const auto end = caller.finish(milliseconds(14'500));
  EXPECT_EQ(end.closed.at(0).start, seconds(0));
  // A new grid takes the new rate.
  caller.frame(seconds(100));
  EXPECT_EQ(caller.frame(seconds(101)).picks.size(), 5u);
}

// A longer stride leaves no hole behind a short window; two reshapes before a frame count as one.
TEST(FrameSampler, ReshapeLeavesNoHole) {
  Caller caller(shape_of(1, 1, seconds(4), seconds(4)));
  for (int i = 0; i <= 2; ++i) caller.frame(seconds(i));
  caller.sampler.reshape(shape_of(1, 1, seconds(2), seconds(1)));
  caller.sampler.reshape(shape_of(1, 1, seconds(60), seconds(30)));
  for (int i = 3; i <= 4; ++i) caller.frame(seconds(i));
  ASSERT_EQ(caller.closed.size(), 1u);
  EXPECT_EQ(caller.closed[0].next_start, seconds(4));
  caller.frame(seconds(5));
  EXPECT_EQ(caller.finish(seconds(6)).closed.at(0).start, seconds(4));
}

// To the whole stream and back: the planned window becomes the rest of the stream, and it stays so.
TEST(FrameSampler, ReshapeToTheWholeStream) {
  Caller caller(shape_of(1, 1, seconds(4), seconds(2)));
  caller.frame(seconds(0));
  caller.sampler.reshape(shape_of(1, 1, Time{}, seconds(2)));
  for (int i = 1; i <= 30; ++i) caller.frame(seconds(i));
  caller.sampler.reshape(shape_of(1, 1, seconds(4), seconds(2)));
  for (int i = 31; i <= 50; ++i) caller.frame(seconds(i));
  ASSERT_EQ(caller.closed.size(), 1u);
  const auto step = caller.finish(seconds(51));
  EXPECT_EQ(step.closed.at(0).start, seconds(2));
  EXPECT_EQ(step.closed.at(0).stop, seconds(51));
  EXPECT_FALSE(step.closed.at(0).partial);
  EXPECT_EQ(caller.picks[step.closed[0].window].size(), 49u);
}

// Extreme shapes and rates are bounded: windows open at once, and picks of one step.
TEST(FrameSampler, ExtremeShapesStayBounded) {
  Caller caller(shape_of(240, 1, hours(1), milliseconds(1)));
  std::map<uint64_t, int> open;
  for (int i = 0; i < 1000; ++i) {
    for (const Pick& pick : caller.frame(milliseconds(500 * i)).picks) ++open[pick.window];
  }
  EXPECT_LE(open.size(), 66u);

  Caller endless(shape_of(1, 1, Time{}, Time{}));
  endless.frame(Time{});
  EXPECT_LE(endless.finish(kForever).picks.size(), size_t{1} << 20);

  for (const int numerator : {INT32_MIN, 0, 1, INT32_MAX}) {
    for (const int denominator : {INT32_MIN, 0, 1, INT32_MAX}) {
      for (const Time duration : {Time::min(), Time{}, nanoseconds(1), Time(hours(1)), kForever}) {
        for (const Time stride : {Time::min(), Time{}, nanoseconds(1), kForever}) {
          Caller extreme(shape_of(numerator, denominator, duration, stride));
          for (int i = 0; i < 50; ++i) extreme.frame(milliseconds(40 * i));
          extreme.sampler.reshape(shape_of(1, 1, stride, duration));
          for (int i = 50; i < 100; ++i) extreme.frame(milliseconds(40 * i));
          if (!extreme.sampler.running()) continue;
          EXPECT_LE(extreme.finish(seconds(5)).closed.size(), size_t{1} << 20);
        }
      }
    }
  }
}

// A jump over hours that nobody told of costs neither time nor memory, and the stream goes on.
TEST(FrameSampler, HugeJumpsAreSurvived) {
  for (const Time stride : {Time(milliseconds(1)), Time(seconds(1)), Time(seconds(30))}) {
    Caller caller(shape_of(240, 1, seconds(60), stride));
    caller.frame(seconds(0));
    const auto jump = caller.frame(hours(10));
    EXPECT_LE(jump.picks.size(), size_t{1} << 20);
    EXPECT_LE(jump.closed.size(), size_t{1} << 20);
    EXPECT_EQ(caller.frame(hours(10) + seconds(1)).picks.back().pts, hours(10) + seconds(1));
  }
}

// Times at both ends of what is possible overflow nowhere, whatever the shape.
TEST(FrameSampler, TimesFarFromZeroDoNotOverflow) {
  for (const Time first : {-kForever / 4 + seconds(1), kForever / 4 - seconds(100)}) {
    for (const int denominator : {1, INT32_MAX}) {
      for (const Time duration : {Time{}, Time(seconds(4)), kForever}) {
        Caller caller(shape_of(1, denominator, duration, duration / 2));
        for (int i = 0; i < 10; ++i) caller.frame(first + seconds(i));
        EXPECT_FALSE(caller.picks.empty());
        caller.frame(kForever / 4 - seconds(1));
        caller.finish(kForever);
        EXPECT_FALSE(caller.closed.empty());
      }
    }
  }
}

// A frame before the last one, and times that cannot be, are ignored.
TEST(FrameSampler, ImpossibleTimesAreIgnored) {
  Caller caller(shape_of(1, 1, seconds(10), seconds(5)));
  caller.frame(kForever);
  caller.frame(Time::min());
  EXPECT_FALSE(caller.sampler.running());
  caller.frame(seconds(5));
  for (const Time pts : {Time(seconds(4)), Time{}, Time::min(), kForever}) {
    const auto step = caller.frame(pts);
    EXPECT_FALSE(step.grab);
    EXPECT_TRUE(step.picks.empty() && step.closed.empty());
  }
  EXPECT_EQ(caller.sampler.last_pts(), seconds(5));
  EXPECT_EQ(caller.frame(seconds(6)).picks.size(), 1u);
  EXPECT_EQ(caller.finish(Time::min()).closed.at(0).stop, seconds(6));
}

}  // namespace
}  // namespace vidi
