#include "examples/ask/subtitles.h"

#include <algorithm>
#include <cstdio>

#include "examples/common/text.h"

namespace {

// 00:01:02.500; SubRip has a comma for the point.
std::string cue_time(GstClockTime time, char point) {
  const guint64 ms = time / GST_MSECOND;
  char text[48];
  std::snprintf(text, sizeof text, "%02u:%02u:%02u%c%03u", static_cast<unsigned>(ms / 3600000),
                static_cast<unsigned>(ms / 60000 % 60), static_cast<unsigned>(ms / 1000 % 60),
                point, static_cast<unsigned>(ms % 1000));
  return text;
}

std::string span(const Hit& hit, char point) {
  return cue_time(hit.start, point) + " --> " + cue_time(hit.stop, point) + "\n";
}

// WebVTT reads < and & as markup.
std::string escaped(const std::string& text) {
  gchar* markup = g_markup_escape_text(text.c_str(), -1);
  const std::string safe = markup;
  g_free(markup);
  return safe;
}

std::vector<Hit> by_time(std::vector<Hit> hits) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return a.start < b.start; });
  return hits;
}

}  // namespace

std::string web_vtt(const std::vector<Hit>& hits) {
  std::string text = "WEBVTT\n";
  for (const Hit& hit : by_time(hits)) {
    text += '\n';
    text += span(hit, '.') + escaped(printable(hit.title())) + '\n';
  }
  return text;
}

std::string sub_rip(const std::vector<Hit>& hits) {
  std::string text;
  size_t n = 0;
  for (const Hit& hit : by_time(hits)) {
    if (n > 0) text += '\n';
    text += std::to_string(++n) + '\n';
    text += span(hit, ',') + printable(hit.title()) + '\n';
  }
  return text;
}
