// Time that does not simply go on: gaps, jumps, segments.
#include <gst/gst.h>

#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;

struct Jumps : ElementTest {};

// ---- Gaps and jumps ----

// A GAP passes, and is no jump: the window goes on behind it, however long it is.
TEST_F(Jumps, WindowsGoOnAcrossGaps) {
  Rig rig({.windows = windows_of(20)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.video.send(gst_event_new_gap(2 * GST_SECOND, 15 * GST_SECOND));
  rig.film(17 * GST_SECOND, 20 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 20}}));
  EXPECT_EQ(rig.out().count("gap"), 1);
}

// PTS further ahead than 5 s and a stride, where upstream says that the stream is broken, end the
// window as partial; what follows is a new grid.
TEST_F(Jumps, AJumpForwardStartsANewGrid) {
  Rig rig;
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  GstBuffer* first = rgb_frame(1, 16, 16, 7300 * GST_MSECOND, 100 * GST_MSECOND);
  GST_BUFFER_FLAG_SET(first, GST_BUFFER_FLAG_DISCONT);
  rig.video.push(first);
  rig.film(7400 * GST_MSECOND, 10300 * GST_MSECOND);  // 5.3 s behind the end
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}, {7.3, 10.3}}));
  EXPECT_EQ(partial_flags(rig), (std::vector<bool>{true, true}));
}

// Less than that is a hole, and so is more where nothing says that time jumped: the window goes on
// with the picture that stands.
TEST_F(Jumps, AHoleIsNoJump) {
  for (const GstClockTime next : {6900 * GST_MSECOND, 47 * GST_SECOND}) {
    const auto seen = collect_windows();
    Rig rig;
    rig.start();
    rig.film(0, 2 * GST_SECOND);
    GstBuffer* first = rgb_frame(colour_at(next), 16, 16, next, 100 * GST_MSECOND);
    if (next < 7 * GST_SECOND) GST_BUFFER_FLAG_SET(first, GST_BUFFER_FLAG_DISCONT);
    rig.video.push(first);
    rig.film(next + 100 * GST_MSECOND, next + 1100 * GST_MSECOND);
    rig.video.eos();
    const auto ranges = windows(rig);
    ASSERT_EQ(ranges.size(), (next + 1100 * GST_MSECOND) / (4 * GST_SECOND));
    EXPECT_EQ(ranges[1], seconds(4, 8));
    EXPECT_EQ(pictures_of(seen())[0], (Colours{0, 1000, 1900, 1900}));
    EXPECT_EQ(pictures_of(seen()).back().front(), 1900u);
  }
}

// With a long stride the same hole of 5.3 s is no jump yet.
TEST_F(Jumps, TheStrideAllowsLongerHoles) {
  Rig rig({.windows = windows_of(10)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.film(7300 * GST_MSECOND, 10 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 10}}));
}

// PTS that go back end the window as partial; what follows is a new grid, and both are analysed.
TEST_F(Jumps, AJumpBackStartsANewGrid) {
  Rig rig;
  rig.start();
  rig.film(10 * GST_SECOND, 12500 * GST_MSECOND);
  rig.film(10 * GST_SECOND, 13 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{10, 12.5}, {10, 13}}));
  EXPECT_EQ(partial_flags(rig), (std::vector<bool>{true, true}));
  EXPECT_EQ(rig.out().buffers().size(), 55u);
}

// A step back that is smaller than a sampling interval, as where recordings were joined, ends no
// window and changes nothing: what is told twice is looked at once.
TEST_F(Jumps, ASmallStepBackChangesNothing) {
  for (const GstClockTime step : {40 * GST_MSECOND, 900 * GST_MSECOND}) {
    const auto seen = collect_windows();
    Rig rig;
    rig.start();
    rig.film(0, 2500 * GST_MSECOND);
    for (GstClockTime pts = 2500 * GST_MSECOND - step; pts < 2500 * GST_MSECOND;
         pts += 100 * GST_MSECOND) {
      rig.frame(pts, 0xffffff);
    }
    rig.film(2500 * GST_MSECOND, 8 * GST_SECOND);
    rig.video.eos();
    EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}}));
    EXPECT_EQ(pictures_of(seen()),
              (std::vector<Colours>{{0, 1000, 2000, 3000}, {4000, 5000, 6000, 7000}}));
  }
}

