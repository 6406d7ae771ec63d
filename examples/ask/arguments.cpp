#include "examples/ask/arguments.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "examples/ask/batch_options.h"
#include "examples/ask/reference_mode.h"
#include "examples/common/byte_count.h"
#include "examples/common/output.h"
#include "examples/common/places.h"
#include "examples/common/text.h"
#include "examples/common/version.h"
#include "examples/export/export_options.h"

namespace {

constexpr char kSummary[] =
    "Asks a Vidi model when something is seen or heard in a video file.\n\n"
    "  vidi-ask film.mp4 \"a dog\" \"someone saying hello\"\n"
    "  vidi-ask --task highlight film.mp4\n"
    "  ssh camera cat film.ts | vidi-ask - \"a dog\"\n"
    "  find films -name '*.mp4' | vidi-ask --batch - --out hits \"a dog\"\n"
    "  vidi-ask --model Vidi1.5-9B --vtt hits.vtt film.mp4 \"a red car\"";

constexpr char kDescription[] =
    "FILE is a path, a URI, or - for what is piped in. The table on stdout is sorted by question, "
    "then by time. Exit status: 0 the file was watched to its end (with --compare-precision "
    "twice), 1 it was not, or not every window of it was analysed, 2 the command line was not "
    "understood. With --batch: 0 every file of the list was dealt with (--strict: 3 where some "
    "failed), 1 the run broke off, 130 it was stopped.";

constexpr double kUnset = std::numeric_limits<double>::quiet_NaN();
constexpr double kDay = 86400;
constexpr int kMostDecoders = 256;

// What GOption writes into. Strings are the caller's to free.
struct Raw {
  gchar *model = nullptr, *device = nullptr, *precision = nullptr, *weights = nullptr,
        *keys = nullptr, *unload_after = nullptr, *task = nullptr;
  ExportOptions exports;
  BatchOptions batch;
  gchar *vtt = nullptr, *srt = nullptr, *html = nullptr, *window = nullptr, *stride = nullptr,
        *rate = nullptr;
  gchar *min_confidence = nullptr, *memory_limit = nullptr;
  gchar *audio_track = nullptr, *video_track = nullptr;
  gint n_decoders = 0, max_highlights = 0;
  gboolean split_windows = FALSE, json = FALSE, embeds_film = FALSE, ask_more = FALSE,
           quiet = FALSE, compares = FALSE;
  gchar** rest = nullptr;

