#include "examples/export/exported.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <unordered_map>

#include "examples/common/places.h"
#include "examples/common/text.h"

std::string Exported::film_name() const {
  const std::string path = path_of(film.uri);
  const std::string text =
      printable(path.empty() ? film.uri : std::filesystem::path(path).filename().string());
  return text.empty() ? "film" : text;
}

gint64 Exported::first_frame(const std::string& usual) const {
  return clock().frame_of(first_code.empty() ? usual : first_code).value_or(0);
}

FrameRange frames_of(const Hit& hit, const FrameClock& clock) {
  const gint64 start = clock.frame_at(hit.start);
  return {start, std::max<gint64>(clock.frame_at(hit.stop) - start, 1)};
}

gint64 count_frames(const Exported& exported) {
  const FrameClock clock = exported.clock();
  gint64 n = 1;
  if (GST_CLOCK_TIME_IS_VALID(exported.film.duration))
    n = std::max(n, clock.frame_at(exported.film.duration));
  for (const Hit& hit : exported.hits) {
    const FrameRange range = frames_of(hit, clock);
    n = std::max(n, range.start + range.count);
  }
  return n;
}

std::vector<size_t> groups_of(const std::vector<Hit>& hits) {
  std::unordered_map<std::string, size_t> known;
  std::vector<size_t> groups;
  for (const Hit& hit : hits) {
    const std::string& name = hit.query.empty() ? hit.title() : hit.query;
    groups.push_back(known.try_emplace(name, known.size()).first->second);
  }
  return groups;
}

std::string comment_of(const Hit& hit) {
  std::string text = printable(hit.query.empty() ? hit.label : hit.query);
  if (hit.confidence) {
    char confidence[32];
    std::snprintf(confidence, sizeof confidence, ", confidence %.2f", *hit.confidence);
    text += confidence;
  }
  return text;
}

std::string xml_text(const std::string& text) {
  std::string safe;
  const std::string shown = printable(text);
  for (const char* at = shown.c_str(); *at;) {
    const gunichar c = g_utf8_get_char(at);
    const char* next = g_utf8_next_char(at);
    if (c != 0xFFFE && c != 0xFFFF) safe.append(at, next);
    at = next;
  }
  gchar* markup = g_markup_escape_text(safe.data(), static_cast<gssize>(safe.size()));
  const std::string escaped = markup;
  g_free(markup);
  return escaped;
}
