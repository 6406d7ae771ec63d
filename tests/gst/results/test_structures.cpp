#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "gst/results/chapters.h"
#include "gst/results/structures.h"
#include "gst/worker/analysis.h"
#include "tests/support/fields.h"

namespace vidi {
namespace {

using namespace std::chrono_literals;
using test::flag;
using test::large_number;
using test::real;
using test::small_number;
using test::text;
using test::texts;

struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
using Structure = std::unique_ptr<GstStructure, FreeStructure>;
struct UnrefToc {
  void operator()(GstToc* toc) const { gst_toc_unref(toc); }
};
using Toc = std::unique_ptr<GstToc, UnrefToc>;

class Events : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  Events() {
    gst_segment_init(&origin_->segment, GST_FORMAT_TIME);
    origin_->session_id = "session-7";
    window_->index = 4;
    window_->start = 60s;
    window_->stop = 120s;
    window_->frames = {frame(60s), frame(61s)};
    window_->dropped_frames = 3;
    auto plan = std::make_shared<AskPlan>();
    plan->questions = {{"0", "Find: a dog", "a dog"}, {"1", "Find: a cat", "a cat"}};
    window_->plan = plan;
    window_->origin = origin_;
  }

  static std::shared_ptr<SampledFrame> frame(Time pts, std::optional<Time> utc = std::nullopt) {
    auto frame = std::make_shared<SampledFrame>();
    frame->pts = pts;
    frame->utc = utc;
    return frame;
  }

  Hit some_hit(Time start = 66s, Time stop = 72s) const {
    Hit hit;
    hit.result_id = 11;
    hit.query_id = "0";
    hit.query = "a dog";
    hit.task = "retrieval";
    hit.start = start;
    hit.stop = stop;
    hit.relative_start = 0.1;
    hit.relative_stop = 0.2;
    hit.text = "0.1-0.2";
    hit.window = window_;
    hit.inference_time = 1500ms;
    return hit;
  }

  std::shared_ptr<SegmentOrigin> origin_ = std::make_shared<SegmentOrigin>();
  std::shared_ptr<AnalysisWindow> window_ = std::make_shared<AnalysisWindow>();
};

Structure result_of(const Hit& hit, GstClockTime delay = GST_CLOCK_TIME_NONE) {
  return Structure(result_structure(hit, delay));
}

bool has(const Structure& s, const char* field) { return gst_structure_has_field(s.get(), field); }
nlohmann::json json(const Structure& s) { return nlohmann::json::parse(json_line(s.get())); }

// A result carries every field of the element's page, each in its own type.
TEST_F(Events, ResultHasEveryField) {
  window_->partial = true;
  window_->audio = {std::make_shared<SoundChunk>()};
  Hit hit = some_hit();
  hit.confidence = 0.75;
  hit.label = "Dog jumps";
  hit.final = false;
  hit.truncated = true;
  hit.from_queries = true;
  const Structure s = result_of(hit, 2 * GST_SECOND);
  EXPECT_STREQ(gst_structure_get_name(s.get()), "vidi/result");
  EXPECT_EQ(small_number(s.get(), "schema-version"), 1u);
  EXPECT_EQ(large_number(s.get(), "result-id"), 11u);
  EXPECT_EQ(text(s.get(), "session-id"), "session-7");
  EXPECT_EQ(text(s.get(), "task"), "retrieval");
  EXPECT_EQ(text(s.get(), "query"), "a dog");
  EXPECT_EQ(text(s.get(), "query-id"), "0");
  EXPECT_EQ(large_number(s.get(), "window-index"), 4u);
  EXPECT_EQ(large_number(s.get(), "timestamp"), 66 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "duration"), 6 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "stream-time"), 66 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "running-time"), 66 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "window-start"), 60 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "window-stop"), 120 * GST_SECOND);
  EXPECT_EQ(real(s.get(), "relative-start"), 0.1);
  EXPECT_EQ(real(s.get(), "relative-stop"), 0.2);
  EXPECT_EQ(real(s.get(), "confidence"), 0.75);
  EXPECT_EQ(text(s.get(), "label"), "Dog jumps");
  EXPECT_EQ(text(s.get(), "source"), "queries");
  EXPECT_EQ(text(s.get(), "text"), "0.1-0.2");
  EXPECT_FALSE(flag(s.get(), "final"));
  EXPECT_TRUE(flag(s.get(), "partial-window"));
  EXPECT_TRUE(flag(s.get(), "has-audio"));
  EXPECT_TRUE(flag(s.get(), "truncated"));
  EXPECT_EQ(small_number(s.get(), "frames"), 2u);
  EXPECT_EQ(large_number(s.get(), "dropped-frames"), 3u);
  EXPECT_EQ(large_number(s.get(), "inference-time"), 1500 * GST_MSECOND);
  EXPECT_EQ(large_number(s.get(), "delay"), 2 * GST_SECOND);
}

