#include "examples/export/export_options.h"

namespace {

constexpr double kLongestMargin = 3600;  // seconds

std::string prefixed(const char* option, const std::string& wrong) {
  return wrong.empty() ? "" : option + (": " + wrong);
}

std::string read_margin(const gchar* text, ClipWishes* clips) {
  gchar* end = nullptr;
  const double seconds = g_ascii_strtod(text, &end);
  if (end == text || *end || !(seconds >= 0 && seconds <= kLongestMargin))
    return std::string("--margin: expected 0 to 3600 seconds, found ") + text;
  clips->margin = static_cast<GstClockTime>(seconds * GST_SECOND);
  return "";
}

}  // namespace

ExportOptions::~ExportOptions() {
  g_strfreev(exports_);
  for (gchar* text : {rate_, first_code_, clips_, margin_}) g_free(text);
}

std::vector<GOptionEntry> ExportOptions::entries() {
  return {{"export", 'e', 0, G_OPTION_ARG_FILENAME_ARRAY, &exports_,
           "Write the hits in one of the forms below; may be repeated. Without a file: FILM.hits "
           "and what "
           "the form ends in, in this folder; - is stdout",
           "NAME[=FILE]"},
          {"fps", 0, 0, G_OPTION_ARG_STRING, &rate_,
           "Pictures a second of the film, for forms that count frames (default: the film's own)",
           "N/D"},
          {"start-timecode", 0, 0, G_OPTION_ARG_STRING, &first_code_,
           "Of the film's first frame (default 00:00:00:00, in edl 01:00:00:00)", "HH:MM:SS:FF"},
          {"clips", 0, 0, G_OPTION_ARG_FILENAME, &clips_,
           "Cut every hit out of the film, without encoding, into this folder", "DIR"},
          {"clips-exact", 0, 0, G_OPTION_ARG_NONE, &exact_,
           "Encode the clips, so that they begin where they are to and not at the key frame before",
           nullptr},
          {"margin", 0, 0, G_OPTION_ARG_STRING, &margin_,
           "Of clips, before and after the hit (default 1)", "SECONDS"}};
}

std::string ExportOptions::read(const std::string& film, ExportWishes* wishes) const {
  for (gchar** one = exports_; one && *one; ++one) {
    ExportRequest request;
    const std::string wrong = parse_export(*one, film, &request);
    if (!wrong.empty()) return prefixed("--export", wrong);
    wishes->files.push_back(request);
  }
  std::string wrong;
  if (rate_) wrong = prefixed("--fps", parse_rate(rate_, wishes));
  if (wrong.empty() && first_code_)
    wrong = prefixed("--start-timecode", parse_first_code(first_code_, wishes));
  if (wrong.empty() && margin_) wrong = read_margin(margin_, &wishes->clips);
  if (clips_) wishes->clips.folder = clips_;
  wishes->clips.exact = exact_;
  if (wrong.empty() && clips_ && wishes->clips.folder.empty()) wrong = "--clips: expected a folder";
  if (wrong.empty() && (exact_ || margin_) && !clips_)
    wrong = "--clips-exact and --margin are about clips, expected --clips DIR";
  return wrong;
}
