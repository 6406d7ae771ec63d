// Turns a time of the film into the frame that is on show then, and a frame into a time code: the
// one place where this is done, so that all formats name the same frame.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

struct FrameRate {
  int n = 0, d = 1;  // pictures a second, exact; 0/1: not known

  bool is_known() const { return n > 0 && d > 0; }
  bool operator==(const FrameRate&) const = default;
};

// "24000/1001", "25", "29.97": decimals of the NTSC rates are taken for the exact fractions. Empty
// when it is none, or outside of 1/100 to 1000.
std::optional<FrameRate> parse_frame_rate(const std::string& text);
std::string to_string(const FrameRate& rate);  // "24000/1001"; "25/1"

class FrameClock {
 public:
  explicit FrameClock(const FrameRate& rate);

  // The frame shown at `time`. A container that counts in milliseconds may state its beginning half
  // a millisecond early, which is the same frame.
  gint64 frame_at(GstClockTime time) const;
  GstClockTime time_of(gint64 frame) const;  // of its beginning, rounded up: it is shown then
  // The nearest millisecond to `time` that shows the same frame.
  guint64 milliseconds_at(GstClockTime time) const;

  // SMPTE ST 12-1: frames are counted, so at 23.976 the time code falls behind the clock; at 29.97
  // and 59.94 drop-frame counting leaves out numbers to keep up with it.
  bool is_drop_frame() const;
  int frames_a_second() const { return nominal_; }  // as time codes count: 24 for 24000/1001
  // `separator`: before the frames in drop-frame counting. After 24 hours it begins anew.
  std::string time_code(gint64 frame, const std::string& colon = ":") const;
  // The frame that "01:00:00:00" or "01:00:00;00" counts; empty: it is no time code of this rate.
  std::optional<gint64> frame_of(const std::string& time_code) const;

  const FrameRate& rate() const { return rate_; }

 private:
  gint64 dropped_a_minute() const { return is_drop_frame() ? nominal_ / 15 : 0; }

  FrameRate rate_;
  int nominal_;
};
