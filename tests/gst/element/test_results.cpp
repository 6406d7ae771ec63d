// What is said about a window: every field, and how properties shape it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>

#include "model/session.h"
#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;
using scripted::Step;

const std::string kOverlapping = windows_of(4, 2);

struct Results : ElementTest {};

// The second of a window's first frame, see colour_of().
int first_second(const SeenWindow& window) {
  return static_cast<int>(window.frames.at(0) >> 16) - 1;
}

// Something happens in [start, stop), in seconds of the stream: each window says its part of it.
scripted::AnswerFn event_at(double start, double stop) {
  return [=](const Query&, const SeenWindow& window) -> std::string {
    const double begin = first_second(window), length = window.duration_s;
    const double from = std::max(start - begin, 0.0) / length;
    const double to = std::min(stop - begin, length) / length;
    if (from >= to) return "none";
    char text[40];
    std::snprintf(text, sizeof text, "%.4f-%.4f", from, to);
    return text;
  };
}

struct Told {
  guint64 id, start_ms, stop_ms;
  bool final;
  bool operator==(const Told&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Told& t) {
  return out << t.id << ": " << t.start_ms << "-" << t.stop_ms << (t.final ? " final" : "");
}

std::vector<Told> told(Rig& rig) {
  std::vector<Told> all;
  for (const GstStructure* s : rig.structures("vidi/result")) {
    const guint64 start = number(s, "timestamp") / GST_MSECOND;
    all.push_back({number(s, "result-id"), start, start + number(s, "duration") / GST_MSECOND,
                   flag(s, "final")});
  }
  return all;
}

// A segment from 10 s that is shown 5 s after the start and is 110 s into the film.
GstSegment odd_segment() {
  GstSegment segment = time_segment(10 * GST_SECOND);
  segment.base = 5 * GST_SECOND;
  segment.time = 110 * GST_SECOND;
  return segment;
}

// A result has these fields of these types, and no other.
TEST_F(Results, FieldsAreTheDocumentedOnes) {
  scripted::answer_with("0.25-0.50");
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/result");
  ASSERT_TRUE(s);
  const std::map<std::string, GType> expected = {
      {"schema-version", G_TYPE_UINT},   {"result-id", G_TYPE_UINT64},
      {"session-id", G_TYPE_STRING},     {"task", G_TYPE_STRING},
      {"query", G_TYPE_STRING},          {"query-id", G_TYPE_STRING},
      {"window-index", G_TYPE_UINT64},   {"timestamp", G_TYPE_UINT64},
      {"duration", G_TYPE_UINT64},       {"stream-time", G_TYPE_UINT64},
      {"running-time", G_TYPE_UINT64},   {"window-start", G_TYPE_UINT64},
      {"window-stop", G_TYPE_UINT64},    {"relative-start", G_TYPE_DOUBLE},
      {"relative-stop", G_TYPE_DOUBLE},  {"confidence", G_TYPE_DOUBLE},
      {"source", G_TYPE_STRING},         {"text", G_TYPE_STRING},
      {"final", G_TYPE_BOOLEAN},         {"partial-window", G_TYPE_BOOLEAN},
      {"has-audio", G_TYPE_BOOLEAN},     {"truncated", G_TYPE_BOOLEAN},
      {"frames", G_TYPE_UINT},           {"dropped-frames", G_TYPE_UINT64},
      {"inference-time", G_TYPE_UINT64}, {"delay", G_TYPE_UINT64}};
  EXPECT_EQ(types_of_fields(s), expected);
}

// For a known answer every field has the value that follows, through an odd segment.
TEST_F(Results, ValuesAreThoseOfTheAnswer) {
  scripted::answer_with("0.25-0.50");
  Rig rig({.properties = "query=\"a red cat\""});
  rig.play();
  const GstSegment segment = odd_segment();
  rig.video.send(gst_event_new_segment(&segment));
  rig.frames(10, 14);
  const GstStructure* s = rig.wait_structure("vidi/result");
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "schema-version"), 1u);
  EXPECT_EQ(number(s, "result-id"), 1u);
  EXPECT_EQ(text(s, "session-id").size(), 36u);  // a UUID
  EXPECT_EQ(text(s, "task"), "retrieval");
  EXPECT_EQ(text(s, "query"), "a red cat");
  EXPECT_EQ(text(s, "query-id"), "0");
  EXPECT_EQ(number(s, "window-index"), 0u);
  EXPECT_EQ(number(s, "timestamp"), 11 * GST_SECOND);
  EXPECT_EQ(number(s, "duration"), GST_SECOND);
  EXPECT_EQ(number(s, "stream-time"), 111 * GST_SECOND);
  EXPECT_EQ(number(s, "running-time"), 6 * GST_SECOND);
  EXPECT_EQ(number(s, "window-start"), 10 * GST_SECOND);
  EXPECT_EQ(number(s, "window-stop"), 14 * GST_SECOND);
  EXPECT_EQ(real(s, "relative-start"), 0.25);
  EXPECT_EQ(real(s, "relative-stop"), 0.5);
  EXPECT_EQ(real(s, "confidence"), 0.9);
  EXPECT_EQ(text(s, "source"), "model");
  EXPECT_EQ(text(s, "text"), "0.25-0.50");
  EXPECT_TRUE(flag(s, "final"));
  EXPECT_FALSE(flag(s, "partial-window"));
  EXPECT_FALSE(flag(s, "has-audio"));
  EXPECT_FALSE(flag(s, "truncated"));
  EXPECT_EQ(number(s, "frames"), 4u);
  EXPECT_EQ(number(s, "dropped-frames"), 0u);
}

