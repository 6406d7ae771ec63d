// vidi-ask FILE QUERY...: when is something seen or heard in a video file?
//
// run() names the steps. The pipeline is in file_pipeline.cpp; what the element says about it
// becomes hits in asker.cpp.
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "examples/ask/arguments.h"
#include "examples/ask/asker.h"
#include "examples/ask/batch.h"
#include "examples/ask/comparison.h"
#include "examples/ask/comparison_text.h"
#include "examples/ask/hit_list.h"
#include "examples/ask/page_output.h"
#include "examples/ask/reference_mode.h"
#include "examples/common/interruption.h"
#include "examples/common/output.h"
#include "examples/common/output_file.h"
#include "examples/common/places.h"
#include "examples/common/standard_streams.h"
#include "examples/common/text.h"
#include "examples/export/film_facts.h"
#include "examples/export/hit_lines.h"

namespace {

constexpr int kOk = 0, kFailed = 1, kUsage = 2;

int complain(const std::string& sentence) {
  const char* end = sentence.empty() || sentence.back() == '.' ? "" : ".";
  say_on_stderr("vidi-ask", sentence + end);
  return kFailed;
}

// Nobody reads on, or the disk is full: no use to watch on.
void say(const std::string& text) {
  if (!print(text)) interrupted = true;
}

int end_without_output() {
  if (lost_output()->reader_left) end_without_reader();
  return complain(lost_output()->sentence);
}

// The film and the model's files are read: none of them may be written.
std::string check_outputs(const Arguments& arguments, const std::string& uri,
                          const std::string& model) {
  std::vector<std::string> inputs{path_of(uri)};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(model, ignored))
    inputs.push_back(entry.path().string());
  std::vector<std::string> outputs = arguments.exports.file_names();
  if (!arguments.html.empty()) outputs.push_back(arguments.html);
  const bool cuts = !arguments.exports.clips.folder.empty();
  if (cuts) outputs.push_back(index_of(arguments.exports.clips));
  std::string error = conflict(outputs, inputs);
  if (error.empty() && cuts) error = prepare_clips(arguments.exports.clips);
  for (const std::string& output : outputs) {
    if (error.empty()) error = check_writable(output);
  }
  return error;
}

// Of a question that was refused it is not known that nothing is there.
void show_table(const Arguments& arguments, const Asker& asker) {
  std::vector<std::string> asked = arguments.queries;
  std::erase_if(asked, [&](const auto& query) { return asker.refused().contains(query); });
  if (arguments.highlights()) {
    say(table({}, asker.hits()));
  } else if (!asked.empty()) {
    say(table(asked, asker.hits()));
  }
}

// A line from stdin; empty at the end of it, after an empty line and after Ctrl-C.
std::string next_question() {
  if (isatty(STDIN_FILENO)) std::fputs("> ", stderr);
  char* line = nullptr;
  size_t capacity = 0;
  const ssize_t n = getline(&line, &capacity, stdin);
  if (n <= 0 && isatty(STDIN_FILENO)) std::fputs("\n", stderr);
  std::string text = n > 0 ? std::string(line, static_cast<size_t>(n)) : "";
  std::free(line);
  while (!text.empty() && g_ascii_isspace(text.back())) text.pop_back();
  return text;
}

void answer_more(Asker& asker, bool json) {
  if (isatty(STDIN_FILENO)) asker.bar().say("More questions? An empty line ends.");
  std::string question;
  while (!interrupted && !(question = next_question()).empty()) {
    if (!g_utf8_validate(question.data(), static_cast<gssize>(question.size()), nullptr)) {
      asker.bar().warn("vidi-ask: expected a question in UTF-8.");
      continue;
    }
    if (is_blank(question)) continue;
    const auto hits = asker.answer(question);
    if (!asker.error().empty()) return;
    if (!hits) continue;
    if (!json) say(table({question}, *hits));
    for (const Hit& hit : *hits) {
      if (json) say(json_line(hit));
    }
  }
}

// Where the film and the model are.
struct Places {
  std::string uri, model;
};

