// What a hit says of itself, field by field.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/fields.h"
#include "tests/support/hit_rig.h"

namespace vidi {
namespace {

using test::flag;
using test::large_number;
using test::real;
using test::small_number;
using test::text;

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

}  // namespace
}  // namespace vidi
