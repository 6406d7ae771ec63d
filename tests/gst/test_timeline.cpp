// Time: gaps, jumps, segments, rates. Pictures are chosen by PTS, and results say where they were.
#include <gst/gst.h>

#include <random>

#include "tests/support/bench.h"
#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;
using Colours = std::vector<uint32_t>;

struct Timeline : ::testing::Test {
  void SetUp() override { prepare(); }
};

struct Range {
  guint64 start, stop;
  bool operator==(const Range&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Range& r) {
  return out << r.start / GST_MSECOND << ".." << r.stop / GST_MSECOND << " ms";
}

// The analysed windows, in order.
std::vector<Range> windows(Bench& bench) {
  std::vector<Range> found;
  for (const GstStructure* s : bench.structures("vidi/window")) {
    found.push_back({number(s, "window-start"), number(s, "window-stop")});
  }
  return found;
}

std::vector<bool> partial_flags(Bench& bench) {
  std::vector<bool> found;
  for (const GstStructure* s : bench.structures("vidi/window")) {
    found.push_back(flag(s, "partial-window"));
  }
  return found;
}

Range seconds(double start, double stop) {
  return {static_cast<guint64>(start * 1e9), static_cast<guint64>(stop * 1e9)};
}

Strings warnings(Bench& bench) {
  Strings found;
  for (GstMessage* m : bench.messages(GST_MESSAGE_WARNING)) found.push_back(complaint_of(m).text);
  return found;
}

// Remembers the pictures of every window, as the model saw them. Read after EOS.
struct Seen {
  std::vector<Colours> windows;
  Seen() {
    scripted::answer_with([this](const Query&, const SeenWindow& window) {
      windows.push_back(window.frames);
      return std::string("none");
    });
  }
};

// ---- Which frames ----

struct Stream {
  std::string name, framerate;  // as in caps, "" for none
  std::vector<GstClockTime> pts;
};

std::vector<GstClockTime> regular(guint64 numerator, guint64 denominator, GstClockTime offset) {
  std::vector<GstClockTime> pts;
  for (guint64 i = 0;; ++i) {
    const GstClockTime t = gst_util_uint64_scale(i, denominator * GST_SECOND, numerator);
    if (t >= 9 * GST_SECOND) return pts;
    pts.push_back(offset + t);
  }
}

std::vector<GstClockTime> irregular(unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<GstClockTime> pts;
  for (GstClockTime t = 123 * GST_MSECOND; t < 12 * GST_SECOND;
       t += (1 + random() % 700) * GST_MSECOND) {
    pts.push_back(t);
  }
  return pts;
}

std::vector<Stream> streams() {
  const GstClockTime odd = 3 * GST_SECOND + 12345678;
  std::vector<Stream> all;
  const std::pair<guint64, guint64> rates[] = {{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001},
                                               {30, 1},       {50, 1}, {60, 1}};
  for (const auto& [n, d] : rates) {
    const std::string rate = std::to_string(n) + "/" + std::to_string(d);
    all.push_back({rate, rate, regular(n, d, 0)});
    all.push_back({rate + " from an odd time", rate, regular(n, d, odd)});
    all.push_back({rate + " that is not told", "", regular(n, d, 0)});
  }
  for (unsigned seed = 1; seed <= 5; ++seed) {
    all.push_back({"variable " + std::to_string(seed), "0/1", irregular(seed)});
    all.push_back({"variable without a rate " + std::to_string(seed), "", irregular(seed)});
  }
  return all;
}

// By brute force: for each k, where its two neighbours are at most 1 / rate apart the nearer, of
// two the earlier; else the earlier.
Colours expected_pictures(const std::vector<GstClockTime>& pts, Range window, GstClockTime step) {
  Colours picked;
  for (GstClockTime target = window.start; target < window.stop; target += step) {
    size_t best = 0;
    while (best + 1 < pts.size() && pts[best + 1] <= target) ++best;
    const bool near = best + 1 < pts.size() && pts[best] < target &&
                      pts[best + 1] - pts[best] <= step &&
                      pts[best + 1] - target < target - pts[best];
    if (near) ++best;
    picked.push_back(static_cast<uint32_t>(best + 1) * 3);
  }
  return picked;
}

void run_stream(Bench& bench, const Stream& stream) {
  std::string caps = "video/x-raw, format=RGB, width=16, height=16";
  if (!stream.framerate.empty()) caps += ", framerate=" + stream.framerate;
  bench.play(caps);
  for (size_t i = 0; i < stream.pts.size(); ++i) {
    GstBuffer* buffer =
        rgb_frame(static_cast<uint32_t>(i + 1) * 3, 16, 16, stream.pts[i], GST_CLOCK_TIME_NONE);
    ASSERT_EQ(bench.in().push(buffer), GST_FLOW_OK);
  }
  bench.eos();
}

void expect_frames_on_show(const Stream& stream, const char* rate, GstClockTime step) {
  Seen seen;
  Bench bench(
      {{"window-duration", "4000000000"}, {"window-stride", "2000000000"}, {"frame-rate", rate}});
  run_stream(bench, stream);
  const auto ranges = windows(bench);
  ASSERT_GE(ranges.size(), 3u) << stream.name;
  ASSERT_EQ(seen.windows.size(), ranges.size()) << stream.name;
  for (size_t w = 0; w < ranges.size(); ++w) {
    EXPECT_EQ(ranges[w].start, stream.pts[0] + w * 2 * GST_SECOND) << stream.name;
    EXPECT_EQ(seen.windows[w], expected_pictures(stream.pts, ranges[w], step))
        << stream.name << ", window " << w;
  }
}

// At every usual frame rate, at a variable one, and when none is told, each target gets exactly the
// frame that is on show.
TEST_F(Timeline, WhatIsOnShowIsPicked) {
  for (const Stream& stream : streams()) expect_frames_on_show(stream, "1/1", GST_SECOND);
}

// The same at other sampling rates.
TEST_F(Timeline, WhatIsOnShowIsPickedAtOtherRates) {
  for (const Stream& stream : streams()) {
    expect_frames_on_show(stream, "2/1", GST_SECOND / 2);
    expect_frames_on_show(stream, "1/2", 2 * GST_SECOND);
  }
}

// ---- The checkpoint's frame rate ----

// The pictures of one window of 2 s, with the checkpoint stating `rate`.
Colours pictures_at(const Result<double>& rate, const Properties& properties = {}) {
  scripted::set_frame_rate(rate);
  Seen seen;
  Bench bench(properties);
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2)}));
  return seen.windows.size() == 1 ? seen.windows[0] : Colours{};
}

