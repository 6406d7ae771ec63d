#include "examples/watch/sighting.h"

#include <nlohmann/json.hpp>

#include "examples/common/text.h"

namespace {

constexpr size_t kLongestName = 60;  // bytes of a title in a file's name

guint64 number(const GstStructure* s, const char* field, guint64 otherwise = 0) {
  guint64 value = otherwise;
  gst_structure_get_uint64(s, field, &value);
  return value;
}

std::string text(const GstStructure* s, const char* field) {
  const gchar* value = gst_structure_get_string(s, field);
  return value ? value : "";
}

std::optional<gint64> camera_clock(const GstStructure* result) {
  GstDateTime* stamp = nullptr;
  gst_structure_get(result, "utc-time", GST_TYPE_DATE_TIME, &stamp, nullptr);
  if (!stamp) return std::nullopt;
  GDateTime* time = gst_date_time_to_g_date_time(stamp);
  gst_date_time_unref(stamp);
  if (!time) return std::nullopt;
  const gint64 us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
  g_date_time_unref(time);
  return us;
}

// What has a running time was there at that time. Where that is unknown: `delay` had passed since
// the end of the window went by, when the result was sent, and the hit began before that.
gint64 arrival_clock(const GstStructure* result, gint64 now_us, GstClockTime now_running) {
  const guint64 began = number(result, "running-time");
  if (GST_CLOCK_TIME_IS_VALID(now_running) && now_running >= began)
    return now_us - static_cast<gint64>(now_running - began) / 1000;
  const auto start = static_cast<gint64>(number(result, "timestamp"));
  const auto window_stop = static_cast<gint64>(number(result, "window-stop", start));
  const auto delay = static_cast<gint64>(number(result, "delay"));
  return now_us - (delay + window_stop - start) / 1000;
}

std::string formatted(gint64 utc_us, const char* format) {
  GDateTime* time = g_date_time_new_from_unix_local(utc_us / G_USEC_PER_SEC);
  gchar* text = time ? g_date_time_format(time, format) : nullptr;
  const std::string result = text ? text : "unknown";
  g_free(text);
  if (time) g_date_time_unref(time);
  return result;
}

double seconds(const Sighting& s) { return static_cast<double>(s.stop - s.start) / GST_SECOND; }

std::string iso_utc(gint64 utc_us) {
  GDateTime* time = g_date_time_new_from_unix_utc(utc_us / G_USEC_PER_SEC);
  gchar* text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : nullptr;
  gchar* whole = g_strdup_printf("%s.%03dZ", text ? text : "unknown",
                                 static_cast<int>(utc_us % G_USEC_PER_SEC / 1000));
  const std::string result = whole;
  g_free(whole);
  g_free(text);
  if (time) g_date_time_unref(time);
  return result;
}

}  // namespace

Sighting sighting(const GstStructure* result, gint64 now_us, GstClockTime now_running) {
  Sighting s;
  s.query = text(result, "query");
  s.label = text(result, "label");
  s.session = text(result, "session-id");
  s.result_id = number(result, "result-id");
  const auto clock = camera_clock(result);
  s.by_camera = clock.has_value();
  s.utc_us = clock ? *clock : arrival_clock(result, now_us, now_running);
  s.start = number(result, "running-time");
  s.stop = s.start + number(result, "duration");
  double confidence = 0;
  if (gst_structure_get_double(result, "confidence", &confidence)) s.confidence = confidence;
  gboolean final = TRUE;
  gst_structure_get_boolean(result, "final", &final);
  s.final = final;
  return s;
}

const std::string& title_of(const Sighting& s) { return s.label.empty() ? s.query : s.label; }

// With the offset: at the end of summer time an hour comes twice.
std::string text_line(const Sighting& s) {
  const int tenth = static_cast<int>(s.utc_us % G_USEC_PER_SEC / (G_USEC_PER_SEC / 10));
  std::string line = (s.by_camera ? " " : "~") + formatted(s.utc_us, "%Y-%m-%d %H:%M:%S") + "." +
                     std::to_string(tenth) + formatted(s.utc_us, "%:z");
  gchar* rest = g_strdup_printf("  %s  %.1f s", printable(title_of(s)).c_str(), seconds(s));
  line += rest;
  g_free(rest);
  if (s.confidence)
    line += "  " + std::to_string(static_cast<int>(*s.confidence * 100 + 0.5)) + " %";
  return line + (s.final ? "\n" : "  ... (still going)\n");
}

std::string json_line(const Sighting& s) {
  nlohmann::ordered_json line;
  line["type"] = "hit";
  line["time"] = iso_utc(s.utc_us);
  line["clock"] = s.by_camera ? "camera" : "arrival";
  if (!s.query.empty()) line["query"] = s.query;
  if (!s.label.empty()) line["label"] = s.label;
  line["duration"] = seconds(s);
  if (s.confidence) line["confidence"] = *s.confidence;
  line["final"] = s.final;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string file_stem(const Sighting& s) {
  std::string name;
  for (const gchar* at = title_of(s).c_str(); *at && name.size() < kLongestName;
       at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char_validated(at, -1);
    if (static_cast<gint>(c) < 0) break;
    if (g_unichar_isalnum(c)) {
      name.append(at, static_cast<size_t>(g_utf8_next_char(at) - at));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  if (!name.empty() && name.back() == '-') name.pop_back();
  return formatted(s.utc_us, "%Y-%m-%d_%H-%M-%S") + "-" + (name.empty() ? "hit" : name);
}
