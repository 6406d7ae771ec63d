// Structures as lines of JSON, and titles of hits.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/hit_rig.h"

namespace vidi {
namespace {

using JsonLines = Events;

// JSON keeps the structure's order with the type in front, integers whole, and lists in lists.
TEST_F(JsonLines, JsonOfEveryType) {
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
TEST_F(JsonLines, JsonOfOddValues) {
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
TEST_F(JsonLines, JsonTimeZones) {
  GstDateTime* east = gst_date_time_new(5.5, 2026, 11, 21, 12, 42, 13.25);
  GstDateTime* date = gst_date_time_new_ymd(2026, 11, 21);
  const Structure s(gst_structure_new("vidi/t", "east", GST_TYPE_DATE_TIME, east, "date",
                                      GST_TYPE_DATE_TIME, date, nullptr));
  gst_date_time_unref(east);
  gst_date_time_unref(date);
  EXPECT_EQ(json_line(s.get()), "{\"type\":\"t\",\"east\":\"2026-11-21T07:12:13.250000Z\"}\n");
}

// The title of a chapter or cue is the label, else the query.
TEST_F(JsonLines, Title) {
  Hit hit = some_hit();
  EXPECT_EQ(title_of(hit), "a dog");
  hit.label = "Jump";
  EXPECT_EQ(title_of(hit), "Jump");
}

// One cue stays one cue, and nothing in it controls a terminal, whatever the query or the model
// says: line ends of every kind, escapes, C1 controls, the arrow between a cue's times.
TEST_F(JsonLines, TitleIsOneLine) {
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
TEST_F(JsonLines, JsonHasNoControls) {
  const Structure s(gst_structure_new_empty("t"));
  gst_structure_set(s.get(), "a", G_TYPE_STRING, "x\x1b\x7f\u009b\u00a0\u00e4", nullptr);
  EXPECT_EQ(json_line(s.get()), "{\"type\":\"t\",\"a\":\"x\\u001b\\u007f\\u009b\u00a0\u00e4\"}\n");
}

}  // namespace
}  // namespace vidi