// A checkpoint that states its rate is shown the stream at that rate; one that does not, or whose
// config cannot be read, at one picture a second.
TEST_F(Timeline, TheCheckpointsFrameRateIsTaken) {
  EXPECT_EQ(pictures_at(2.0), (Colours{0, 500, 1000, 1500}));
  EXPECT_EQ(pictures_at(2.5), (Colours{0, 400, 800, 1200, 1600}));
  EXPECT_EQ(pictures_at(1.0), (Colours{0, 1000}));
  EXPECT_EQ(pictures_at(Error{ErrorCode::kDamaged, "no rate"}), (Colours{0, 1000}));
}

// What the user sets wins, 1/1 too; 0/1 leaves it to the checkpoint.
TEST_F(Timeline, TheUsersFrameRateWins) {
  EXPECT_EQ(pictures_at(2.0, {{"frame-rate", "1/1"}}), (Colours{0, 1000}));
  EXPECT_EQ(pictures_at(2.0, {{"frame-rate", "5/2"}}), (Colours{0, 400, 800, 1200, 1600}));
  EXPECT_EQ(pictures_at(2.0, {{"frame-rate", "0/1"}}), (Colours{0, 500, 1000, 1500}));
}

// Frames that come while the model is loading are sampled at the checkpoint's rate already.
TEST_F(Timeline, TheCheckpointsFrameRateIsKnownWhileTheModelLoads) {
  scripted::set_frame_rate(2.0);
  scripted::hold(scripted::Step::kOpen);
  Seen seen;
  Bench bench;
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  EXPECT_EQ(bench.model_state(), "loading");
  scripted::release(scripted::Step::kOpen);
  bench.eos();
  EXPECT_EQ(seen.windows, (std::vector<Colours>{{0, 500, 1000, 1500}}));
}

