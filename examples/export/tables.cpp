// Tables for spreadsheets: CSV by RFC 4180, and the table of markers as Adobe Premiere writes it.
#include <cstdio>

#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

// A spreadsheet takes a cell that begins so for a formula and runs it, also where it is quoted:
// what a film or a model says must not. An apostrophe makes it text. (The wide forms are those of
// East Asian keyboards.)
std::string harmless(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return text;
  for (const char* sign : {"=", "+", "-", "@", "＝", "＋", "－", "＠"}) {
    if (text.compare(begin, std::string(sign).size(), sign) == 0) return "'" + text;
  }
  return text;
}

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

// `signs`: what a cell has to be quoted for.
std::string cell(const std::string& text, const char* signs = "\",;'") {
  const std::string shown = harmless(printable(text));
  return shown.find_first_of(signs) == std::string::npos ? shown : quoted(shown);
}

// Exact to the nanosecond, whatever the locale.
std::string seconds(GstClockTime ns) {
  char text[48];
  std::snprintf(text, sizeof text, "%" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT, ns / GST_SECOND,
                ns % GST_SECOND);
  return text;
}

std::string confidence_text(const Hit& hit) {
  gchar text[G_ASCII_DTOSTR_BUF_SIZE] = "";
  if (hit.confidence) g_ascii_formatd(text, sizeof text, "%.4f", *hit.confidence);
  return text;
}

std::string utf16_of(const std::string& text) {
  gsize n_bytes = 0;
  gchar* wide = g_convert(text.data(), static_cast<gssize>(text.size()), "UTF-16LE", "UTF-8",
                          nullptr, &n_bytes, nullptr);
  const std::string converted = wide ? std::string(wide, n_bytes) : "";
  g_free(wide);
  return "\xFF\xFE" + converted;
}

}  // namespace

Written write_csv(const Exported& exported) {
  const FrameClock clock = exported.clock();
  std::string text = "start,stop,confidence,query,label,start_frame,stop_frame,start_timecode\r\n";
  for (const Hit& hit : exported.hits) {
    text += seconds(hit.start) + "," + seconds(hit.stop) + "," + confidence_text(hit) + "," +
            cell(hit.query) + "," + cell(hit.label) + ",";
    if (clock.rate().is_known()) {
      const FrameRange range = frames_of(hit, clock);
      text += std::to_string(range.start) + "," + std::to_string(range.start + range.count) + "," +
              clock.time_code(exported.first_frame() + range.start);
    } else {
      text += ",,";
    }
    text += "\r\n";
  }
  return {text, "", {}};
}

// Premiere separates all parts of a drop-frame time code by semicolons.
Written write_premiere_csv(const Exported& exported) {
  const FrameClock clock = exported.clock();
  const std::string colon = clock.is_drop_frame() ? ";" : ":";
  std::string text = "Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\t\n";
  const gint64 first = exported.first_frame();
  for (const Hit& hit : exported.hits) {
    const FrameRange range = frames_of(hit, clock);
    text += cell(hit.title(), "\"") + "\t" + cell(comment_of(hit), "\"") + "\t" +
            clock.time_code(first + range.start, colon) + "\t" +
            clock.time_code(first + range.start + range.count, colon) + "\t" +
            clock.time_code(range.count, colon) + "\tComment\t\n";
  }
  return {utf16_of(text), "", {}};
}
