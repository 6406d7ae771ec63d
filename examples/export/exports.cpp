#include "examples/export/exports.h"

#include <algorithm>
#include <cstdio>

#include "examples/common/output_file.h"
#include "examples/common/text.h"

namespace {

constexpr char kStdout[] = "-";

// "film.hits" of /films/film.mp4 and https://host/film.mp4?key=1: film.srt may be its own
// subtitles.
std::string stem_of(const std::string& film) {
  std::string name = film;
  if (gst_uri_is_valid(film.c_str())) name = film.substr(0, film.find_first_of("?#"));
  gchar* base = g_path_get_basename(name.c_str());
  std::string stem = base;
  g_free(base);
  const size_t dot = stem.rfind('.');
  if (dot != std::string::npos && dot > 0) stem.resize(dot);
  const bool is_name = stem != "/" && stem != "." && !stem.empty() && film != kStdout;
  return is_name && stem != "hits" ? stem + ".hits" : "hits";
}

std::string rate_text(const MediaFacts& film) {
  char text[48];
  std::snprintf(text, sizeof text, "%.5g", static_cast<double>(film.rate_n) / film.rate_d);
  return film.rate_d == 1 ? text : text + (" (" + to_string({film.rate_n, film.rate_d}) + ")");
}

}  // namespace

bool ExportWishes::count_frames() const {
  return std::any_of(files.begin(), files.end(), [](const ExportRequest& one) {
    return one.format->frames == Frames::kNeeded;
  });
}

bool ExportWishes::tell_frames() const {
  return std::any_of(files.begin(), files.end(),
                     [](const ExportRequest& one) { return one.format->frames != Frames::kNone; });
}

std::vector<std::string> ExportWishes::file_names() const {
  std::vector<std::string> names;
  for (const ExportRequest& one : files) {
    if (one.file != kStdout) names.push_back(one.file);
  }
  return names;
}

std::string parse_export(const std::string& text, const std::string& film, ExportRequest* request) {
  const size_t equals = text.find('=');
  request->format = format_named(text.substr(0, equals));
  if (!request->format) return "expected " + format_names() + ", found " + text.substr(0, equals);
  request->is_named = equals != std::string::npos;
  request->file =
      request->is_named ? text.substr(equals + 1) : stem_of(film) + request->format->extension;
  return request->file.empty() ? "expected a file after " + text : "";
}

std::string parse_rate(const std::string& text, ExportWishes* wishes) {
  wishes->rate = parse_frame_rate(text);
  return wishes->rate ? "" : "expected pictures a second, such as 25 or 24000/1001, found " + text;
}

std::string parse_first_code(const std::string& text, ExportWishes* wishes) {
  wishes->first_code = text;
  // Whether the rate counts such a frame is known later; of its form this much is known now.
  const bool in_form =
      FrameClock({1000, 1}).frame_of(text) || FrameClock({60000, 1001}).frame_of(text);
  return in_form ? "" : "expected a time code such as 01:00:00:00, found " + text;
}

std::string settle_rate(const ExportWishes& wishes, MediaFacts* film,
                        const std::function<void(const std::string&)>& note) {
  if (wishes.rate) {
    film->rate_n = wishes.rate->n, film->rate_d = wishes.rate->d;
  } else if (!wishes.tell_frames() || (!wishes.count_frames() && film->rate_n <= 0)) {
    return "";
  } else if (film->rate_n <= 0) {
    return "its pictures a second are not known, expected --fps";
  } else if (film->variable_rate) {
    note("its pictures come at a variable rate, frames are counted at " + rate_text(*film) +
         " a second; --fps says another");
  }
  const FrameClock clock({film->rate_n, film->rate_d});
  if (!wishes.first_code.empty() && film->rate_n > 0 && !clock.frame_of(wishes.first_code))
    return "--start-timecode: at " + rate_text(*film) + " pictures a second there is no frame " +
           wishes.first_code;
  return "";
}

bool write_exports(const ExportWishes& wishes, const MediaFacts& film, const std::vector<Hit>& hits,
                   const ExportVoice& voice) {
  const Exported exported{film, by_start(hits), wishes.first_code};
  bool all = true;
  for (const ExportRequest& one : wishes.files) {
    const Written written = one.format->write(exported);
    for (const std::string& note : written.notes)
      voice.note(std::string(one.format->name) + ": " + note);
    std::string wrong;
    if (!written.error.empty()) {
      wrong = std::string(one.format->name) + ": " + written.error;
    } else if (one.file == kStdout) {
      all &= voice.print(written.text);
    } else {
      wrong = write_file(one.file, written.text);
    }
    if (wrong.empty() && !one.is_named) voice.note("wrote " + one.file);
    if (!wrong.empty()) voice.note(wrong), all = false;
  }
  return all;
}