// It is read at every start, and a property that is set in between leaves it as it is.
TEST_F(Timeline, TheCheckpointsFrameRateIsReadAtEveryStart) {
  Seen seen;
  Bench bench;
  for (const double rate : {2.0, 5.0}) {
    scripted::set_frame_rate(rate);
    bench.play();
    bench.set("query", "cat");
    bench.frames(0, 2 * GST_SECOND);
    bench.eos();
    EXPECT_TRUE(bench.to(GST_STATE_READY));
  }
  ASSERT_EQ(seen.windows.size(), 2u);
  EXPECT_EQ(seen.windows[0].size(), 4u);
  EXPECT_EQ(seen.windows[1].size(), 10u);
  gint numerator = -1, denominator = -1;
  g_object_get(bench.v(), "frame-rate", &numerator, &denominator, nullptr);
  EXPECT_EQ(numerator, 0) << "the property says what the user set";
}

// A last frame of unknown length is as long as one step of the checkpoint's rate.
TEST_F(Timeline, TheLastFrameIsAsLongAsTheCheckpointsRateSays) {
  scripted::set_frame_rate(2.0);
  Bench bench({{"window-duration", "8000000000"}, {"window-stride", "8000000000"}});
  run_stream(bench, {"two a second, not told", "", {0, GST_SECOND / 2, GST_SECOND}});
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 1.5)}));
}

// Whether a window can hold two pictures is judged at the checkpoint's rate.
TEST_F(Timeline, AShortWindowIsJudgedAtTheCheckpointsRate) {
  const Properties one_second = {{"window-duration", "1000000000"},
                                 {"window-stride", "1000000000"}};
  for (const double rate : {1.0, 2.0}) {
    scripted::set_frame_rate(rate);
    Bench bench(one_second);
    bench.play();
    EXPECT_EQ(warnings(bench).size(), rate == 1 ? 1u : 0u);
  }
}

// ---- Windows ----

// Windows start a stride apart and are as long as the duration; the last ends with the last frame.
TEST_F(Timeline, WindowsFollowDurationAndStride) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "3000000000"}});
  bench.play();
  bench.frames(0, 9500 * GST_MSECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 4), seconds(3, 7), seconds(6, 9.5)}));
  EXPECT_EQ(partial_flags(bench), (std::vector<bool>{false, false, true}));
}

// A duration of 0 is one window over the whole stream, as long as upstream says the stream is.
TEST_F(Timeline, WholeStreamIsOneWindow) {
  scripted::answer_with("0.5-1");
  Bench bench(Properties{{"window-duration", "0"}});
  bench.in().answer_queries([](GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION) return false;
    gst_query_set_duration(query, GST_FORMAT_TIME, 10 * GST_SECOND);
    return true;
  });
  bench.play();
  bench.frames(0, 9600 * GST_MSECOND);
  EXPECT_EQ(bench.stat("windows-submitted"), 0u);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 10)}));
  EXPECT_EQ(scripted::last_window().frames.size(), 10u);
  ASSERT_EQ(bench.structures("vidi/result").size(), 1u);
  EXPECT_EQ(number(bench.structures("vidi/result")[0], "timestamp"), 5 * GST_SECOND);
}

// Without a DURATION, a whole stream ends with its last frame.
TEST_F(Timeline, WholeStreamWithoutADurationEndsWithItsLastFrame) {
  Bench bench(Properties{{"window-duration", "0"}});
  bench.play();
  bench.frames(0, 9600 * GST_MSECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 9.6)}));
}

