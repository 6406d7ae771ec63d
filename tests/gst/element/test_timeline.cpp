// Time: rates, windows. Pictures are chosen by PTS, and results say where they were.
#include <gst/gst.h>

#include <random>

#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

struct Timeline : ElementTest {};

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

std::string caps_of(const Stream& stream) {
  const std::string caps = "video/x-raw, format=RGB, width=16, height=16";
  return stream.framerate.empty() ? caps : caps + ", framerate=" + stream.framerate;
}

void run_stream(Rig& rig, const Stream& stream) {
  rig.start();
  for (size_t i = 0; i < stream.pts.size(); ++i) {
    GstBuffer* buffer =
        rgb_frame(static_cast<uint32_t>(i + 1) * 3, 16, 16, stream.pts[i], GST_CLOCK_TIME_NONE);
    ASSERT_EQ(rig.video.push(buffer), GST_FLOW_OK);
  }
  rig.video.eos();
}

void expect_frames_on_show(const Stream& stream, const char* rate, GstClockTime step) {
  const auto seen = collect_windows();
  Rig rig({.properties = std::string("query=cat frame-rate=") + rate,
           .windows = windows_of(4, 2),
           .video_caps = caps_of(stream)});
  run_stream(rig, stream);
  const auto ranges = windows(rig);
  ASSERT_GE(ranges.size(), 3u) << stream.name;
  ASSERT_EQ(pictures_of(seen()).size(), ranges.size()) << stream.name;
  for (size_t w = 0; w < ranges.size(); ++w) {
    EXPECT_EQ(ranges[w].start, stream.pts[0] + w * 2 * GST_SECOND) << stream.name;
    EXPECT_EQ(pictures_of(seen())[w], expected_pictures(stream.pts, ranges[w], step))
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
Colours pictures_at(const Result<double>& rate, const std::string& properties = "") {
  scripted::set_frame_rate(rate);
  const auto seen = collect_windows();
  Rig rig({.properties = "query=cat " + properties, .windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}}));
  return seen().size() == 1 ? seen()[0].frames : Colours{};
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
  EXPECT_EQ(pictures_at(2.0, "frame-rate=1/1"), (Colours{0, 1000}));
  EXPECT_EQ(pictures_at(2.0, "frame-rate=5/2"), (Colours{0, 400, 800, 1200, 1600}));
  EXPECT_EQ(pictures_at(2.0, "frame-rate=0/1"), (Colours{0, 500, 1000, 1500}));
}

// Frames that come while the model is loading are sampled at the checkpoint's rate already.
TEST_F(Timeline, TheCheckpointsFrameRateIsKnownWhileTheModelLoads) {
  scripted::set_frame_rate(2.0);
  scripted::hold(scripted::Step::kOpen);
  const auto seen = collect_windows();
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  EXPECT_EQ(rig.model_state(), "loading");
  scripted::release(scripted::Step::kOpen);
  rig.video.eos();
  EXPECT_EQ(pictures_of(seen()), (std::vector<Colours>{{0, 500, 1000, 1500}}));
}

// It is read at every start, and a property that is set in between leaves it as it is.
TEST_F(Timeline, TheCheckpointsFrameRateIsReadAtEveryStart) {
  const auto seen = collect_windows();
  Rig rig({.windows = windows_of(2)});
  for (const double rate : {2.0, 5.0}) {
    scripted::set_frame_rate(rate);
    rig.start();
    rig.set("query", "dog");
    rig.film(0, 2 * GST_SECOND);
    rig.video.eos();
    EXPECT_TRUE(rig.to(GST_STATE_READY));
  }
  ASSERT_EQ(pictures_of(seen()).size(), 2u);
  EXPECT_EQ(pictures_of(seen())[0].size(), 4u);
  EXPECT_EQ(pictures_of(seen())[1].size(), 10u);
  gint numerator = -1, denominator = -1;
  g_object_get(rig.v(), "frame-rate", &numerator, &denominator, nullptr);
  EXPECT_EQ(numerator, 0) << "the property says what the user set";
}