// The message about a window has these fields and values; what the parser changed is in the notes.
TEST_F(Results, WindowSaysWhatWasAskedAndAnswered) {
  scripted::answer_with("0.50-0.25");
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  const std::map<std::string, GType> expected = {{"schema-version", G_TYPE_UINT},
                                                 {"session-id", G_TYPE_STRING},
                                                 {"window-index", G_TYPE_UINT64},
                                                 {"window-start", G_TYPE_UINT64},
                                                 {"window-stop", G_TYPE_UINT64},
                                                 {"results", G_TYPE_UINT},
                                                 {"partial-window", G_TYPE_BOOLEAN},
                                                 {"has-audio", G_TYPE_BOOLEAN},
                                                 {"frames", G_TYPE_UINT},
                                                 {"dropped-frames", G_TYPE_UINT64},
                                                 {"inference-time", G_TYPE_UINT64},
                                                 {"delay", G_TYPE_UINT64},
                                                 {"queries", GST_TYPE_ARRAY},
                                                 {"query-ids", GST_TYPE_ARRAY},
                                                 {"texts", GST_TYPE_ARRAY},
                                                 {"notes", GST_TYPE_ARRAY},
                                                 {"small-steps", G_TYPE_BOOLEAN}};
  EXPECT_EQ(types_of_fields(s), expected);
  EXPECT_EQ(number(s, "results"), 1u);
  EXPECT_EQ(texts(s, "queries"), std::vector<std::string>{"cat"});
  EXPECT_EQ(texts(s, "query-ids"), std::vector<std::string>{"0"});
  EXPECT_EQ(texts(s, "texts"), std::vector<std::string>{"0.50-0.25"});
  ASSERT_EQ(texts(s, "notes").size(), 1u);
  EXPECT_NE(texts(s, "notes")[0].find("swapped"), std::string::npos);
}

// Nothing found and nothing understood are both said.
TEST_F(Results, WindowWithoutHitsIsToldToo) {
  scripted::answer_with("a blue rabbit");
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "results"), 0u);
  EXPECT_EQ(texts(s, "texts"), std::vector<std::string>{"a blue rabbit"});
  EXPECT_EQ(texts(s, "notes").back(), "the answer was not understood");
  EXPECT_TRUE(rig.structures("vidi/result").empty());
}

// What two overlapping windows see is one result: tentative first, then final under the same id.
TEST_F(Results, OverlappingWindowsFindOneThing) {
  scripted::answer_with(event_at(1, 3));
  Rig rig({.windows = kOverlapping});
  rig.play();
  rig.frames(0, 9);
  rig.end();
  EXPECT_EQ(told(rig), (std::vector<Told>{{1, 1000, 3000, false}, {1, 1000, 3000, true}}));
}

// A hit that goes on in later windows ends as one, with its whole length.
TEST_F(Results, HitGrowsOverSeveralWindows) {
  scripted::answer_with(event_at(1, 7));
  Rig rig({.windows = kOverlapping});
  rig.play();
  rig.frames(0, 13);
  rig.end();
  EXPECT_EQ(told(rig), (std::vector<Told>{{1, 1000, 4000, false}, {1, 1000, 7000, true}}));
}