// appsrc says bytes unless it is told otherwise: pictures with time stamps are watched all the
// same, with their sound, and side pads are in time.
TEST_F(Timeline, ASegmentInBytesIsTakenForTime) {
  for (const GstFormat format : {GST_FORMAT_BYTES, GST_FORMAT_DEFAULT}) {
    prepare();
    Rig rig({.audio = true, .tail = "v.text_src ! fakesink name=text sync=false async=false"});
    GstSegment segment;
    gst_segment_init(&segment, format);
    ASSERT_TRUE(rig.pipeline.to(GST_STATE_PLAYING));
    rig.video.start(&segment);
    rig.audio->start(&segment);
    rig.sound(0, 8);
    rig.frames(0, 7);
    rig.end();
    const auto all = rig.pipeline.structures("vidi/window");
    ASSERT_EQ(all.size(), 2u) << gst_format_get_name(format);
    EXPECT_EQ(number(all[1], "window-start"), 4 * GST_SECOND);
    EXPECT_TRUE(flag(all[1], "has-audio"));
  }
}

// ---- Gaps and jumps ----

// A GAP passes, and is no jump: the window goes on behind it, however long it is.
TEST_F(Timeline, WindowsGoOnAcrossGaps) {
  Bench bench({{"window-duration", "20000000000"}, {"window-stride", "20000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  bench.in().send(gst_event_new_gap(2 * GST_SECOND, 15 * GST_SECOND));
  bench.frames(17 * GST_SECOND, 20 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 20)}));
  EXPECT_EQ(bench.out().count("gap"), 1);
}

// PTS further ahead than 5 s and a stride, where upstream says that the stream is broken, end the
// window as partial; what follows is a new grid.
TEST_F(Timeline, AJumpForwardStartsANewGrid) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  GstBuffer* first = rgb_frame(1, 16, 16, 7300 * GST_MSECOND, 100 * GST_MSECOND);
  GST_BUFFER_FLAG_SET(first, GST_BUFFER_FLAG_DISCONT);
  bench.in().push(first);
  bench.frames(7400 * GST_MSECOND, 10300 * GST_MSECOND);  // 5.3 s behind the end
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2), seconds(7.3, 10.3)}));
  EXPECT_EQ(partial_flags(bench), (std::vector<bool>{true, true}));
}

// Less than that is a hole, and so is more where nothing says that time jumped: the window goes on
// with the picture that stands.
TEST_F(Timeline, AHoleIsNoJump) {
  for (const GstClockTime next : {6900 * GST_MSECOND, 47 * GST_SECOND}) {
    Seen seen;
    Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
    bench.play();
    bench.frames(0, 2 * GST_SECOND);
    GstBuffer* first = rgb_frame(colour_at(next), 16, 16, next, 100 * GST_MSECOND);
    if (next < 7 * GST_SECOND) GST_BUFFER_FLAG_SET(first, GST_BUFFER_FLAG_DISCONT);
    bench.in().push(first);
    bench.frames(next + 100 * GST_MSECOND, next + 1100 * GST_MSECOND);
    bench.eos();
    const auto ranges = windows(bench);
    ASSERT_EQ(ranges.size(), (next + 1100 * GST_MSECOND) / (4 * GST_SECOND));
    EXPECT_EQ(ranges[1], seconds(4, 8));
    EXPECT_EQ(seen.windows[0], (Colours{0, 1000, 1900, 1900}));
    EXPECT_EQ(seen.windows.back().front(), 1900u);
  }
}

// With a long stride the same hole of 5.3 s is no jump yet.
TEST_F(Timeline, TheStrideAllowsLongerHoles) {
  Bench bench({{"window-duration", "10000000000"}, {"window-stride", "10000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  bench.frames(7300 * GST_MSECOND, 10 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 10)}));
}

// PTS that go back end the window as partial; what follows is a new grid, and both are analysed.
TEST_F(Timeline, AJumpBackStartsANewGrid) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  bench.play();
  bench.frames(10 * GST_SECOND, 12500 * GST_MSECOND);
  bench.frames(10 * GST_SECOND, 13 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(10, 12.5), seconds(10, 13)}));
  EXPECT_EQ(partial_flags(bench), (std::vector<bool>{true, true}));
  EXPECT_EQ(bench.out().buffers().size(), 55u);
}