// A last frame of unknown length is as long as one step of the checkpoint's rate.
TEST_F(Timeline, TheLastFrameIsAsLongAsTheCheckpointsRateSays) {
  scripted::set_frame_rate(2.0);
  const Stream stream{"two a second, not told", "", {0, GST_SECOND / 2, GST_SECOND}};
  Rig rig({.windows = windows_of(8), .video_caps = caps_of(stream)});
  run_stream(rig, stream);
  EXPECT_EQ(windows(rig), in_seconds({{0, 1.5}}));
}

// Whether a window can hold two pictures is judged at the checkpoint's rate.
TEST_F(Timeline, AShortWindowIsJudgedAtTheCheckpointsRate) {
  for (const double rate : {1.0, 2.0}) {
    scripted::set_frame_rate(rate);
    Rig rig({.windows = windows_of(1)});
    rig.start();
    EXPECT_EQ(warnings(rig).size(), rate == 1 ? 1u : 0u);
  }
}

// ---- Windows ----

// Windows start a stride apart and are as long as the duration; the last ends with the last frame.
TEST_F(Timeline, WindowsFollowDurationAndStride) {
  Rig rig({.windows = windows_of(4, 3)});
  rig.start();
  rig.film(0, 9500 * GST_MSECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {3, 7}, {6, 9.5}}));
  EXPECT_EQ(partial_flags(rig), (std::vector<bool>{false, false, true}));
}

// A duration of 0 is one window over the whole stream, as long as upstream says the stream is.
TEST_F(Timeline, WholeStreamIsOneWindow) {
  scripted::answer_with("0.5-1");
  Rig rig({.windows = "window-duration=0"});
  rig.video.answer_queries([](GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION) return false;
    gst_query_set_duration(query, GST_FORMAT_TIME, 10 * GST_SECOND);
    return true;
  });
  rig.start();
  rig.film(0, 9600 * GST_MSECOND);
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 10}}));
  EXPECT_EQ(scripted::last_window().frames.size(), 10u);
  ASSERT_EQ(rig.structures("vidi/result").size(), 1u);
  EXPECT_EQ(number(rig.structures("vidi/result")[0], "timestamp"), 5 * GST_SECOND);
}

// Without a DURATION, a whole stream ends with its last frame.
TEST_F(Timeline, WholeStreamWithoutADurationEndsWithItsLastFrame) {
  Rig rig({.windows = "window-duration=0"});
  rig.start();
  rig.film(0, 9600 * GST_MSECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 9.6}}));
}

// ---- Properties while playing ----

// A query set while playing is asked from the next window on.
TEST_F(Timeline, ANewQueryIsAskedFromTheNextWindowOn) {
  scripted::answer_with("0-0.25");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2100 * GST_MSECOND);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  rig.set("query", "dog");
  rig.film(2100 * GST_MSECOND, 4 * GST_SECOND);
  rig.video.eos();
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(text(results[0], "query"), "cat");
  EXPECT_EQ(text(results[1], "query"), "dog");
}

// A duration and stride set while playing hold from the next window on, without a hole between.
TEST_F(Timeline, ANewDurationHoldsFromTheNextWindowOn) {
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, GST_SECOND);
  rig.set("window-duration", "3000000000");
  rig.set("window-stride", "3000000000");
  rig.film(GST_SECOND, 8 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}, {2, 5}, {5, 8}}));
}

// passthrough=true closes the window and pauses the analysis with the model kept; false goes on.
TEST_F(Timeline, PassthroughPausesTheAnalysis) {
  Rig rig;
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.set("passthrough", "true");
  rig.film(2 * GST_SECOND, 6 * GST_SECOND);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  rig.set("passthrough", "false");
  rig.film(6 * GST_SECOND, 8 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(windows(rig), in_seconds({{0, 2}, {6, 8}}));
  EXPECT_EQ(rig.out().buffers().size(), 80u);
  EXPECT_EQ(scripted::count(scripted::Step::kOpen), 1);
}

}  // namespace
}  // namespace vidi::test