// merge-gap=NONE: every window's hit is a result of its own, and final.
TEST_F(Results, NoMergingWhenToldSo) {
  scripted::answer_with(event_at(1, 3));
  Rig rig({.properties = "query=cat merge-gap=18446744073709551615", .windows = kOverlapping});
  rig.play();
  rig.frames(0, 9);
  rig.end();
  EXPECT_EQ(told(rig), (std::vector<Told>{{1, 1000, 3000, true}, {2, 2000, 3000, true}}));
}

// merge-gap=0: only hits that touch become one.
TEST_F(Results, GapOfNothingMergesWhatTouches) {
  scripted::answer_with([](const Query&, const SeenWindow& window) {
    return first_second(window) == 0 ? "0.00-0.25, 0.75-1.00" : "0.00-0.25, 0.375-0.50";
  });
  Rig rig({.properties = "query=cat merge-gap=0"});
  rig.play();
  rig.frames(0, 7);
  rig.end();
  EXPECT_EQ(told(rig), (std::vector<Told>{{1, 0, 1000, true},
                                          {2, 3000, 4000, false},
                                          {2, 3000, 5000, true},
                                          {3, 5500, 6000, true}}));
}

// A hit below min-confidence is neither told nor counted.
TEST_F(Results, UnsureHitsAreLeftOut) {
  scripted::answer_with("0.25-0.50");
  scripted::confidence(0.4);
  Rig rig({.properties = "query=cat min-confidence=0.5"});
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "results"), 0u);
  rig.end();
  EXPECT_TRUE(told(rig).empty());
}

// A confidence that nobody knows is left out, and passes any limit.
TEST_F(Results, UnknownConfidencePasses) {
  scripted::answer_with("0.25-0.50");
  scripted::confidence(std::numeric_limits<double>::quiet_NaN());
  Rig rig({.properties = "query=cat min-confidence=0.99"});
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/result");
  ASSERT_TRUE(s);
  EXPECT_FALSE(gst_structure_has_field(s, "confidence"));
}

// `query` and `queries` are asked together, once a window, and told apart by their ids.
TEST_F(Results, AllQueriesInOneCall) {
  scripted::answer_with([](const Query& query, const SeenWindow&) {
    return query.text == "dog" ? "0.00-0.25" : query.text == "car" ? "0.50-0.75" : "none";
  });
  Rig rig({.properties = "query=cat queries=<dog,car>"});
  rig.play();
  rig.frames(0, 4);
  const GstStructure* window = rig.wait_structure("vidi/window");
  ASSERT_TRUE(window);
  EXPECT_EQ(texts(window, "queries"), (std::vector<std::string>{"cat", "dog", "car"}));
  EXPECT_EQ(scripted::count(Step::kAsk), 1);
  EXPECT_EQ(scripted::queries().size(), 3u);
  std::map<std::string, std::string> ids;
  for (const GstStructure* s : rig.structures("vidi/result")) {
    ids[text(s, "query")] = text(s, "query-id");
  }
  EXPECT_EQ(ids, (std::map<std::string, std::string>{{"dog", "1"}, {"car", "2"}}));
}

// Questions may change while playing, from the next window on.
TEST_F(Results, QueryChangesWhilePlaying) {
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 1));
  EXPECT_EQ(scripted::queries().at(0).text, "cat");
  rig.set("query", "dog");
  rig.frames(5, 8);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 2));
  EXPECT_EQ(scripted::queries().at(0).text, "dog");
}

// A model with a sentence for highlights is asked that; titles become labels.
TEST_F(Results, HighlightsOfTheModel) {
  scripted::set_info({.device = "cpu",
                      .precision = "fp32",
                      .weights = "native",
                      .keys = "native",
                      .plan = {},
                      .family = "vidi1.5",
                      .has_highlight_prompt = true,
                      .why_no_gpu = {},
                      .unused_tensors = {}});
  scripted::answer_with("0.00-0.25 a goal, 0.50-0.625 loud cheers");
  Rig rig({.properties = "task=highlight max-highlights=0"});
  rig.play();
  rig.frames(0, 4);
  rig.end();
  ASSERT_EQ(scripted::queries().size(), 1u);
  EXPECT_EQ(scripted::queries()[0].task, "highlight");
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(text(results[0], "label"), "a goal");
  EXPECT_EQ(text(results[1], "label"), "loud cheers");
  for (const GstStructure* s : results) {
    EXPECT_EQ(text(s, "source"), "model");
    EXPECT_EQ(text(s, "task"), "highlight");
  }
}