// A step back that is smaller than a sampling interval, as where recordings were joined, ends no
// window and changes nothing: what is told twice is looked at once.
TEST_F(Timeline, ASmallStepBackChangesNothing) {
  for (const GstClockTime step : {40 * GST_MSECOND, 900 * GST_MSECOND}) {
    Seen seen;
    Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
    bench.play();
    bench.frames(0, 2500 * GST_MSECOND);
    for (GstClockTime pts = 2500 * GST_MSECOND - step; pts < 2500 * GST_MSECOND;
         pts += 100 * GST_MSECOND) {
      bench.frame(pts, 0xffffff);
    }
    bench.frames(2500 * GST_MSECOND, 8 * GST_SECOND);
    bench.eos();
    EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 4), seconds(4, 8)}));
    EXPECT_EQ(seen.windows,
              (std::vector<Colours>{{0, 1000, 2000, 3000}, {4000, 5000, 6000, 7000}}));
  }
}

// Steps back that are small each, but not together, are a jump.
TEST_F(Timeline, SmallStepsBackAddUp) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  bench.play();
  bench.frames(10 * GST_SECOND, 12 * GST_SECOND);
  for (int i = 1; i <= 4; ++i) bench.frame(11900 * GST_MSECOND - i * 400 * GST_MSECOND);
  bench.frames(10400 * GST_MSECOND, 13 * GST_SECOND);
  bench.eos();
  const auto ranges = windows(bench);
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0], seconds(10, 12));
  EXPECT_GT(ranges[1].start, 10 * GST_SECOND);
  EXPECT_LT(ranges[1].start, 11 * GST_SECOND);
}

// What is seen at the end of one grid and again in the next, behind a step back, is one hit.
TEST_F(Timeline, HitsOfGridsThatOverlapAreOne) {
  scripted::answer_with([](const Query&, const SeenWindow& window) {
    return window.frames.front() == 0 ? "0.5-1" : "0-0.5";
  });
  Bench bench({{"window-duration", "20000000000"}, {"window-stride", "20000000000"}});
  bench.play();
  bench.frames(0, 10 * GST_SECOND);
  bench.frames(8 * GST_SECOND, 16 * GST_SECOND);
  bench.eos();
  std::vector<const GstStructure*> final;
  for (const GstStructure* s : bench.structures("vidi/result")) {
    if (flag(s, "final")) final.push_back(s);
  }
  ASSERT_EQ(final.size(), 1u);
  EXPECT_EQ(number(final[0], "timestamp"), 5 * GST_SECOND);
  EXPECT_EQ(number(final[0], "duration"), 7 * GST_SECOND);
}

// A file's buffers without a PTS pass and are not looked at; that is said once.
TEST_F(Timeline, MissingPtsPasses) {
  Seen seen;
  Bench bench;
  bench.play();
  for (int i = 0; i < 4; ++i) {
    bench.frame(i * GST_SECOND / 2, 0x010101);
    bench.frame(GST_CLOCK_TIME_NONE, 0xffffff);
  }
  bench.eos();
  EXPECT_EQ(bench.out().buffers().size(), 8u);
  ASSERT_EQ(warnings(bench).size(), 1u);
  EXPECT_NE(warnings(bench)[0].find("PTS"), std::string::npos);
  ASSERT_EQ(seen.windows.size(), 1u);
  EXPECT_EQ(seen.windows[0], (Colours{0x010101, 0x010101}));
}

// ---- Segments ----

GstSegment segment_of(GstClockTime start, GstClockTime time, GstClockTime base) {
  GstSegment segment = time_segment(start);
  segment.time = time;
  segment.base = base;
  return segment;
}