// Steps back that are small each, but not together, are a jump.
TEST_F(Jumps, SmallStepsBackAddUp) {
  Rig rig;
  rig.start();
  rig.film(10 * GST_SECOND, 12 * GST_SECOND);
  for (int i = 1; i <= 4; ++i) rig.frame(11900 * GST_MSECOND - i * 400 * GST_MSECOND);
  rig.film(10400 * GST_MSECOND, 13 * GST_SECOND);
  rig.video.eos();
  const auto ranges = windows(rig);
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0], seconds(10, 12));
  EXPECT_GT(ranges[1].start, 10 * GST_SECOND);
  EXPECT_LT(ranges[1].start, 11 * GST_SECOND);
}

// What is seen at the end of one grid and again in the next, behind a step back, is one hit.
TEST_F(Jumps, HitsOfGridsThatOverlapAreOne) {
  scripted::answer_with([](const Query&, const SeenWindow& window) {
    return window.frames.front() == 0 ? "0.5-1" : "0-0.5";
  });
  Rig rig({.windows = windows_of(20)});
  rig.start();
  rig.film(0, 10 * GST_SECOND);
  rig.film(8 * GST_SECOND, 16 * GST_SECOND);
  rig.video.eos();
  std::vector<const GstStructure*> final;
  for (const GstStructure* s : rig.structures("vidi/result")) {
    if (flag(s, "final")) final.push_back(s);
  }
  ASSERT_EQ(final.size(), 1u);
  EXPECT_EQ(number(final[0], "timestamp"), 5 * GST_SECOND);
  EXPECT_EQ(number(final[0], "duration"), 7 * GST_SECOND);
}

// A file's buffers without a PTS pass and are not looked at; that is said once.
TEST_F(Jumps, MissingPtsPasses) {
  const auto seen = collect_windows();
  Rig rig({.windows = windows_of(2)});
  rig.start();
  for (int i = 0; i < 4; ++i) {
    rig.frame(i * GST_SECOND / 2, 0x010101);
    rig.frame(GST_CLOCK_TIME_NONE, 0xffffff);
  }
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 8u);
  ASSERT_EQ(warnings(rig).size(), 1u);
  EXPECT_NE(warnings(rig)[0].find("PTS"), std::string::npos);
  ASSERT_EQ(pictures_of(seen()).size(), 1u);
  EXPECT_EQ(pictures_of(seen())[0], (Colours{0x010101, 0x010101}));
}

// ---- Segments ----

GstSegment segment_of(GstClockTime start, GstClockTime time, GstClockTime base) {
  GstSegment segment = time_segment(start);
  segment.time = time;
  segment.base = base;
  return segment;
}

// A result's times are those of the segment that its frames had, also when another has come since.
TEST_F(Jumps, ResultsHaveTheSegmentOfTheirFrames) {
  scripted::hold(scripted::Step::kAsk);
  scripted::answer_with("0.5-1");
  Rig rig({.windows = windows_of(2)});
  EXPECT_TRUE(rig.to(GST_STATE_PLAYING));
  const GstSegment first = segment_of(10 * GST_SECOND, 100 * GST_SECOND, 0);
  const GstSegment second = segment_of(50 * GST_SECOND, 5 * GST_SECOND, 2 * GST_SECOND);
  rig.video.start(first);
  rig.film(10 * GST_SECOND, 12 * GST_SECOND);
  rig.video.send(gst_event_new_segment(&second));
  rig.film(50 * GST_SECOND, 52 * GST_SECOND);
  EXPECT_TRUE(scripted::wait_for(scripted::Step::kAsk, 1));
  scripted::release(scripted::Step::kAsk);
  rig.video.eos();

  const auto results = rig.structures("vidi/result");
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
TEST_F(Jumps, NewSegmentsAndStreamsCloseTheWindow) {
  Rig rig({.windows = windows_of(10)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  const GstSegment next = segment_of(2 * GST_SECOND, 0, 2 * GST_SECOND);
  rig.video.send(gst_event_new_segment(&next));
  rig.film(2 * GST_SECOND, 4 * GST_SECOND);
  rig.video.start(next);
  rig.film(4 * GST_SECOND, 6 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}, {2, 4}, {4, 6}}));
}

// A segment that only says again what holds already closes nothing.
TEST_F(Jumps, TheSameSegmentAgainChangesNothing) {
  Rig rig;
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  GstSegment same = time_segment();
  same.position = 2 * GST_SECOND;
  rig.video.send(gst_event_new_segment(&same));
  rig.film(2 * GST_SECOND, 4 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}}));
}