// What is not known is no field at all, neither 0 nor NONE.
TEST_F(Events, UnknownIsLeftOut) {
  origin_->session_id.clear();
  gst_segment_init(&origin_->segment, GST_FORMAT_UNDEFINED);
  window_->stop = kForever;
  Hit hit = some_hit();
  hit.confidence = std::numeric_limits<double>::quiet_NaN();
  const Structure s = result_of(hit);
  for (const char* field : {"confidence", "label", "utc-time", "delay", "stream-time",
                            "running-time", "session-id", "window-stop"})
    EXPECT_FALSE(has(s, field)) << field;
  EXPECT_TRUE(has(s, "window-start"));
}

// A window whose origin nobody set still becomes a structure.
TEST_F(Events, NoOrigin) {
  window_->origin = nullptr;
  const Structure s = result_of(some_hit());
  EXPECT_EQ(large_number(s.get(), "timestamp"), 66 * GST_SECOND);
  EXPECT_FALSE(has(s, "stream-time"));
}

// Stream and running time go through the segment that the frames had.
TEST_F(Events, TimesThroughSegment) {
  origin_->segment.start = 50 * GST_SECOND;
  origin_->segment.time = 5 * GST_SECOND;
  origin_->segment.base = 1000 * GST_SECOND;
  const Structure s = result_of(some_hit());
  EXPECT_EQ(large_number(s.get(), "stream-time"), 21 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "running-time"), 1016 * GST_SECOND);
}

// A hit that begins before its segment has the times of the segment's start. Behind the segment's
// stop, where a last picture stands while the sound goes on, times go on.
TEST_F(Events, HitOutsideSegment) {
  origin_->segment.start = 70 * GST_SECOND;
  origin_->segment.stop = 80 * GST_SECOND;
  origin_->segment.time = 0;
  origin_->segment.base = 9 * GST_SECOND;
  const Structure early = result_of(some_hit(66s, 72s));
  EXPECT_EQ(large_number(early.get(), "timestamp"), 66 * GST_SECOND);
  EXPECT_EQ(large_number(early.get(), "stream-time"), 0u);
  EXPECT_EQ(large_number(early.get(), "running-time"), 9 * GST_SECOND);
  const Structure late = result_of(some_hit(81s, 82s));
  EXPECT_EQ(large_number(late.get(), "stream-time"), 11 * GST_SECOND);
  EXPECT_EQ(large_number(late.get(), "running-time"), 20 * GST_SECOND);
}

