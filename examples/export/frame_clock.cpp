#include "examples/export/frame_clock.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

constexpr GstClockTime kRounding = GST_MSECOND / 2 + 1000;  // of containers and of decimals
constexpr int kNtsc[] = {24, 30, 48, 60, 120};
constexpr double kNtscRounding = 0.005;  // 23.98, 29.97
constexpr double kLeast = 0.01, kMost = 1000;

std::optional<FrameRate> checked(double n, double d) {
  if (!(n >= 1 && d >= 1 && n <= G_MAXINT && d <= G_MAXINT)) return std::nullopt;
  if (n / d < kLeast || n / d > kMost) return std::nullopt;
  const int divisor = gst_util_greatest_common_divisor(static_cast<gint>(n), static_cast<gint>(d));
  return FrameRate{static_cast<int>(n) / divisor, static_cast<int>(d) / divisor};
}

bool is_whole(double value) { return value == std::floor(value); }

}  // namespace

std::optional<FrameRate> parse_frame_rate(const std::string& text) {
  gchar* end = nullptr;
  const double value = g_ascii_strtod(text.c_str(), &end);
  if (end == text.c_str()) return std::nullopt;
  if (*end == '/') {
    const char* below = end + 1;
    const double d = g_ascii_strtod(below, &end);
    if (end == below || *end || !is_whole(value) || !is_whole(d)) return std::nullopt;
    return checked(value, d);
  }
  if (*end) return std::nullopt;
  for (int nominal : kNtsc) {
    if (!is_whole(value) && std::abs(value - nominal / 1.001) < kNtscRounding)
      return FrameRate{nominal * 1000, 1001};
  }
  return is_whole(value) ? checked(value, 1) : checked(std::round(value * 1000), 1000);
}

std::string to_string(const FrameRate& rate) {
  return std::to_string(rate.n) + "/" + std::to_string(rate.d);
}

FrameClock::FrameClock(const FrameRate& rate)
    : rate_(rate), nominal_(std::max((rate.n + rate.d / 2) / std::max(rate.d, 1), 1)) {}

gint64 FrameClock::frame_at(GstClockTime time) const {
  const auto n = static_cast<guint64>(rate_.n), d = static_cast<guint64>(rate_.d);
  return static_cast<gint64>(gst_util_uint64_scale(time + kRounding, n, d * GST_SECOND));
}

GstClockTime FrameClock::time_of(gint64 frame) const {
  const auto n = static_cast<guint64>(rate_.n), d = static_cast<guint64>(rate_.d);
  return gst_util_uint64_scale_ceil(static_cast<guint64>(std::max<gint64>(frame, 0)),
                                    d * GST_SECOND, n);
}

guint64 FrameClock::milliseconds_at(GstClockTime time) const {
  const guint64 nearest = (time + GST_MSECOND / 2) / GST_MSECOND;
  if (!rate_.is_known()) return nearest;
  const gint64 frame = frame_at(time);
  const GstClockTime first = time_of(frame), next = time_of(frame + 1);
  if (nearest * GST_MSECOND < first) return (first + GST_MSECOND - 1) / GST_MSECOND;
  if (nearest * GST_MSECOND >= next && nearest > 0) return nearest - 1;
  return nearest;
}

bool FrameClock::is_drop_frame() const {
  return rate_.d == 1001 && (rate_.n == 30000 || rate_.n == 60000);
}

// Of ten minutes nine leave out their first numbers.
std::string FrameClock::time_code(gint64 frame, const std::string& colon) const {
  gint64 number = frame;
  if (const gint64 dropped = dropped_a_minute()) {
    const gint64 a_minute = gint64{60} * nominal_ - dropped;
    const gint64 ten_minutes = 10 * a_minute + dropped;
    const gint64 tens = frame / ten_minutes, rest = frame % ten_minutes;
    number += 9 * dropped * tens;
    if (rest >= dropped) number += dropped * ((rest - dropped) / a_minute);
  }
  const gint64 seconds = number / nominal_;
  char hours[16], minutes[16], second[16], frames[16];
  std::snprintf(hours, sizeof hours, "%02d", static_cast<int>(seconds / 3600 % 24));
  std::snprintf(minutes, sizeof minutes, "%02d", static_cast<int>(seconds / 60 % 60));
  std::snprintf(second, sizeof second, "%02d", static_cast<int>(seconds % 60));
  std::snprintf(frames, sizeof frames, "%02d", static_cast<int>(number % nominal_));
  const std::string last = is_drop_frame() ? ";" : ":";
  return hours + colon + minutes + colon + second + last + frames;
}

std::optional<gint64> FrameClock::frame_of(const std::string& time_code) const {
  int h = 0, m = 0, s = 0, f = 0, n_read = 0;
  char last = 0;
  if (std::sscanf(time_code.c_str(), "%2d:%2d:%2d%c%3d%n", &h, &m, &s, &last, &f, &n_read) != 5 ||
      static_cast<size_t>(n_read) != time_code.size())
    return std::nullopt;
  const bool in_range = h >= 0 && h < 24 && m >= 0 && m < 60 && s >= 0 && s < 60 && f >= 0 &&
                        f < nominal_ && (last == ':' || (last == ';' && is_drop_frame()));
  if (!in_range) return std::nullopt;
  const gint64 dropped = dropped_a_minute(), minutes = gint64{60} * h + m;
  if (m % 10 != 0 && s == 0 && f < dropped) return std::nullopt;  // left out
  return (minutes * 60 + s) * nominal_ + f - dropped * (minutes - minutes / 10);
}
