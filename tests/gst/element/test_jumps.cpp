// Time that does not simply go on: gaps, jumps, segments.
#include <gst/gst.h>

#include "tests/support/rig.h"
#include "tests/support/timeline.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;

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

}  // namespace
}  // namespace vidi::test