  ~Raw() {
    for (gchar* text :
         {model, device, precision, weights, keys, memory_limit, unload_after, task, vtt, srt, html,
          window, stride, rate, min_confidence, audio_track, video_track})
      g_free(text);
    g_strfreev(rest);
  }
};

std::string text_of(const gchar* text, const std::string& otherwise = "") {
  return text ? text : otherwise;
}

// A number in [least, most]; empty when the option was not given, NaN when it is no such number.
std::optional<double> number(const gchar* text, double least, double most) {
  if (!text) return std::nullopt;
  gchar* end = nullptr;
  const double value = g_ascii_strtod(text, &end);
  const bool fits = end != text && *end == '\0' && value >= least && value <= most;
  return fits ? value : kUnset;
}

bool is_read_once(const std::string& file) {
  if (file == "-" || file.starts_with("fd:")) return true;
  std::error_code failed;
  const auto type = std::filesystem::status(file, failed).type();
  return type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::socket ||
         type == std::filesystem::file_type::character;
}

bool is_unset(const std::optional<double>& value) { return value && std::isnan(*value); }

bool is_one_of(const std::string& text, std::initializer_list<const char*> choices) {
  return std::any_of(choices.begin(), choices.end(), [&](const char* c) { return text == c; });
}

// It takes two passes over the file, in two modes.
std::string complaint_of_comparing(const Arguments& a) {
  const std::string option = "--compare-precision: ";
  if (a.ask_more) return option + "it answers the questions of the command line, not --ask-more";
  if (is_read_once(a.file))
    return option + "the file is read twice, expected one on a disk, found " +
           (a.file == "-" ? "stdin" : "the pipe " + a.file);
  return asks_for_reference(a) ? no_other_mode() : "";
}

// The copy is made after the film was watched.
std::string complaint_of_page(const Arguments& a) {
  if (a.html == "-") return "--html: expected a file for the page, found -";
  if (!a.embeds_film) return "";
  if (a.html.empty()) return "--html-embed: expected the page that it is for, --html FILE";
  if (!a.is_kept())
    return "--html-embed: the file is read twice, expected one on a disk, found " +
           (a.file == "-" ? "stdin" : "the pipe " + a.file);
  return "";
}

// What goes to stdout is alone there.
std::string complaint_of_exports(const Arguments& a) {
  const auto n_printed = std::count_if(a.exports.files.begin(), a.exports.files.end(),
                                       [](const ExportRequest& one) { return one.file == "-"; });
  if (n_printed > 1 || (n_printed == 1 && (a.json || a.ask_more || a.compares)))
    return "stdout is to be written twice, expected a file after --export NAME=";
  if (!a.exports.clips.folder.empty() && !a.is_kept())
    return "--clips: the film is read twice, expected one on a disk, found " +
           (a.file == "-" ? "stdin" : "the pipe " + a.file);
  return "";
}

// The first thing that is wrong, as a sentence without its subject; empty when all is well.
std::string complaint(const Arguments& a) {
  if (a.file.empty() && !a.batch.is_wanted()) return "expected a video file and what to look for";
  if (a.file == "-" && a.ask_more)
    return "--ask-more reads the questions from stdin, so the file cannot come from there, too";
  if (!is_one_of(a.task, {"retrieval", "highlight"}))
    return "--task: expected retrieval or highlight, found " + a.task;
  if (!is_one_of(a.precision, {"auto", "fp32", "fp16", "bf16"}))
    return "--precision: expected auto, fp32, fp16 or bf16, found " + a.precision;
  if (!is_one_of(a.weights, {"auto", "native", "int8"}))
    return "--weights: expected auto, native or int8, found " + a.weights;
  if (!is_one_of(a.keys, {"auto", "native", "int8"}))
    return "--keys: expected auto, native or int8, found " + a.keys;
  if (!a.memory_limit) return "--memory-limit: expected bytes, such as 24GB or 22000000000";
  if (is_unset(a.unload_after_s)) return "--unload-after: expected 0 to 86400 seconds";
  if (is_unset(a.window_s)) return "--window: expected 0 to 86400 seconds";
  if (is_unset(a.stride_s)) return "--stride: expected 0.1 to 86400 seconds";
  if (is_unset(a.rate)) return "--rate: expected 0.01 to 60 pictures a second";
  if (is_unset(a.min_confidence)) return "--min-confidence: expected a number from 0 to 1";
  if (a.max_highlights < 0) return "--max-highlights: expected 0 or more";
  if (a.n_decoders < 0 || a.n_decoders > kMostDecoders)
    return "--decoders: expected 0 to " + std::to_string(kMostDecoders);
  if (a.queries.empty() && !a.highlights() && !a.ask_more && !a.batch.is_wanted())
    return "expected what to look for after the file, for example \"a dog\"";
  for (const std::string& query : a.queries) {
    if (!g_utf8_validate(query.data(), static_cast<gssize>(query.size()), nullptr))
      return "a question is not UTF-8";
    if (is_blank(query)) return "a question is empty";
    if (is_file(query) && a.batch.is_wanted())
      return "--batch takes its files from the list, expected a question, found the file " + query;
    if (is_file(query))
      return "vidi-ask takes one file, expected a question, found the file " + query;
  }
  if (a.batch.is_wanted()) return complaint_of_batch(a);
  if (const auto error = complaint_of_page(a); !error.empty()) return error;
  if (const std::string wrong = complaint_of_exports(a); !wrong.empty()) return wrong;
  return a.compares ? complaint_of_comparing(a) : "";
}

Arguments arguments_from(const Raw& raw, std::string* wrong) {
  Arguments a;
  *wrong = raw.batch.read(&a.batch);
  for (gchar** item = raw.rest; item && *item; ++item) {
    if (item == raw.rest && !a.batch.is_wanted()) {
      a.file = *item;
    } else if (std::find(a.queries.begin(), a.queries.end(), *item) == a.queries.end()) {
      a.queries.push_back(*item);  // the same question twice is one question
    }
  }
  a.model = text_of(raw.model, model_of_environment());
  a.device = text_of(raw.device, a.device);
  a.precision = text_of(raw.precision, a.precision);
  a.weights = text_of(raw.weights, a.weights);
  a.keys = text_of(raw.keys, a.keys);
  if (raw.memory_limit) a.memory_limit = parse_byte_count(raw.memory_limit);
  a.task = text_of(raw.task, a.task);
  a.audio_track = text_of(raw.audio_track), a.video_track = text_of(raw.video_track);
  a.html = text_of(raw.html), a.embeds_film = raw.embeds_film;
  a.unload_after_s = number(raw.unload_after, 0, kDay);
  a.window_s = number(raw.window, 0, kDay);
  a.stride_s = number(raw.stride, 0.1, kDay);
  a.rate = number(raw.rate, 0.01, 60);
  a.min_confidence = number(raw.min_confidence, 0, 1);
  a.max_highlights = raw.max_highlights;
  a.n_decoders = raw.n_decoders;
  a.json = raw.json, a.ask_more = raw.ask_more, a.quiet = raw.quiet;
  a.compares = raw.compares;
  a.splits_windows = raw.split_windows;
  if (raw.vtt) a.exports.files.push_back({format_named("vtt"), raw.vtt});
  if (raw.srt) a.exports.files.push_back({format_named("srt"), raw.srt});
  return a;
}

GOptionContext* make_context(Raw& raw) {
  std::vector<GOptionEntry> entries = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &raw.model,
       "Checkpoint folder (default: VIDI_MODEL, else the small demo model)", "DIR"},
      {"device", 0, 0, G_OPTION_ARG_STRING, &raw.device,
       "auto, cpu, cuda, cuda:1, several (cuda:0,cuda:1) or cuda:all", "NAME"},
      {"split-windows", 0, 0, G_OPTION_ARG_NONE, &raw.split_windows,
       "With several devices: each window is split over all of them", nullptr},
      {"precision", 0, 0, G_OPTION_ARG_STRING, &raw.precision, "auto, fp32, fp16 or bf16", "NAME"},
      {"weights", 0, 0, G_OPTION_ARG_STRING, &raw.weights,
       "native; int8: half the memory of fp16, and answers that differ a little; auto: what fits",
       "NAME"},
      {"keys", 0, 0, G_OPTION_ARG_STRING, &raw.keys,
       "native; int8: longer windows in the same memory; auto: what fits", "NAME"},
      {"memory-limit", 0, 0, G_OPTION_ARG_STRING, &raw.memory_limit,
       "Most that the model may take of its device, such as 24GB (default: all there is)", "BYTES"},
      {"unload-after", 0, 0, G_OPTION_ARG_STRING, &raw.unload_after,
       "Without work for so long the model's memory is given back (default never)", "SECONDS"},
      {"task", 0, 0, G_OPTION_ARG_STRING, &raw.task,
       "retrieval: answer the questions; highlight: find the moments worth keeping", "NAME"},
      {"window", 'w', 0, G_OPTION_ARG_STRING, &raw.window,
       "Length of what the model sees at once (default 60; 0 = the whole file)", "SECONDS"},
      {"stride", 0, 0, G_OPTION_ARG_STRING, &raw.stride,
       "From one window's start to the next's (default: half the window)", "SECONDS"},
      {"rate", 'r', 0, G_OPTION_ARG_STRING, &raw.rate,
       "Pictures a second that the model sees (default: the checkpoint's own, else 1)", "N"},
      {"min-confidence", 0, 0, G_OPTION_ARG_STRING, &raw.min_confidence,
       "Leave out hits of less confidence, 0 to 1", "N"},
      {"max-highlights", 0, 0, G_OPTION_ARG_INT, &raw.max_highlights,
       "With --task highlight: the best so many a minute (default: 0, all)", "N"},
      {"decoders", 0, 0, G_OPTION_ARG_INT, &raw.n_decoders,
       "Decoders that work on parts of the file side by side (default: 0, as many as are useful; 1 "
       "= one decodes every frame)",
       "N"},
      {"audio-track", 0, 0, G_OPTION_ARG_STRING, &raw.audio_track,
       "Which track of sound is heard: its number, or its language such as en (default: as the "
       "file "
       "says)",
       "N|LANG"},
      {"video-track", 0, 0, G_OPTION_ARG_STRING, &raw.video_track,
       "Which track of pictures is watched, likewise", "N|LANG"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &raw.json,
       "One JSON object a line on stdout instead of the table: the film, then each hit as soon as "
       "it is known",
       nullptr},
      {"vtt", 0, 0, G_OPTION_ARG_FILENAME, &raw.vtt, "Write the hits as WebVTT subtitles", "FILE"},
      {"srt", 0, 0, G_OPTION_ARG_FILENAME, &raw.srt, "Write the hits as SubRip subtitles", "FILE"},
      {"html", 0, 0, G_OPTION_ARG_FILENAME, &raw.html,
       "Write a page for a browser: the film, a timeline, the hits with pictures", "FILE"},
      {"html-embed", 0, 0, G_OPTION_ARG_NONE, &raw.embeds_film,
       "Put a small copy of the film into the page, which then needs nothing beside it", nullptr},
      {"ask-more", 'a', 0, G_OPTION_ARG_NONE, &raw.ask_more,
       "Read further questions from stdin afterwards; an empty line ends. Keeps in memory what was "
       "encoded",
       nullptr},
      {"compare-precision", 0, 0, G_OPTION_ARG_NONE, &raw.compares,
       "Answer once more with weights and keys as they are (fp16 on a GPU, fp32 on the CPU), and "
       "say "
       "how far the answers agree",
       nullptr},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &raw.quiet, "No progress on stderr", nullptr},
      version_option(),
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr, nullptr}};
  for (const GOptionEntry& entry : raw.exports.entries()) entries.push_back(entry);
  for (const GOptionEntry& entry : raw.batch.entries()) entries.push_back(entry);
  entries.push_back({});
  GOptionContext* context = g_option_context_new("FILE QUERY...");
  g_option_context_set_summary(context, kSummary);
  g_option_context_set_description(
      context, ("--export takes\n\n" + format_help() + "\n" + kDescription).c_str());
  g_option_context_add_main_entries(context, entries.data(), nullptr);
  return context;
}

}  // namespace

bool Arguments::is_kept() const { return !is_read_once(file); }

std::optional<Arguments> parse_arguments(int argc, char** argv) {
  Raw raw;
  GOptionContext* context = make_context(raw);
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  std::string wrong;
  Arguments arguments = arguments_from(raw, &wrong);
  if (!parsed) wrong = error->message;
  if (wrong.empty()) wrong = raw.exports.read(arguments.file, &arguments.exports);
  if (wrong.empty()) wrong = complaint(arguments);
  g_clear_error(&error);
  if (wrong.empty()) return arguments;
  say_on_stderr("vidi-ask", wrong + ". See vidi-ask --help.");
  return std::nullopt;
}
