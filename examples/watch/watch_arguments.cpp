#include "examples/watch/watch_arguments.h"

#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "examples/common/byte_count.h"
#include "examples/common/output.h"
#include "examples/common/places.h"
#include "examples/common/text.h"
#include "examples/common/version.h"

namespace fs = std::filesystem;

namespace {

constexpr char kSummary[] =
    "Watches a camera or another live source and says when something is seen or heard.\n\n"
    "  vidi-watch rtsp://camera/stream \"a person falls\" \"a dog barking\"\n"
    "  vidi-watch --record clips rtsp://camera/stream \"a red car\"\n"
    "  vidi-watch --hls www rtsp://camera/stream \"a goal\"\n"
    "  vidi-watch --once 1 test:// \"a clock ticking\"";

constexpr char kDescription[] =
    "Sources: rtsp:// (rtspt:// for TCP alone), srt://, udp://, http:// and https:// streams,\n"
    "v4l2:///dev/video0, test:// (a test picture and ticks), file:// (played at its own speed), or "
    "-\n"
    "for a stream that is piped in.\n\n"
    "The time of a hit is the camera's own clock where the camera tells it; else this computer's\n"
    "clock when the pictures arrived, marked with ~.\n\n"
    "When the source ends or fails it is connected again, for ever; the model stays loaded.\n"
    "Clips and segments that cannot be written, for example on a full disk, are no reason to end.\n"
    "Exit status: 0 ended by Ctrl-C, --once or the end of a file, 1 failed, 2 the command line "
    "was\n"
    "not understood.";

constexpr double kDay = 86400, kLeastKept = 120;

// A number on the command line, where it goes and what it may be.
struct Number {
  const char* option;
  gchar short_name;
  const char* help;
  const char* unit;
  double WatchArguments::*field;
  double least, most;
};

constexpr Number kNumbers[] = {
    {"window", 'w', "Length of what the model sees at once (default 20)", "SECONDS",
     &WatchArguments::window_s, 0.1, kDay},
    {"stride", 0, "From one window's start to the next's (default: half the window)", "SECONDS",
     &WatchArguments::stride_s, 0.1, kDay},
    {"rate", 'r', "Pictures a second that the model sees (default: the checkpoint's own, else 1)",
     "N", &WatchArguments::rate, 0.01, 60},
    {"min-confidence", 0, "Leave out hits of less confidence, 0 to 1", "N",
     &WatchArguments::min_confidence, 0, 1},
    {"gate-similarity", 0,
     "With --gate motion: a picture less like the last analysed one than this has changed, 0.01 to "
     "1 (default: the element's own)",
     "N", &WatchArguments::gate_similarity, 0.01, 1},
    {"max-highlights", 0, "With --task highlight: the best so many a minute, 0 = all (default 3)",
     "N", &WatchArguments::max_highlights, 0, 1000},
    {"hls-segment", 0, "With --hls: length of a segment, as far as key frames allow (default 4)",
     "SECONDS", &WatchArguments::hls_segment_s, 0.5, 60},
    {"hls-keep", 0,
     "With --hls: how much of the stream the playlist lists (default 120, or three windows where "
     "those are longer)",
     "SECONDS", &WatchArguments::hls_keep_s, 1, kDay},
    {"hls-delay", 0, "With --hls: publish so much later, together with the hits (default 0)",
     "SECONDS", &WatchArguments::hls_delay_s, 0, kDay},
    {"before", 0, "Of a clip: how much before the hit (default 5)", "SECONDS",
     &WatchArguments::before_s, 0, 300},
    {"after", 0, "Of a clip: how much after the hit (default 5)", "SECONDS",
     &WatchArguments::after_s, 0, 300},
    {"latency", 0, "Buffer of an RTSP source (default 2000)", "MS", &WatchArguments::latency_ms, 0,
     60000},
    {"timeout", 0, "Connect again after so long without a picture (default 10)", "SECONDS",
     &WatchArguments::timeout_s, 0.5, kDay},
    {"retry", 0, "Longest wait before connecting again (default 30)", "SECONDS",
     &WatchArguments::retry_s, 0, kDay},
    {"unload-after", 0, "Without work for so long the model's memory is given back (default never)",
     "SECONDS", &WatchArguments::unload_after_s, 0, kDay},
    {"once", 0, "End after N hits", "N", &WatchArguments::once, 1, 1e9},
};
constexpr size_t kNNumbers = std::size(kNumbers);

// What GOption writes into. Strings are the caller's to free.
struct Raw {
  gchar *model = nullptr, *device = nullptr, *precision = nullptr, *weights = nullptr,
        *keys = nullptr, *memory_limit = nullptr;
  gchar *task = nullptr, *gate = nullptr, *record = nullptr, *hls = nullptr, *audio_track = nullptr,
        *video_track = nullptr;
  gchar* numbers[kNNumbers] = {};
  gboolean split_windows = FALSE, json = FALSE, final_only = FALSE, quiet = FALSE;
  gchar** rest = nullptr;