// Returns an empty string, or why nothing can be asked.
std::string find(const Arguments& arguments, Places& places) {
  if (const auto error = make_element_known(); !error.empty()) return error;
  places.model = arguments.model.empty() ? demo_checkpoint() : arguments.model;
  if (places.model.empty()) return "the demo checkpoint is not here, name a folder with --model";
  if (arguments.batch.is_wanted()) return "";
  std::string error;
  places.uri = uri_of(arguments.file, &error);
  if (places.uri.empty())
    return arguments.file == "-" ? error : printable(arguments.file) + ": " + error;
  return check_outputs(arguments, places.uri, places.model);  // now, not after an hour of work
}

// The film itself, as exports and --json name it. A file is looked into before the work, so that
// what is missing is said then; of anything else the pipeline knows something after it.
class Film {
 public:
  // Returns an empty string, or why the exports cannot be made.
  std::string look(const Arguments& arguments, const std::string& uri);
  std::string take(const Arguments& arguments, const Asker& asker);
  const MediaFacts& facts() const { return facts_; }

 private:
  std::string settle(const Arguments& arguments) {
    const std::string error = settle_rate(arguments.exports, &facts_, complain);
    return error.empty() ? "" : printable(arguments.file) + ": " + error;
  }

  MediaFacts facts_;
  bool is_known_ = false;
};

std::string Film::look(const Arguments& arguments, const std::string& uri) {
  facts_.uri = uri;
  const bool is_used =
      arguments.json || !arguments.exports.files.empty() || !arguments.html.empty();
  if (!is_used || !arguments.is_kept() || !g_str_has_prefix(uri.c_str(), "file:")) return "";
  MediaFacts found;
  const TrackWishes tracks{arguments.video_track, arguments.audio_track};
  if (!read_facts(uri, tracks, interrupted, &found).empty() || interrupted) return "";
  facts_ = found;
  is_known_ = true;
  return settle(arguments);
}

std::string Film::take(const Arguments& arguments, const Asker& asker) {
  if (is_known_) return "";
  asker.describe(&facts_);
  is_known_ = true;
  return settle(arguments);
}

// What the command line wants written of what was found. Returns an empty string, or what went
// wrong and was not said yet.
std::string export_hits(const Arguments& arguments, const Asker& asker, Film& film, bool* all) {
  *all = true;
  const ExportWishes& wishes = arguments.exports;
  std::string error = wishes.files.empty() ? "" : film.take(arguments, asker);
  if (!error.empty()) return error;
  *all = write_exports(wishes, film.facts(), asker.hits(), {print, complain});
  if (wishes.clips.folder.empty() || interrupted) return "";
  const TrackWishes tracks{arguments.video_track, arguments.audio_track};
  return write_clips(film.facts().uri, tracks, asker.hits(), wishes.clips, interrupted, complain);
}

// Likewise.
std::string make_page(const Arguments& arguments, Asker& asker, Film& film) {
  const std::string error = film.take(arguments, asker);
  return error.empty() ? write_page(arguments, film.facts(), asker, interrupted) : error;
}

bool prints_export(const Arguments& arguments) {
  const auto& files = arguments.exports.files;
  return std::any_of(files.begin(), files.end(), [](const auto& one) { return one.file == "-"; });
}

