#include "examples/export/clip_names.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"

namespace {

constexpr size_t kLongestTitle = 100;  // bytes; a name has 255
constexpr gunichar kJoiner = 0x200D;   // inside many an emoji

// What is no control, no sign of direction, and means nothing to a file system or a shell.
bool is_harmless(gunichar c) {
  if (c == kJoiner) return true;
  if (!g_unichar_isdefined(c) || g_unichar_iscntrl(c)) return false;
  const GUnicodeType type = g_unichar_type(c);
  if (type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
      type == G_UNICODE_PARAGRAPH_SEPARATOR || type == G_UNICODE_PRIVATE_USE)
    return false;
  return c >= 0x80 || g_unichar_isalnum(c) ||
         std::string(" -_.,()+&'").find(static_cast<char>(c)) != std::string::npos;
}

// Dots and blanks at the ends have a meaning of their own.
std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  const size_t begin = text.find_first_not_of(" .");
  return begin == std::string::npos ? "" : text.substr(begin);
}

std::string safe_title(const std::string& title) {
  const std::string text = printable(title);
  std::string safe;
  for (const char* at = text.c_str(); *at;) {
    const char* next = g_utf8_next_char(at);
    const std::string bytes(at, next);
    const std::string one = is_harmless(g_utf8_get_char(at)) ? bytes : "_";
    if (safe.size() + one.size() > kLongestTitle) break;
    safe += one;
    at = next;
  }
  safe = trimmed(safe);
  return safe.empty() ? "hit" : safe;
}

double seconds(gint64 ns) { return static_cast<double>(ns) / GST_SECOND; }

// What begins before the film's first picture begins with the clip.
double in_clip(gint64 time, gint64 base) { return seconds(std::max<gint64>(time - base, 0)); }

}  // namespace

std::string clip_name(size_t number, size_t n_all, const Hit& hit) {
  const int n_digits = n_all > 999 ? 6 : n_all > 99 ? 3 : 2;
  const guint64 s = hit.start / GST_SECOND;
  char before[32], after[48];
  std::snprintf(before, sizeof before, "%0*zu ", n_digits, number);
  std::snprintf(after, sizeof after, " %" G_GUINT64_FORMAT "-%02d-%02d", s / 3600,
                static_cast<int>(s / 60 % 60), static_cast<int>(s % 60));
  return before + safe_title(hit.title()) + after;
}

std::string clip_index(const std::string& film, const std::vector<Clip>& clips) {
  auto rows = nlohmann::ordered_json::array();
  for (const Clip& clip : clips) {
    nlohmann::ordered_json row{{"file", clip.file}};
    if (!clip.hit.query.empty()) row["query"] = clip.hit.query;
    if (!clip.hit.label.empty()) row["label"] = clip.hit.label;
    const auto start = static_cast<gint64>(clip.hit.start),
               stop = static_cast<gint64>(clip.hit.stop);
    row["start"] = seconds(start), row["stop"] = seconds(stop);
    if (clip.hit.confidence) row["confidence"] = *clip.hit.confidence;
    row["start_in_clip"] = in_clip(start, clip.base);
    row["stop_in_clip"] = in_clip(stop, clip.base);
    rows.push_back(row);
  }
  const nlohmann::ordered_json index{{"film", film}, {"clips", rows}};
  return index.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}