// A result's times are those of the segment that its frames had, also when another has come since.
TEST_F(Timeline, ResultsHaveTheSegmentOfTheirFrames) {
  scripted::hold(scripted::Step::kAsk);
  scripted::answer_with("0.5-1");
  Bench bench;
  EXPECT_TRUE(bench.to(GST_STATE_PLAYING));
  const GstSegment first = segment_of(10 * GST_SECOND, 100 * GST_SECOND, 0);
  const GstSegment second = segment_of(50 * GST_SECOND, 5 * GST_SECOND, 2 * GST_SECOND);
  bench.in().start(kSmallRgb, first);
  bench.frames(10 * GST_SECOND, 12 * GST_SECOND);
  bench.in().send(gst_event_new_segment(&second));
  bench.frames(50 * GST_SECOND, 52 * GST_SECOND);
  EXPECT_TRUE(scripted::wait_for(scripted::Step::kAsk, 1));
  scripted::release(scripted::Step::kAsk);
  bench.eos();

  const auto results = bench.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);
  const auto times = [](const GstStructure* s) {
    return std::vector<guint64>{number(s, "timestamp") / GST_SECOND,
                                number(s, "stream-time") / GST_SECOND,
                                number(s, "running-time") / GST_SECOND};
  };
  EXPECT_EQ(times(results[0]), (std::vector<guint64>{11, 101, 1}));
  EXPECT_EQ(times(results[1]), (std::vector<guint64>{51, 6, 3}));
}

// A new segment and a new stream close the window that is open, at its last frame's end.
TEST_F(Timeline, NewSegmentsAndStreamsCloseTheWindow) {
  Bench bench({{"window-duration", "10000000000"}, {"window-stride", "10000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  const GstSegment next = segment_of(2 * GST_SECOND, 0, 2 * GST_SECOND);
  bench.in().send(gst_event_new_segment(&next));
  bench.frames(2 * GST_SECOND, 4 * GST_SECOND);
  bench.in().start(kSmallRgb, next);
  bench.frames(4 * GST_SECOND, 6 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2), seconds(2, 4), seconds(4, 6)}));
}

// A segment that only says again what holds already closes nothing.
TEST_F(Timeline, TheSameSegmentAgainChangesNothing) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  GstSegment same = time_segment();
  same.position = 2 * GST_SECOND;
  bench.in().send(gst_event_new_segment(&same));
  bench.frames(2 * GST_SECOND, 4 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 4)}));
}

// Frames outside the segment pass to downstream, who clips them; they are not looked at.
TEST_F(Timeline, FramesOutsideTheSegmentAreNotWatched) {
  Seen seen;
  Bench bench;
  EXPECT_TRUE(bench.to(GST_STATE_PLAYING));
  GstSegment segment = time_segment(GST_SECOND);
  segment.stop = 3 * GST_SECOND;
  bench.in().start(kSmallRgb, segment);
  bench.frames(0, 5 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(bench.out().buffers().size(), 50u);
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(1, 3)}));
  ASSERT_EQ(seen.windows.size(), 1u);
  EXPECT_EQ(seen.windows[0], (Colours{1000, 2000}));
}

void expect_unwatched(const GstSegment& segment) {
  Bench bench;
  EXPECT_TRUE(bench.to(GST_STATE_PLAYING));
  bench.in().start(kSmallRgb, segment);
  EXPECT_EQ(bench.frames(0, 5 * GST_SECOND), GST_FLOW_OK);
  bench.eos();
  EXPECT_EQ(bench.out().buffers().size(), 50u);
  EXPECT_TRUE(windows(bench).empty());
  EXPECT_EQ(bench.structures("vidi/window-dropped").size(), 0u);
  ASSERT_EQ(warnings(bench).size(), 1u);
  EXPECT_NE(warnings(bench)[0].find("trick mode"), std::string::npos);
}

// Playback in reverse passes unwatched; that is said once.
TEST_F(Timeline, ReversePassesUnwatched) {
  GstSegment reverse = time_segment();
  reverse.rate = -1;
  reverse.stop = 10 * GST_SECOND;
  expect_unwatched(reverse);
}

// So do all trick modes.
TEST_F(Timeline, TrickModesPassUnwatched) {
  for (const GstSegmentFlags flags :
       {GST_SEGMENT_FLAG_TRICKMODE, GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS,
        GST_SEGMENT_FLAG_TRICKMODE_FORWARD_PREDICTED}) {
    GstSegment segment = time_segment();
    segment.flags = flags;
    expect_unwatched(segment);
  }
}

