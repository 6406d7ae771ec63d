#include <gtest/gtest.h>

#include "examples/export/film_facts.h"
#include "examples/export/frame_clock.h"

namespace {

const FrameRate kFilm{24000, 1001}, kPal{25, 1}, kNtsc{30000, 1001}, kThirty{30, 1},
    kFast{60000, 1001};

// The beginning of a frame as containers state it, rounded down.
GstClockTime begin_of(gint64 frame, const FrameRate& rate) {
  return gst_util_uint64_scale(static_cast<guint64>(frame),
                               static_cast<guint64>(rate.d) * GST_SECOND,
                               static_cast<guint64>(rate.n));
}

// A frame's stated beginning is that frame, in nanoseconds and in milliseconds, over 24 hours.
TEST(FrameClock, FindsTheFrameOfItsBeginning) {
  for (const FrameRate& rate : {kFilm, kPal, kNtsc, kThirty, kFast}) {
    const FrameClock clock(rate);
    const gint64 a_day = clock.frame_at(24 * 3600 * GST_SECOND);
    for (gint64 frame = 0; frame < a_day; frame += 997) {
      const GstClockTime begin = begin_of(frame, rate);
      EXPECT_EQ(clock.frame_at(begin), frame);
      EXPECT_EQ(clock.frame_at((begin + GST_MSECOND / 2) / GST_MSECOND * GST_MSECOND), frame);
      EXPECT_EQ(clock.frame_at(begin + begin_of(1, rate) - GST_MSECOND), frame);
    }
  }
}

// A millisecond that stands for a time shows the same frame, also to who rounds down, and is at
// most 1.5 ms off.
TEST(FrameClock, MillisecondsShowTheSameFrame) {
  for (const FrameRate& rate : {kFilm, kPal, kNtsc, kFast}) {
    const FrameClock clock(rate);
    for (GstClockTime time = 0; time < 5000 * GST_SECOND; time += 1'234'567'891) {
      const GstClockTime said = clock.milliseconds_at(time) * GST_MSECOND;
      const auto strictly = static_cast<gint64>(gst_util_uint64_scale(
          said, static_cast<guint64>(rate.n), static_cast<guint64>(rate.d) * GST_SECOND));
      EXPECT_EQ(strictly, clock.frame_at(time)) << time;
      EXPECT_LE(said > time ? said - time : time - said, 3 * GST_MSECOND / 2);
    }
  }
  EXPECT_EQ(FrameClock({}).milliseconds_at(1'499'999), 1U);  // without a rate: the nearest
  EXPECT_EQ(FrameClock({}).milliseconds_at(1'500'000), 2U);
}

// Drop-frame numbers are those of SMPTE ST 12-1; at 23.976 every frame counts, so an hour of film
// is 3.6 s short of an hour.
TEST(FrameClock, TimeCodes) {
  const FrameClock ntsc(kNtsc), fast(kFast), film(kFilm), pal(kPal);
  EXPECT_EQ(ntsc.time_code(1799), "00:00:59;29");
  EXPECT_EQ(ntsc.time_code(1800), "00:01:00;02");
  EXPECT_EQ(ntsc.time_code(17981), "00:09:59;29");
  EXPECT_EQ(ntsc.time_code(17982), "00:10:00;00");
  EXPECT_EQ(ntsc.time_code(107892), "01:00:00;00");
  EXPECT_EQ(ntsc.time_code(107892, ";"), "01;00;00;00");
  EXPECT_EQ(fast.time_code(3599), "00:00:59;59");
  EXPECT_EQ(fast.time_code(3600), "00:01:00;04");
  EXPECT_EQ(fast.time_code(215784), "01:00:00;00");
  EXPECT_EQ(film.time_code(film.frame_at(3600 * GST_SECOND)), "00:59:56:09");
  EXPECT_EQ(pal.time_code(pal.frame_at(3600 * GST_SECOND)), "01:00:00:00");
  EXPECT_EQ(pal.time_code(gint64{25} * 24 * 3600), "00:00:00:00");
}

// Every number counts one frame, and every frame has one number.
TEST(FrameClock, TimeCodesAreReadBack) {
  for (const FrameRate& rate : {kFilm, kPal, kNtsc, kThirty, kFast}) {
    const FrameClock clock(rate);
    for (gint64 frame = 0; frame < 40000; ++frame)
      ASSERT_EQ(clock.frame_of(clock.time_code(frame)), frame) << clock.time_code(frame);
  }
  for (const char* wrong : {"", "1:2:3", "00:01:00;00", "00:00:00:30", "00:60:00:00", "24:00:00:00",
                            "00:00:00;00x", "-1:00:00:00"})
    EXPECT_FALSE(FrameClock(kNtsc).frame_of(wrong)) << wrong;
  EXPECT_FALSE(FrameClock(kPal).frame_of("00:00:00;00"));
}

// A rate is a fraction, a number, or the decimals by which the NTSC rates are known.
TEST(FrameRate, IsRead) {
  EXPECT_EQ(parse_frame_rate("24000/1001"), kFilm);
  EXPECT_EQ(parse_frame_rate("23.976"), kFilm);
  EXPECT_EQ(parse_frame_rate("29.97"), kNtsc);
  EXPECT_EQ(parse_frame_rate("59.94"), kFast);
  EXPECT_EQ(parse_frame_rate("25"), kPal);
  EXPECT_EQ(parse_frame_rate("50/2"), kPal);
  EXPECT_EQ(parse_frame_rate("12.5"), (FrameRate{25, 2}));
  for (const char* wrong :
       {"", "x", "25x", "0", "-1", "1/0", "25/", "/1", "nan", "inf", "1e9", "25.5/1"})
    EXPECT_FALSE(parse_frame_rate(wrong)) << wrong;
}

std::vector<gint64> times_at(const FrameRate& rate, int n, gint64 unit) {
  std::vector<gint64> times;
  for (int i = 0; i < n; ++i)
    times.push_back((static_cast<gint64>(begin_of(i, rate)) + unit / 2) / unit * unit);
  return times;
}

// The rate is seen in the pictures' times, also where a container counts milliseconds, where
// pictures are left out, and where a header states another rate or none.
TEST(FilmFacts, RateIsSeenInTheTimes) {
  for (const FrameRate& rate : {kFilm, kPal, kNtsc, kThirty, kFast}) {
    for (gint64 unit : {gint64{1}, gint64{GST_MSECOND}}) {
      auto times = times_at(rate, 3000, unit);
      for (const FrameRate& stated : {rate, FrameRate{}, FrameRate{50, 1}})
        EXPECT_EQ(rate_of(times, stated), rate) << to_string(rate) << " " << unit;
      times.erase(times.begin() + 100, times.begin() + 130);
      EXPECT_EQ(rate_of(times, rate), rate);
    }
  }
}

// Times that are on no grid have no rate, whatever the header says; the mean is then the nearest
// one.
TEST(FilmFacts, VariableRateIsSeen) {
  std::vector<gint64> times;
  gint64 time = 0;
  for (int i = 0; i < 600; ++i) times.push_back(time += (30 + i * 7 % 13) * GST_MSECOND);
  EXPECT_FALSE(rate_of(times, kThirty));
  EXPECT_FALSE(rate_of(times, {}));
  EXPECT_NEAR(static_cast<double>(mean_rate(times).n) / mean_rate(times).d, 1000 / 36.0, 3);
  EXPECT_FALSE(mean_rate({5}).is_known());
}

}  // namespace
