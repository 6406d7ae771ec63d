// vidi-export HITS NAME FILE...: hits that were found before, in the forms of other programs.
#include <gst/gst.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "examples/common/interruption.h"
#include "examples/common/output.h"
#include "examples/common/output_file.h"
#include "examples/common/places.h"
#include "examples/common/standard_streams.h"
#include "examples/common/text.h"
#include "examples/export/export_arguments.h"
#include "examples/export/film_facts.h"
#include "examples/export/hit_lines.h"

namespace {

constexpr int kOk = 0, kFailed = 1, kUsage = 2;

void note(const std::string& sentence) {
  const char* end = sentence.empty() || sentence.back() == '.' ? "" : ".";
  say_on_stderr("vidi-export", sentence + end);
}

int complain(const std::string& sentence) { return note(sentence), kFailed; }

HitLines read_hits(const std::string& file) {
  if (file == "-") return read_hit_lines(std::cin);
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed))
    return {{}, {}, "it is a folder, expected a file of hits"};
  std::ifstream lines(file, std::ios::binary);
  if (!lines) return {{}, {}, "it cannot be read"};
  return read_hit_lines(lines);
}

// What --media names, else what the hits say; empty with an error.
std::string find_film(const ExportArguments& arguments, const HitLines& lines, std::string* error) {
  if (arguments.media.empty()) return lines.film.uri;
  const std::string uri = uri_of(arguments.media, error);
  if (!error->empty()) *error = arguments.media + ": " + *error;
  return uri;
}

// None of what is read may be written.
std::string check_outputs(const ExportArguments& arguments, const std::string& uri) {
  auto outputs = arguments.wishes.file_names();
  if (!arguments.wishes.clips.folder.empty()) outputs.push_back(index_of(arguments.wishes.clips));
  std::string error = conflict(outputs, {path_of(uri), arguments.hits});
  if (error.empty() && !arguments.wishes.clips.folder.empty())
    error = prepare_clips(arguments.wishes.clips);
  for (const std::string& output : outputs) {
    if (error.empty()) error = check_writable(output);
  }
  return error;
}

const char* or_media(const ExportArguments& arguments) {
  return arguments.media.empty() ? " or --media" : "";
}

int run(const ExportArguments& arguments) {
  const HitLines lines = read_hits(arguments.hits);
  const std::string source = arguments.hits == "-" ? "stdin" : arguments.hits;
  if (!lines.error.empty()) return complain(source + ": " + lines.error);
  std::string error;
  const std::string uri = find_film(arguments, lines, &error);
  if (error.empty()) error = check_outputs(arguments, uri);
  if (!error.empty()) return complain(error);

  MediaFacts film = lines.film;
  if (!arguments.media.empty()) {
    film = {};
    error = read_facts(uri, arguments.tracks, interrupted, &film);
  }
  const std::string name = uri.empty() ? source : printable(uri);
  if (error.empty()) error = settle_rate(arguments.wishes, &film, note);
  if (!error.empty())
    return complain(name + ": " + error + (film.rate_n > 0 ? "" : or_media(arguments)));
  bool all = write_exports(arguments.wishes, film, lines.hits, {print, note});
  if (lost_output() && lost_output()->reader_left) end_without_reader();
  if (lost_output()) return complain(lost_output()->sentence);
  if (arguments.wishes.clips.folder.empty() || interrupted) return all ? kOk : kFailed;
  if (uri.empty()) return complain("clips are cut out of the film, expected --media");
  error = write_clips(uri, arguments.tracks, lines.hits, arguments.wishes.clips, interrupted, note);
  if (!error.empty()) return complain(error);
  return all ? kOk : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  expect_lost_outputs();
  std::setlocale(LC_ALL, "");
  const auto arguments = parse_export_arguments(argc, argv);
  if (!arguments) return kUsage;
  gst_init(nullptr, nullptr);
  stop_at_ctrl_c();
  return run(*arguments);
}