// Twice the speed is watched; running time is half the stream's.
TEST_F(Timeline, FastPlaybackIsWatched) {
  scripted::answer_with("0.5-1");
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  EXPECT_TRUE(bench.to(GST_STATE_PLAYING));
  GstSegment fast = time_segment();
  fast.rate = 2;
  bench.in().start(kSmallRgb, fast);
  bench.frames(0, 4 * GST_SECOND);
  bench.eos();
  ASSERT_EQ(bench.structures("vidi/result").size(), 1u);
  const GstStructure* result = bench.structures("vidi/result")[0];
  EXPECT_EQ(number(result, "timestamp"), 2 * GST_SECOND);
  EXPECT_EQ(number(result, "stream-time"), 2 * GST_SECOND);
  EXPECT_EQ(number(result, "running-time"), GST_SECOND);
}

// Timestamps and lengths that no stream has do no harm: such a frame passes unwatched, which is
// said once, and what comes behind it is watched as if it had not come.
TEST_F(Timeline, ImpossibleTimesPass) {
  Bench bench;
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  for (const guint64 pts : {guint64{1} << 63, guint64{G_MAXINT64}, G_MAXUINT64 - 1}) {
    bench.frame(pts);
    bench.in().send(gst_event_new_gap(pts, G_MAXUINT64 - 1));
  }
  GstBuffer* endless = rgb_frame(0, 16, 16, 2 * GST_SECOND, G_MAXUINT64 - 1);
  EXPECT_EQ(bench.in().push(endless), GST_FLOW_OK);
  bench.frames(2100 * GST_MSECOND, 4 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(bench.out().buffers().size(), 20u + 3 + 1 + 19);
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2), seconds(2, 4)}));
  ASSERT_EQ(warnings(bench).size(), 1u);
  EXPECT_NE(warnings(bench)[0].find("beyond any stream"), std::string::npos) << warnings(bench)[0];
}

// ---- Properties while playing ----

// A query set while playing is asked from the next window on.
TEST_F(Timeline, ANewQueryIsAskedFromTheNextWindowOn) {
  scripted::answer_with("0-0.25");
  Bench bench;
  bench.play();
  bench.frames(0, 2100 * GST_MSECOND);
  ASSERT_TRUE(bench.wait_structure("vidi/window"));
  bench.set("query", "cat");
  bench.frames(2100 * GST_MSECOND, 4 * GST_SECOND);
  bench.eos();
  const auto results = bench.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(text(results[0], "query"), "dog");
  EXPECT_EQ(text(results[1], "query"), "cat");
}

// A duration and stride set while playing hold from the next window on, without a hole between.
TEST_F(Timeline, ANewDurationHoldsFromTheNextWindowOn) {
  Bench bench;
  bench.play();
  bench.frames(0, GST_SECOND);
  bench.set("window-duration", "3000000000");
  bench.set("window-stride", "3000000000");
  bench.frames(GST_SECOND, 8 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2), seconds(2, 5), seconds(5, 8)}));
}

// passthrough=true closes the window and pauses the analysis with the model kept; false goes on.
TEST_F(Timeline, PassthroughPausesTheAnalysis) {
  Bench bench({{"window-duration", "4000000000"}, {"window-stride", "4000000000"}});
  bench.play();
  bench.frames(0, 2 * GST_SECOND);
  bench.set("passthrough", "true");
  bench.frames(2 * GST_SECOND, 6 * GST_SECOND);
  ASSERT_TRUE(bench.wait_structure("vidi/window"));
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  bench.set("passthrough", "false");
  bench.frames(6 * GST_SECOND, 8 * GST_SECOND);
  bench.eos();
  EXPECT_EQ(windows(bench), (std::vector<Range>{seconds(0, 2), seconds(6, 8)}));
  EXPECT_EQ(bench.out().buffers().size(), 80u);
  EXPECT_EQ(scripted::count(scripted::Step::kOpen), 1);
}

}  // namespace
}  // namespace vidi::test