// Watches the file in the chosen mode and tells what is found. `pass` is what there is to compare:
// empty when the end was not reached. Where there is a second pass, the pipeline and its model are
// gone when it returns. Else nobody needs them gone, and an element that does not stop (a demuxer
// that waits for more) would hold up the program's end.
int ask(const Arguments& arguments, const Places& places, std::optional<Pass>* pass) {
  Film film;
  if (const auto error = film.look(arguments, places.uri); !error.empty()) return complain(error);
  auto* const made = new Asker(arguments, places.model, places.uri, interrupted);  // NOLINT
  const std::unique_ptr<Asker> goes(arguments.compares ? made : nullptr);
  Asker& asker = *made;
  bool has_begun = false;  // the first line is printed
  const auto begin = [&] {
    if (!arguments.json || std::exchange(has_begun, true)) return;
    if (const auto error = film.take(arguments, asker); !error.empty()) complain(error);
    say(media_line(film.facts()));
  };
  const bool watched = asker.watch_file([&](const Hit& hit) {
    if (!arguments.json) return;
    asker.bar().clear();
    begin();
    say(json_line(hit));
  });
  if (asker.is_reference_chosen()) return complain(asker.error()), kUsage;
  if (watched) begin();
  // After an error as well: what was found was found.
  const bool has_table = !arguments.json && !prints_export(arguments);
  if (has_table && (watched || !asker.hits().empty())) show_table(arguments, asker);
  bool all = true;
  const bool is_worth_it = watched || !asker.hits().empty() || asker.reached_end();
  std::string error = is_worth_it ? export_hits(arguments, asker, film, &all) : "";
  if (error.empty() && is_worth_it && !arguments.html.empty())
    error = make_page(arguments, asker, film);
  if (watched && error.empty() && arguments.ask_more) answer_more(asker, arguments.json);
  if (lost_output()) return end_without_output();
  if (asker.reached_end() && !asker.pass().windows.empty()) *pass = asker.pass();
  if (!asker.error().empty()) return complain(asker.error());
  if (!error.empty()) return complain(error);
  return all ? kOk : kFailed;
}

// Of the windows that are not compared; an empty string when all are. `why`: of the last of them.
std::string what_is_left_out(const Comparison& comparison, const Pass& chosen,
                             const std::string& reference, const std::string& why) {
  const std::string because = why.empty() ? "" : ": " + why;
  if (comparison.n_windows() == 0)
    return "nothing is compared, " + reference + " answered none of the windows" + because;
  if (comparison.n_only_chosen() == 0) return "";
  return reference + " could not answer " + std::to_string(comparison.n_only_chosen()) + " of " +
         std::to_string(chosen.windows.size()) + " windows, the others are compared" + because;
}

// The same once more in the reference's mode, and how far the two agree. What the first pass has
// complained of is not said again.
int compare(const Arguments& arguments, const Places& places, const Pass& chosen) {
  const Arguments again = reference_of(arguments, chosen.mode);
  Asker asker(again, places.model, places.uri, interrupted, Asker::Turn::kReference);
  const bool watched = asker.watch_file([](const Hit&) {});
  if (interrupted) return complain(asker.error());
  const Comparison comparison(chosen, asker.pass());
  const std::string left_out = what_is_left_out(
      comparison, chosen, "the reference (" + again.precision + ")", asker.why_unanswered());
  if (!left_out.empty()) complain(left_out);
  if (comparison.n_windows() == 0) return kFailed;
  say(arguments.json ? comparison_lines(comparison, chosen, asker.pass())
                     : "\n" + comparison_table(comparison, chosen, asker.pass()));
  if (lost_output()) return end_without_output();
  if (watched) return kOk;
  const bool was_said = !left_out.empty() || asker.error() == chosen.error;
  return was_said ? kFailed : complain(asker.error());
}

int run(const Arguments& arguments) {
  Places places;
  const std::string error = find(arguments, places);
  if (!error.empty()) return complain(error);
  if (arguments.batch.is_wanted()) return run_batch(arguments, places.model);
  std::optional<Pass> chosen;
  const int status = ask(arguments, places, &chosen);
  if (!arguments.compares || !chosen) return status;
  return std::max(status, compare(arguments, places, *chosen));
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  expect_lost_outputs();
  std::setlocale(LC_ALL, "");
  // The model's threads on the CPU wait asleep: spinning, they take the decoder's share of it.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  const auto arguments = parse_arguments(argc, argv);
  if (!arguments) return kUsage;
  gst_init(nullptr, nullptr);
  stop_at_ctrl_c();
  const int status = run(*arguments);
  // All is written and freed; libtorch would spend 0.1 s on its own end, of which nobody has
  // anything.
  std::fflush(nullptr);
  std::quick_exit(status);
}