// Frames outside the segment pass to downstream, who clips them; they are not looked at.
TEST_F(Jumps, FramesOutsideTheSegmentAreNotWatched) {
  const auto seen = collect_windows();
  Rig rig({.windows = windows_of(2)});
  EXPECT_TRUE(rig.to(GST_STATE_PLAYING));
  GstSegment segment = time_segment(GST_SECOND);
  segment.stop = 3 * GST_SECOND;
  rig.video.start(segment);
  rig.film(0, 5 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 50u);
  EXPECT_EQ(windows(rig), in_seconds({{1, 3}}));
  ASSERT_EQ(pictures_of(seen()).size(), 1u);
  EXPECT_EQ(pictures_of(seen())[0], (Colours{1000, 2000}));
}

void expect_unwatched(const GstSegment& segment) {
  Rig rig({.windows = windows_of(2)});
  EXPECT_TRUE(rig.to(GST_STATE_PLAYING));
  rig.video.start(segment);
  EXPECT_EQ(rig.film(0, 5 * GST_SECOND), GST_FLOW_OK);
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 50u);
  EXPECT_TRUE(windows(rig).empty());
  EXPECT_EQ(rig.structures("vidi/window-dropped").size(), 0u);
  ASSERT_EQ(warnings(rig).size(), 1u);
  EXPECT_NE(warnings(rig)[0].find("trick mode"), std::string::npos);
}

// Playback in reverse passes unwatched; that is said once.
TEST_F(Jumps, ReversePassesUnwatched) {
  GstSegment reverse = time_segment();
  reverse.rate = -1;
  reverse.stop = 10 * GST_SECOND;
  expect_unwatched(reverse);
}

// So do all trick modes.
TEST_F(Jumps, TrickModesPassUnwatched) {
  for (const GstSegmentFlags flags :
       {GST_SEGMENT_FLAG_TRICKMODE, GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS,
        GST_SEGMENT_FLAG_TRICKMODE_FORWARD_PREDICTED}) {
    GstSegment segment = time_segment();
    segment.flags = flags;
    expect_unwatched(segment);
  }
}

// Twice the speed is watched; running time is half the stream's.
TEST_F(Jumps, FastPlaybackIsWatched) {
  scripted::answer_with("0.5-1");
  Rig rig;
  EXPECT_TRUE(rig.to(GST_STATE_PLAYING));
  GstSegment fast = time_segment();
  fast.rate = 2;
  rig.video.start(fast);
  rig.film(0, 4 * GST_SECOND);
  rig.video.eos();
  ASSERT_EQ(rig.structures("vidi/result").size(), 1u);
  const GstStructure* result = rig.structures("vidi/result")[0];
  EXPECT_EQ(number(result, "timestamp"), 2 * GST_SECOND);
  EXPECT_EQ(number(result, "stream-time"), 2 * GST_SECOND);
  EXPECT_EQ(number(result, "running-time"), GST_SECOND);
}

// Timestamps and lengths that no stream has do no harm: such a frame passes unwatched, which is
// said once, and what comes behind it is watched as if it had not come.
TEST_F(Jumps, ImpossibleTimesPass) {
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  for (const guint64 pts : {guint64{1} << 63, guint64{G_MAXINT64}, G_MAXUINT64 - 1}) {
    rig.frame(pts);
    rig.video.send(gst_event_new_gap(pts, G_MAXUINT64 - 1));
  }
  GstBuffer* endless = rgb_frame(0, 16, 16, 2 * GST_SECOND, G_MAXUINT64 - 1);
  EXPECT_EQ(rig.video.push(endless), GST_FLOW_OK);
  rig.film(2100 * GST_MSECOND, 4 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 20u + 3 + 1 + 19);
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}, {2, 4}}));
  ASSERT_EQ(warnings(rig).size(), 1u);
  EXPECT_NE(warnings(rig)[0].find("beyond any stream"), std::string::npos) << warnings(rig)[0];
}

// appsrc says bytes unless it is told otherwise: pictures with time stamps are watched all the
// same, with their sound, and side pads are in time.
TEST_F(Jumps, ASegmentInBytesIsTakenForTime) {
  for (const GstFormat format : {GST_FORMAT_BYTES, GST_FORMAT_DEFAULT}) {
    prepare();
    Rig rig({.audio = true});
    rig.record("text_src");
    GstSegment segment;
    gst_segment_init(&segment, format);
    ASSERT_TRUE(rig.to(GST_STATE_PLAYING));
    rig.video.start(segment);
    rig.audio->start(segment);
    rig.sound(0, 8);
    rig.frames(0, 7);
    rig.end();
    const auto all = rig.structures("vidi/window");
    ASSERT_EQ(all.size(), 2u) << gst_format_get_name(format);
    EXPECT_EQ(number(all[1], "window-start"), 4 * GST_SECOND);
    EXPECT_TRUE(flag(all[1], "has-audio"));
  }
}

}  // namespace
}  // namespace vidi::test