  ~Raw() {
    for (gchar* text : {model, device, precision, weights, keys, memory_limit, task, gate, record,
                        hls, audio_track, video_track})
      g_free(text);
    for (gchar* text : numbers) g_free(text);
    g_strfreev(rest);
  }
};

std::string text_of(const gchar* text, const std::string& otherwise = "") {
  return text ? text : otherwise;
}

bool is_one_of(const std::string& text, std::initializer_list<const char*> choices) {
  return std::any_of(choices.begin(), choices.end(), [&](const char* c) { return text == c; });
}

// Empty, or what is wrong with the number. Seconds may have their s: 30s.
std::string read_number(const Number& number, const gchar* text, WatchArguments* a) {
  gchar* end = nullptr;
  const double value = g_ascii_strtod(text, &end);
  if (end != text && *end == 's' && g_str_equal(number.unit, "SECONDS")) ++end;
  if (end == text || *end != '\0' || !(value >= number.least && value <= number.most)) {
    gchar* wrong = g_strdup_printf("--%s: expected a number from %g to %g, found %s", number.option,
                                   number.least, number.most, text);
    const std::string sentence = wrong;
    g_free(wrong);
    return sentence;
  }
  a->*number.field = value;
  return "";
}

std::string read_numbers(const Raw& raw, WatchArguments* a) {
  bool has_stride = false;
  if (raw.hls && !*raw.hls) return "--hls: expected a folder";
  for (size_t i = 0; i < kNNumbers; ++i) {
    if (!raw.numbers[i]) continue;
    const std::string wrong = read_number(kNumbers[i], raw.numbers[i], a);
    if (!wrong.empty()) return wrong;
    const std::string name = kNumbers[i].option;
    if (name.starts_with("hls-") && !raw.hls) return "--" + name + ": expected --hls DIR with it";
    has_stride |= kNumbers[i].field == &WatchArguments::stride_s;
  }
  if (a->gate_similarity > 0 && a->gate != "motion")
    return "--gate-similarity: expected --gate motion with it";
  if (!has_stride) a->stride_s = a->window_s / 2;
  if (a->hls_keep_s == 0) a->hls_keep_s = std::max(kLeastKept, 3 * a->window_s);
  return a->stride_s > a->window_s ? "--stride: expected at most the length of the window" : "";
}

void read_texts(const Raw& raw, WatchArguments* a) {
  for (gchar** item = raw.rest; item && *item; ++item) {
    if (item == raw.rest) {
      a->uri = std::string(*item) == "-" ? "fd://0" : *item;
    } else if (std::find(a->queries.begin(), a->queries.end(), *item) == a->queries.end()) {
      a->queries.push_back(*item);  // the same question twice is one question
    }
  }
  a->model = raw.model ? raw.model : model_of_environment();
  a->device = text_of(raw.device, a->device);
  a->precision = text_of(raw.precision, a->precision);
  a->weights = text_of(raw.weights, a->weights);
  a->keys = text_of(raw.keys, a->keys);
  if (raw.memory_limit) a->memory_limit = parse_byte_count(raw.memory_limit);
  a->task = text_of(raw.task, a->task);
  a->gate = text_of(raw.gate, a->gate);
  a->record = text_of(raw.record), a->hls = text_of(raw.hls);
  a->audio_track = text_of(raw.audio_track), a->video_track = text_of(raw.video_track);
  a->splits_windows = raw.split_windows;
  a->json = raw.json, a->final_only = raw.final_only, a->quiet = raw.quiet;
}

// Whether a file that is watched would be taken for one that was written.
bool lies_in(const std::string& uri, const std::string& folder) {
  const std::string file = folder.empty() ? "" : path_of(uri);
  if (file.empty()) return false;
  std::error_code failed;
  const fs::path place = fs::weakly_canonical(file, failed).parent_path();
  return !failed && place == fs::weakly_canonical(folder, failed);
}

// The first thing that is wrong; empty when all is well.
std::string complaint(const WatchArguments& a) {
  if (a.uri.empty()) return "expected the address of a source and what to look for";
  if (!gst_uri_is_valid(a.uri.c_str()))
    return "expected an address such as rtsp://camera/stream, found " + a.uri;
  if (!is_one_of(a.precision, {"auto", "fp32", "fp16", "bf16"}))
    return "--precision: expected auto, fp32, fp16 or bf16, found " + a.precision;
  if (!is_one_of(a.weights, {"auto", "native", "int8"}))
    return "--weights: expected auto, native or int8, found " + a.weights;
  if (!is_one_of(a.keys, {"auto", "native", "int8"}))
    return "--keys: expected auto, native or int8, found " + a.keys;
  if (!a.memory_limit) return "--memory-limit: expected bytes, such as 24GB or 22000000000";
  if (!is_one_of(a.task, {"retrieval", "highlight"}))
    return "--task: expected retrieval or highlight, found " + a.task;
  if (!is_one_of(a.gate, {"none", "motion"}))
    return "--gate: expected none or motion, found " + a.gate;
  if (lies_in(a.uri, a.hls))
    return "the source lies in the folder of --hls, expected another folder than " + a.hls;
  if (a.queries.empty() && a.task != "highlight")
    return "expected what to look for after the address, for example \"a dog\"";
  for (const std::string& query : a.queries) {
    if (!g_utf8_validate(query.data(), static_cast<gssize>(query.size()), nullptr))
      return "a question is not UTF-8";
    if (is_blank(query)) return "a question is empty";
    if (is_file(query))
      return "vidi-watch takes one source, expected a question, found the file " + query;
  }
  return "";
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
      {"record", 0, 0, G_OPTION_ARG_FILENAME, &raw.record,
       "Save a clip around each hit in this folder", "DIR"},
      {"hls", 0, 0, G_OPTION_ARG_FILENAME, &raw.hls,
       "Publish the stream as HLS in this folder (playlist.m3u8), each hit as a date range of it",
       "DIR"},
      {"task", 0, 0, G_OPTION_ARG_STRING, &raw.task,
       "retrieval: answer the questions; highlight: find the moments worth keeping", "NAME"},
      {"gate", 0, 0, G_OPTION_ARG_STRING, &raw.gate,
       "motion: where nothing moves, changes or sounds the model is not asked, and hits go on as "
       "before; none (default)",
       "NAME"},
      {"audio-track", 0, 0, G_OPTION_ARG_STRING, &raw.audio_track,
       "Which track of sound is heard: its number, or its language such as en (default: as the "
       "source says)",
       "N|LANG"},
      {"video-track", 0, 0, G_OPTION_ARG_STRING, &raw.video_track,
       "Which track of pictures is watched, likewise", "N|LANG"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &raw.quiet, "Nothing on stderr but what ends it",
       nullptr},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &raw.json, "One JSON object a line on stdout", nullptr},
      {"final-only", 0, 0, G_OPTION_ARG_NONE, &raw.final_only,
       "Say nothing of hits that may still grow", nullptr}};
  for (size_t i = 0; i < kNNumbers; ++i) {
    const Number& n = kNumbers[i];
    entries.push_back(
        {n.option, n.short_name, 0, G_OPTION_ARG_STRING, &raw.numbers[i], n.help, n.unit});
  }
  entries.push_back(version_option());
  entries.push_back(
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr, nullptr});
  entries.push_back({});
  GOptionContext* context = g_option_context_new("URI QUERY...");
  g_option_context_set_summary(context, kSummary);
  g_option_context_set_description(context, kDescription);
  g_option_context_add_main_entries(context, entries.data(), nullptr);
  return context;
}

}  // namespace

std::optional<WatchArguments> parse_watch_arguments(int argc, char** argv) {
  Raw raw;
  GOptionContext* context = make_context(raw);
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  WatchArguments arguments;
  std::string wrong = parsed ? "" : error->message;
  g_clear_error(&error);
  if (wrong.empty()) read_texts(raw, &arguments);
  if (wrong.empty()) wrong = read_numbers(raw, &arguments);
  if (wrong.empty()) wrong = complaint(arguments);
  if (wrong.empty()) return arguments;
  say_on_stderr("vidi-watch", wrong + ". See vidi-watch --help.");
  return std::nullopt;
}