// Other models are asked the queries, and the best few answers a minute are kept.
TEST_F(Results, HighlightsOutOfQueries) {
  scripted::answer_with([](const Query& query, const SeenWindow&) {
    const char* answers[] = {"0.60-0.70", "0.40-0.50", "0.20-0.30", "0.00-0.10"};
    return answers[query.text[0] - 'a'];
  });
  Rig rig({.properties = "task=highlight queries=<a,b,c,d> max-highlights=3",
           .windows = windows_of(40)});
  rig.play();
  rig.frames(0, 39);
  rig.end();
  for (const Query& query : scripted::queries()) EXPECT_EQ(query.task, "retrieval");
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);  // three a minute: two in 40 s; equally sure, so the first two
  for (const GstStructure* s : results) {
    EXPECT_EQ(text(s, "source"), "queries");
    EXPECT_EQ(text(s, "task"), "highlight");
    EXPECT_EQ(text(s, "label"), text(s, "query"));
  }
  EXPECT_EQ(text(results[0], "label"), "d");
  EXPECT_EQ(text(results[1], "label"), "c");
}

// max-highlights=0 keeps all; without queries the moments of the built-in list are asked.
TEST_F(Results, AllHighlightsOfTheBuiltInList) {
  scripted::answer_with([n = 0](const Query&, const SeenWindow&) mutable {
    char text[20];
    std::snprintf(text, sizeof text, "%.2f-%.2f", n * 0.1, n * 0.1 + 0.05);
    ++n;
    return std::string(text);
  });
  Rig rig({.properties = "task=highlight max-highlights=0"});
  rig.play();
  rig.frames(0, 3);
  rig.end();
  EXPECT_GE(scripted::queries().size(), 8u);
  EXPECT_EQ(rig.structures("vidi/window").size(), 1u);
  size_t n_final = 0;
  for (const Told& t : told(rig)) n_final += t.final;
  EXPECT_GT(n_final, 3u);
}

// Sentence and length of the answer reach the engine.
TEST_F(Results, PromptAndLengthReachTheModel) {
  Rig rig({.properties = "query=cat prompt-template=\"When is {query}?\" max-new-tokens=77"});
  rig.play();
  rig.frames(0, 4);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 1));
  EXPECT_EQ(scripted::queries().at(0).prompt_template, "When is {query}?");
  EXPECT_EQ(scripted::max_new_tokens(), 77);
}

// An answer that ended by its length is marked.
TEST_F(Results, TruncatedAnswersAreMarked) {
  scripted::answer_with("0.25-0.50");
  scripted::truncate_answers(true);
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  const GstStructure* s = rig.wait_structure("vidi/result");
  ASSERT_TRUE(s);
  EXPECT_TRUE(flag(s, "truncated"));
}

struct Epoch {
  const char* caps;
  guint64 to_unix;  // seconds
};
class ClockOf : public Results, public testing::WithParamInterface<Epoch> {};

// A reference timestamp gives each hit the wall-clock time of its start.
TEST_P(ClockOf, GivesTheWallClockTime) {
  constexpr guint64 kStart = 1'800'000'000;  // 2027-01-15 08:00:00 UTC
  scripted::answer_with("0.375-0.50");
  Rig rig;
  rig.play();
  GstCaps* caps = gst_caps_from_string(GetParam().caps);
  for (guint64 k = 0; k <= 4; ++k) {
    GstBuffer* buffer = rgb_frame(colour_of(k), 16, 16, k * GST_SECOND, GST_SECOND);
    const guint64 seconds = kStart + GetParam().to_unix + k;
    gst_buffer_add_reference_timestamp_meta(buffer, caps, seconds * GST_SECOND,
                                            GST_CLOCK_TIME_NONE);
    rig.video.push(buffer);
  }
  gst_caps_unref(caps);
  const GstStructure* s = rig.wait_structure("vidi/result");
  ASSERT_TRUE(s);
  GstDateTime* time = nullptr;
  ASSERT_TRUE(gst_structure_get(s, "utc-time", GST_TYPE_DATE_TIME, &time, nullptr));
  GstDateTime* expected = gst_date_time_new_from_unix_epoch_utc_usecs(kStart * 1000000 + 1500000);
  gchar *found_text = gst_date_time_to_iso8601_string(time),
        *expected_text = gst_date_time_to_iso8601_string(expected);
  EXPECT_STREQ(found_text, expected_text);
  EXPECT_EQ(gst_date_time_get_microsecond(time), 500000);
  g_free(found_text), g_free(expected_text);
  gst_date_time_unref(time), gst_date_time_unref(expected);
}
INSTANTIATE_TEST_SUITE_P(Epochs, ClockOf,
                         testing::Values(Epoch{"timestamp/x-ntp", 2208988800},
                                         Epoch{"timestamp/x-unix", 0}));

