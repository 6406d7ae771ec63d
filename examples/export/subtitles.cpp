// WebVTT and SubRip: a cue for each hit.
#include <algorithm>
#include <cstdio>

#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

// 00:01:02.500; SubRip has a comma for the point.
std::string cue_time(guint64 ms, char point) {
  char text[48];
  std::snprintf(text, sizeof text, "%02u:%02u:%02u%c%03u", static_cast<unsigned>(ms / 3600000),
                static_cast<unsigned>(ms / 60000 % 60), static_cast<unsigned>(ms / 1000 % 60),
                point, static_cast<unsigned>(ms % 1000));
  return text;
}

std::string span(const Hit& hit, const FrameClock& clock, char point) {
  const guint64 start = clock.milliseconds_at(hit.start);
  const guint64 stop = std::max(clock.milliseconds_at(hit.stop), start + 1);  // no length is no cue
  return cue_time(start, point) + " --> " + cue_time(stop, point) + "\n";
}

// WebVTT reads < and & as markup.
std::string escaped(const std::string& text) {
  gchar* markup = g_markup_escape_text(text.c_str(), -1);
  const std::string safe = markup;
  g_free(markup);
  return safe;
}

}  // namespace

Written write_vtt(const Exported& exported) {
  std::string text = "WEBVTT\n";
  for (const Hit& hit : exported.hits) {
    text += '\n';
    text += span(hit, exported.clock(), '.') + escaped(printable(hit.title())) + '\n';
  }
  return {text, "", {}};
}

Written write_srt(const Exported& exported) {
  std::string text;
  size_t n = 0;
  for (const Hit& hit : exported.hits) {
    if (n > 0) text += '\n';
    text += std::to_string(++n) + '\n';
    text += span(hit, exported.clock(), ',') + printable(hit.title()) + '\n';
  }
  return {text, "", {}};
}