// A hit in the time before the first picture, where sound was, has times before the segment's
// start; a PTS only if there is one.
TEST_F(Events, HitBeforeTheFirstPicture) {
  origin_->segment.start = GST_SECOND;  // as of a film whose edit list begins with 10 s of nothing
  origin_->segment.time = origin_->segment.base = 10 * GST_SECOND;
  window_->start = -8s, window_->stop = 52s;
  window_->first_frame = 2s;
  const Structure early = result_of(some_hit(-7s, -4s));
  EXPECT_FALSE(has(early, "timestamp"));
  EXPECT_EQ(large_number(early.get(), "duration"), 3 * GST_SECOND);
  EXPECT_EQ(large_number(early.get(), "stream-time"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(early.get(), "running-time"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(result_of(some_hit(4s, 5s)).get(), "stream-time"), 13 * GST_SECOND);
}

// The wall clock comes from the last frame at or before the hit that knows it, to the microsecond.
TEST_F(Events, UtcOfFrameBefore) {
  const Time epoch = std::chrono::seconds(1795245133);  // 2026-11-21T07:12:13Z
  window_->frames = {frame(60s, epoch - 10s), frame(65s, epoch), frame(66s), frame(67s, epoch)};
  const Structure s = result_of(some_hit(66s + 123456us + 789ns));
  EXPECT_EQ(json(s)["utc_time"], "2026-11-21T07:12:14.123456Z");
}

// Without such a frame before the hit the first one after it tells the wall clock.
TEST_F(Events, UtcOfFrameAfter) {
  const Time epoch = std::chrono::seconds(1795245133);
  window_->frames = {frame(60s), frame(68s, epoch), frame(90s, epoch + 1000s)};
  EXPECT_EQ(json(result_of(some_hit(66s, 67s)))["utc_time"], "2026-11-21T07:12:11.000000Z");
}

// A wall clock beyond what its type can count is left out; the earliest one is still a date.
TEST_F(Events, AbsurdUtc) {
  window_->frames = {frame(60s, Time::max())};
  EXPECT_FALSE(has(result_of(some_hit()), "utc-time"));
  window_->frames = {frame(60s, Time::min())};
  EXPECT_EQ(json(result_of(some_hit()))["utc_time"], "1677-09-21T00:12:49.145224Z");
}

// Bytes that are no UTF-8 are replaced, and the structure survives being written and read.
TEST_F(Events, InvalidUtf8) {
  Hit hit = some_hit();
  hit.text =
      "a\xff\xfe"
      "b \xc3\xa9";
  hit.query = "quote \" comma , brace } \n";
  const Structure s = result_of(hit);
  EXPECT_TRUE(g_utf8_validate(text(s.get(), "text").c_str(), -1, nullptr));
  EXPECT_NE(text(s.get(), "text").find("b \xc3\xa9"), std::string::npos);
  gchar* form = gst_structure_to_string(s.get());
  const Structure back(gst_structure_from_string(form, nullptr));
  g_free(form);
  ASSERT_TRUE(back);
  EXPECT_EQ(text(back.get(), "query"), hit.query);
  EXPECT_EQ(large_number(back.get(), "timestamp"), 66 * GST_SECOND);
}

// An answer with a zero byte in it ends neither the event nor the program.
TEST_F(Events, ZeroByteInText) {
  Hit hit = some_hit();
  hit.text = std::string("a\0b", 3);
  EXPECT_EQ(text(result_of(hit).get(), "text").front(), 'a');
}

// An analysed window lists its questions, raw answers and what the parser did to them.
TEST_F(Events, WindowWithAnswers) {
  Analysis analysis;
  analysis.window = window_;
  analysis.inference_time = 3s;
  analysis.answers.resize(2);
  analysis.answers[0].text = "0.9-0.1";
  analysis.answers[0].parsed.notes = {"swapped 0.9-0.1", "joined two"};
  analysis.answers[1].text = "what?";
  analysis.answers[1].parsed.understood = false;
  const Structure s(window_structure(*window_, &analysis, 1, GST_SECOND, nullptr));
  EXPECT_STREQ(gst_structure_get_name(s.get()), "vidi/window");
  EXPECT_EQ(small_number(s.get(), "schema-version"), 1u);
  EXPECT_EQ(text(s.get(), "session-id"), "session-7");
  EXPECT_EQ(large_number(s.get(), "window-index"), 4u);
  EXPECT_EQ(large_number(s.get(), "window-start"), 60 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "window-stop"), 120 * GST_SECOND);
  EXPECT_EQ(small_number(s.get(), "results"), 1u);
  EXPECT_EQ(small_number(s.get(), "frames"), 2u);
  EXPECT_EQ(large_number(s.get(), "dropped-frames"), 3u);
  EXPECT_FALSE(flag(s.get(), "partial-window"));
  EXPECT_FALSE(flag(s.get(), "has-audio"));
  EXPECT_FALSE(flag(s.get(), "small-steps"));
  EXPECT_EQ(large_number(s.get(), "inference-time"), 3 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay"), GST_SECOND);
  EXPECT_EQ(texts(s.get(), "queries"), (std::vector<std::string>{"a dog", "a cat"}));
  EXPECT_EQ(texts(s.get(), "query-ids").size(), 2u);
  EXPECT_EQ(texts(s.get(), "texts"), (std::vector<std::string>{"0.9-0.1", "what?"}));
  EXPECT_EQ(texts(s.get(), "notes"),
            (std::vector<std::string>{"a dog: swapped 0.9-0.1", "a dog: joined two",
                                      "a cat: the answer was not understood"}));
  EXPECT_FALSE(has(s, "error"));
}

// Behind a gate a window says whether it was passed by, and how like the last analysed one it is;
// one that was passed by has no answers.
TEST_F(Events, WindowBehindAGate) {
  Analysis analysis;
  analysis.window = window_;
  analysis.answers.resize(2);
  analysis.gate = GateReading{true, 0.25};
  const Structure open(window_structure(*window_, &analysis, 0, GST_SECOND, nullptr));
  EXPECT_FALSE(flag(open.get(), "gated"));
  EXPECT_EQ(real(open.get(), "similarity"), 0.25);
  const Structure closed(gated_structure(*window_, {false, 0.75}, GST_SECOND));
  EXPECT_STREQ(gst_structure_get_name(closed.get()), "vidi/window");
  EXPECT_TRUE(flag(closed.get(), "gated"));
  EXPECT_EQ(real(closed.get(), "similarity"), 0.75);
  EXPECT_EQ(large_number(closed.get(), "window-start"), 60 * GST_SECOND);
  EXPECT_EQ(large_number(closed.get(), "delay"), GST_SECOND);
  EXPECT_EQ(small_number(closed.get(), "results"), 0u);
  EXPECT_EQ(texts(closed.get(), "query-ids").size(), 2u);
  for (const char* field : {"texts", "notes", "inference-time", "small-steps", "error"})
    EXPECT_FALSE(has(closed, field)) << field;
  const Structure standing(gated_structure(*window_, {false, std::nullopt}, GST_SECOND));
  EXPECT_FALSE(has(standing, "similarity"));
}

// A failed window says why, and has neither answers nor an inference time.
TEST_F(Events, WindowThatFailed) {
  window_->plan = nullptr;
  const Structure s(window_structure(*window_, nullptr, 0, GST_CLOCK_TIME_NONE, "no \xff memory"));
  EXPECT_EQ(text(s.get(), "error"), "no \xef\xbf\xbd memory");
  EXPECT_EQ(small_number(s.get(), "results"), 0u);
  for (const char* field : {"texts", "notes", "inference-time", "delay"})
    EXPECT_FALSE(has(s, field)) << field;
}

// A dropped window tells which one, why, and how many there were.
TEST_F(Events, WindowDropped) {
  Counters counters;
  counters.dropped = {2, 1, 1, 0, 1, 0};
  counters.windows_submitted = 9;
  const Structure s(dropped_structure(*window_, DropReason::kOverload, "", counters));
  EXPECT_EQ(json_line(s.get()),
            R"({"type":"window-dropped","schema_version":1,"session_id":"session-7",)"
            R"("window_index":4,"window_start":60000000000,"window_stop":120000000000,)"
            R"("reason":"overload","frames":2,"windows_dropped":5,"windows_submitted":9})"
            "\n");
}

// The model's structure tells its state, and where it runs once that is known.
TEST_F(Events, Model) {
  ModelInfo info;
  info.device = "cuda:0";
  info.precision = "fp16";
  info.family = "vidi1.5";
  info.weight_bytes = 20'000'000'000;
  info.load_seconds = 1.5;
  const Structure ready(
      model_structure(ModelState::kReady, "s", "/models/v", &info, 21'000'000'000, nullptr));
  EXPECT_EQ(json_line(ready.get()),
            R"({"type":"model","schema_version":1,"session_id":"s","state":"ready",)"
            R"("model_path":"/models/v","device":"cuda:0","precision":"fp16","family":"vidi1.5",)"
            R"("weight_bytes":20000000000,"device_memory":21000000000,"load_time":1500000000})"
            "\n");
  const Structure failed(
      model_structure(ModelState::kFailed, "s", "/models/v", nullptr, 0, "no such folder"));
  EXPECT_EQ(json_line(failed.get()),
            R"({"type":"model","schema_version":1,"session_id":"s","state":"failed",)"
            R"("model_path":"/models/v","error":"no such folder"})"
            "\n");
  for (auto [state, nick] :
       {std::pair{ModelState::kUnloaded, "unloaded"}, std::pair{ModelState::kLoading, "loading"}})
    EXPECT_EQ(text(Structure(model_structure(state, "", "", nullptr, 0, nullptr)).get(), "state"),
              nick);
}

// Where the CPU was taken for want of a GPU, the model and `stats` say why; so they do where a
// smaller form was.
TEST_F(Events, WhyNoGpu) {
  ModelInfo info;
  info.device = "cpu", info.why_no_gpu = "there is no CUDA device";
  const Structure model(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_EQ(text(model.get(), "why-no-gpu"), "there is no CUDA device");
  Counters counters;
  EXPECT_FALSE(has(Structure(stats_structure(counters)), "device"));
  counters.device = "cpu", counters.why_no_gpu = info.why_no_gpu;
  const Structure stats(stats_structure(counters));
  EXPECT_EQ(text(stats.get(), "device"), "cpu");
  EXPECT_EQ(text(stats.get(), "why-no-gpu"), "there is no CUDA device");
  EXPECT_FALSE(has(stats, "plan"));
  counters.plan = "int8 keys: 3.1 GB were missing";
  EXPECT_EQ(text(Structure(stats_structure(counters)).get(), "plan"), counters.plan);
}

// Where a GPU does without the engine's own kernels, the model says why.
TEST_F(Events, WhyNoKernels) {
  ModelInfo info;
  info.device = "cuda:0";
  const Structure without(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_FALSE(has(without, "why-no-kernels"));
  info.why_no_kernels = "this build has none";
  const Structure model(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_EQ(text(model.get(), "why-no-kernels"), "this build has none");
}

// A load time that is no number does no harm.
TEST_F(Events, ModelWithAbsurdLoadTime) {
  for (double seconds : {std::nan(""), HUGE_VAL, -1.0, 1e300}) {
    ModelInfo info;
    info.load_seconds = seconds;
    const Structure s(model_structure(ModelState::kReady, "s", "p", &info, -5, nullptr));
    EXPECT_FALSE(has(s, "load-time")) << seconds;
    EXPECT_EQ(large_number(s.get(), "device-memory"), 0u);
  }
}

// Statistics have no times while nothing is completed, and averages afterwards.
TEST_F(Events, Stats) {
  Counters counters;
  const Structure empty(stats_structure(counters));
  EXPECT_EQ(large_number(empty.get(), "windows-completed"), 0u);
  for (const char* field : {"inference-time-last", "inference-time-avg", "inference-time-max",
                            "delay-last", "delay-avg", "delay-max", "realtime-factor"})
    EXPECT_FALSE(has(empty, field)) << field;
  counters.windows_completed = 4;
  counters.windows_gated = 9;
  counters.inference_sum = 8s;
  counters.inference_last = 1s;
  counters.inference_max = 5s;
  counters.delay_sum = 12s;
  counters.delay_last = 2s;
  counters.delay_max = 6s;
  counters.analysed = 120s;
  counters.device_bytes = 77;
  const Structure s(stats_structure(counters));
  EXPECT_STREQ(gst_structure_get_name(s.get()), "vidi/stats");
  EXPECT_EQ(large_number(s.get(), "inference-time-avg"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "inference-time-last"), 1 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "inference-time-max"), 5 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-avg"), 3 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-last"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-max"), 6 * GST_SECOND);
  EXPECT_EQ(real(s.get(), "realtime-factor"), 15);
  EXPECT_EQ(large_number(s.get(), "gpu-memory"), 77u);
  EXPECT_EQ(large_number(s.get(), "windows-gated"), 9u);
}

// JSON keeps the structure's order with the type in front, integers whole, and lists in lists.
TEST_F(Events, JsonOfEveryType) {
  const Structure s(gst_structure_from_string(
      "vidi/test, b-b=(uint)4294967295, a-a=(int)-3, u=(guint64)18446744073709551615,"
      " i=(gint64)-9223372036854775808, d=(double)0.5, f=(boolean)true, t=(string)\"x\\\"y\","
      " l=<(int)1, <(int)2, \"z\">>, v={ (int)5 }, r=(fraction)30/1;",
      nullptr));
  ASSERT_TRUE(s);
  const Structure inner(gst_structure_new("inner", "deep-er", G_TYPE_INT, 1, nullptr));
  gst_structure_set(s.get(), "s", GST_TYPE_STRUCTURE, inner.get(), nullptr);
  EXPECT_EQ(json_line(s.get()),
            R"({"type":"test","b_b":4294967295,"a_a":-3,"u":18446744073709551615,)"
            R"("i":-9223372036854775808,"d":0.5,"f":true,"t":"x\"y","l":[1,[2,"z"]],"v":[5],)"
            R"("r":"30/1","s":{"deep_er":1}})"
            "\n");
}

// What JSON has no form for is left out; invalid UTF-8 is replaced; a line stays one line.
TEST_F(Events, JsonOfOddValues) {
  const Structure s(gst_structure_new("other", "inf", G_TYPE_DOUBLE, HUGE_VAL, "nan", G_TYPE_DOUBLE,
                                      std::nan(""), "null", G_TYPE_STRING, nullptr, "pointer",
                                      G_TYPE_POINTER, nullptr, "line", G_TYPE_STRING, "a\nb",
                                      nullptr));
  GValue bad = G_VALUE_INIT;  // gst_structure_set refuses such a string, a GValue may hold one
  g_value_init(&bad, GST_TYPE_ARRAY);
  GValue item = G_VALUE_INIT;
  g_value_init(&item, G_TYPE_STRING);
  g_value_set_string(&item, "\xff");
  gst_value_array_append_and_take_value(&bad, &item);
  gst_structure_take_value(s.get(), "bad", &bad);
  EXPECT_EQ(json_line(s.get()),
            "{\"type\":\"other\",\"line\":\"a\\nb\",\"bad\":[\"\xef\xbf\xbd\"]}\n");
}

// A time of another zone is written in UTC; a bare date has no time and is left out.
TEST_F(Events, JsonTimeZones) {
  GstDateTime* east = gst_date_time_new(5.5, 2026, 11, 21, 12, 42, 13.25);
  GstDateTime* date = gst_date_time_new_ymd(2026, 11, 21);
  const Structure s(gst_structure_new("vidi/t", "east", GST_TYPE_DATE_TIME, east, "date",
                                      GST_TYPE_DATE_TIME, date, nullptr));
  gst_date_time_unref(east);
  gst_date_time_unref(date);
  EXPECT_EQ(json_line(s.get()), "{\"type\":\"t\",\"east\":\"2026-11-21T07:12:13.250000Z\"}\n");
}

// The title of a chapter or cue is the label, else the query.
TEST_F(Events, Title) {
  Hit hit = some_hit();
  EXPECT_EQ(title_of(hit), "a dog");
  hit.label = "Jump";
  EXPECT_EQ(title_of(hit), "Jump");
}

// One cue stays one cue, and nothing in it controls a terminal, whatever the query or the model
// says: line ends of every kind, escapes, C1 controls, the arrow between a cue's times.
TEST_F(Events, TitleIsOneLine) {
  Hit hit = some_hit();
  hit.label =
      "a\r\nb\n\nc\td\x1b[0me\x7f"
      "f\u009bg\u2028h\u2029i";
  EXPECT_EQ(title_of(hit), "a  b  c d [0me f g h i");
  hit.label = "x\r\r00:00:00.000 --> 00:01:00.000\rINJECTED -->-->";
  EXPECT_EQ(title_of(hit), "x  00:00:00.000 \u2192 00:01:00.000 INJECTED \u2192\u2192");
  hit.label = "--\xff->";
  EXPECT_EQ(title_of(hit).find("-->"), std::string::npos);
}

// C0, DEL and C1 are escaped in JSON; all other text is as it was.
TEST_F(Events, JsonHasNoControls) {
  const Structure s(gst_structure_new_empty("t"));
  gst_structure_set(s.get(), "a", G_TYPE_STRING, "x\x1b\x7f\u009b\u00a0\u00e4", nullptr);
  EXPECT_EQ(json_line(s.get()), "{\"type\":\"t\",\"a\":\"x\\u001b\\u007f\\u009b\u00a0\u00e4\"}\n");
}

std::vector<std::string> chapters(GList* entries) {
  std::vector<std::string> chapters;
  for (GList* at = entries; at; at = at->next) {
    auto* entry = static_cast<GstTocEntry*>(at->data);
    gint64 start = -1, stop = -1;
    gst_toc_entry_get_start_stop_times(entry, &start, &stop);
    gchar* title = nullptr;
    if (GstTagList* tags = gst_toc_entry_get_tags(entry))
      gst_tag_list_get_string(tags, GST_TAG_TITLE, &title);
    chapters.push_back(std::to_string(start / 1000000) + "-" + std::to_string(stop / 1000000) +
                       " " + (title ? title : "(none)"));
    g_free(title);
  }
  return chapters;
}

GList* first_edition(GstToc* toc) {
  auto* edition = static_cast<GstTocEntry*>(gst_toc_get_entries(toc)->data);
  EXPECT_EQ(gst_toc_entry_get_entry_type(edition), GST_TOC_ENTRY_TYPE_EDITION);
  return gst_toc_entry_get_sub_entries(edition);
}

GstToc* toc_of(const std::vector<Hit>& hits, GstClockTime duration) {
  std::vector<Chapter> chapters;
  for (const Hit& hit : hits) {
    if (auto chapter = chapter_of(hit)) chapters.push_back(*chapter);
  }
  return make_toc(chapters, duration);
}

// No hit, or none inside its segment, is no table of contents.
TEST_F(Events, NoToc) {
  EXPECT_EQ(make_toc({}, GST_SECOND), nullptr);
  origin_->segment.stop = 10 * GST_SECOND;
  EXPECT_EQ(toc_of({some_hit()}, GST_SECOND), nullptr);
}

// Chapters are sorted, in stream time, cut at the segment and at the stream's end.
TEST_F(Events, TocSortedAndCut) {
  origin_->segment.start = 50 * GST_SECOND;
  origin_->segment.time = 0;
  Hit cat = some_hit(40s, 55s);
  cat.result_id = 12;
  cat.label = "Cat \xff";
  const Toc toc(toc_of({some_hit(66s, 72s), cat, some_hit(51s, 52s)}, 20 * GST_SECOND));
  ASSERT_TRUE(toc);
  EXPECT_EQ(gst_toc_get_scope(toc.get()), GST_TOC_SCOPE_GLOBAL);
  EXPECT_EQ(chapters(first_edition(toc.get())),
            (std::vector<std::string>{"0-5000 Cat \xef\xbf\xbd", "1000-2000 a dog",
                                      "16000-20000 a dog"}));
}

// matroskamux (1.22) writes its chapters with the header, so the event that the element sends right
// before EOS comes too late for it; sent first, it shows that the form is the one that is kept.
GstPadProbeReturn toc_before_first_buffer(GstPad* pad, GstPadProbeInfo*, gpointer toc) {
  gst_pad_push_event(pad, gst_event_new_toc(static_cast<GstToc*>(toc), FALSE));
  return GST_PAD_PROBE_REMOVE;
}

// Runs until EOS or error; the TOC message that came by, if any.
Toc run(const std::string& line, GstToc* toc = nullptr) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  EXPECT_TRUE(pipeline && !error) << (error ? error->message : "");
  if (GstElement* filter = toc ? gst_bin_get_by_name(GST_BIN(pipeline), "here") : nullptr) {
    GstPad* pad = gst_element_get_static_pad(filter, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, toc_before_first_buffer, toc, nullptr);
    gst_object_unref(pad);
    gst_object_unref(filter);
  }
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  Toc found;
  const auto wanted = GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_TOC);
  for (bool over = false; !over;) {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, wanted);
    EXPECT_TRUE(message);
    over = !message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_TOC;
    if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_TOC) {
      GstToc* got = nullptr;
      gst_message_parse_toc(message, &got, nullptr);
      found.reset(got);
    }
    if (!message) break;
    EXPECT_NE(GST_MESSAGE_TYPE(message), GST_MESSAGE_ERROR);
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  return found;
}

bool have(std::initializer_list<const char*> elements) {
  for (const char* name : elements) {
    GstElementFactory* factory = gst_element_factory_find(name);
    if (!factory) return false;
    gst_object_unref(factory);
  }
  return true;
}

// Chapters in a Matroska file are read back with their times and titles.
TEST_F(Events, TocThroughMatroska) {
  if (!have({"videotestsrc", "jpegenc", "matroskamux", "matroskademux"})) GTEST_SKIP();
  const Toc toc(toc_of({some_hit(1s, 2s), some_hit(2500ms, 3s)}, 4 * GST_SECOND));
  gchar* path = nullptr;
  const gint file = g_file_open_tmp("vidi-XXXXXX.mkv", &path, nullptr);
  ASSERT_GE(file, 0);
  g_close(file, nullptr);
  run("videotestsrc num-buffers=40 ! video/x-raw,width=32,height=32,framerate=10/1 ! "
      "identity name=here ! jpegenc ! matroskamux ! filesink location=" +
          std::string(path),
      toc.get());
  const Toc back = run("filesrc location=" + std::string(path) + " ! matroskademux ! fakesink");
  g_remove(path);
  g_free(path);
  ASSERT_TRUE(back);
  const std::vector<std::string> read = chapters(first_edition(back.get()));
  ASSERT_EQ(read.size(), 2u);  // matroskademux (1.22) ends a chapter where the next one begins
  EXPECT_EQ(read[0].substr(0, 5) + read[0].substr(read[0].find(' ')), "1000- a dog");
  EXPECT_EQ(read[1], "2500-3000 a dog");
}

}  // namespace
}  // namespace vidi