// `stats` counts what happened.
TEST_F(Results, StatsCount) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 10);
  rig.frames(0, 9);
  rig.end();
  EXPECT_EQ(rig.stat("windows-submitted"), 3u);
  EXPECT_EQ(rig.stat("windows-completed"), 3u);
  EXPECT_EQ(rig.stat("windows-dropped"), 0u);
  EXPECT_EQ(rig.stat("windows-failed"), 0u);
  EXPECT_EQ(rig.stat("frames-in"), 10u);
  EXPECT_EQ(rig.stat("frames-sampled"), 10u);
  EXPECT_EQ(rig.stat("audio-samples"), 160000u);
  EXPECT_EQ(rig.stat("pending"), 0u);
  EXPECT_GE(rig.stat("gpu-memory"), 3000u);  // the scripted engine: 1000 and 1000 a window
  EXPECT_LE(rig.stat("inference-time-avg"), rig.stat("inference-time-max"));
  EXPECT_LE(rig.stat("delay-avg"), rig.stat("delay-max"));
}

// Pictures are looked at while their window still fills, so little is left to do at its end.
TEST_F(Results, PicturesAreSeenAhead) {
  Rig rig({.windows = "window-duration=60000000000"});
  rig.play();
  for (int second = 0; second < 5; ++second) {
    rig.frames(second, second);
    if (second > 0) {
      EXPECT_TRUE(scripted::wait_for(Step::kEncodeImages, second)) << second;
    }
  }
  EXPECT_EQ(scripted::count(Step::kEncode), 0);
  rig.end();
  EXPECT_EQ(scripted::count(Step::kEncode), 1);
  EXPECT_EQ(scripted::n_frames_seen(), 5);
}

// A window of known length is streamed while it fills: at its end all but the last pictures are
// done.
TEST_F(Results, PicturesAreStreamedAhead) {
  Rig rig({.windows = windows_of(5)});
  rig.play();
  for (int second = 0; second < 5; ++second) {
    rig.frames(second, second);
    EXPECT_TRUE(scripted::wait_for(Step::kAppend, second)) << second;
  }
  EXPECT_EQ(scripted::count(Step::kEncode), 0);
  rig.frames(5, 5);
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));
  EXPECT_EQ(scripted::last_window().frames.size(), 5u);
  EXPECT_GE(scripted::last_window().n_prepared, 4u);
  rig.end();
}

// A look ahead that fails is no failure: the window's own analysis tries again.
TEST_F(Results, AFailedLookAheadCostsNothing) {
  Rig rig({.windows = "window-duration=60000000000"});
  scripted::fail(Step::kEncodeImages, {ErrorCode::kOutOfMemory, "no room"}, 1);
  rig.play();
  rig.frames(0, 3);
  EXPECT_TRUE(scripted::wait_for(Step::kEncodeImages, 1));
  rig.end();
  EXPECT_EQ(rig.stat("windows-completed"), 1u);
  EXPECT_EQ(rig.stat("windows-failed"), 0u);
}

// What overlapping windows share is seen by the model once.
TEST_F(Results, SharedFramesAreSeenOnce) {
  Rig rig({.windows = kOverlapping});
  rig.play();
  rig.frames(0, 19);
  rig.end();
  EXPECT_GE(scripted::count(Step::kEncode), 8);
  EXPECT_EQ(scripted::n_frames_seen(), 20);
}

// A window of one picture is nothing to look at: it is dropped and said so.
TEST_F(Results, WindowOfOneFrameIsDropped) {
  Rig rig;
  rig.play();
  rig.frames(0, 4);  // the last window has one frame
  rig.end();
  const auto dropped = rig.structures("vidi/window-dropped");
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(text(dropped[0], "reason"), "too-few-frames");
  EXPECT_EQ(rig.structures("vidi/window").size(), 1u);
}

}  // namespace
}  // namespace vidi::test
