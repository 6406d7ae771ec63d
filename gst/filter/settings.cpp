#include "gst/filter/settings.h"

#include <algorithm>
#include <cmath>

#include "gst/filter/query_file.h"
#include "gst/filter/setting_enums.h"
#include "gst/filter/setting_kinds.h"
#include "gst/results/highlights.h"

namespace vidi {
namespace {

// From the next window on, or only until the element leaves READY.
constexpr int kAlways = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
constexpr int kUntilReady = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
constexpr int kReadOnly = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

constexpr guint64 kDay = 24 * 3600 * GST_SECOND;  // longer times are typing errors
constexpr guint64 kShortestStride = GST_MSECOND;

// ---- The table. A row's place, counted from 1, is its property id. ----

const std::vector<kind::Property>& table() {
  using S = Settings;
  static const std::vector<kind::Property> rows = {
      kind::text("model-path", kUntilReady, &S::model_path,
                 "Folder of the checkpoint, in the layout that Hugging Face uses. Not set: what "
                 "VIDI_MODEL in "
                 "the environment names, else the model that is installed with the plugin."),
      kind::text(
          "device", kUntilReady, &S::device,
          "Where the model runs: auto, cpu, cuda or cuda:1. auto takes the first CUDA device that "
          "works, else the CPU. Several with a comma between them (cuda:0,cuda:1), or cuda:all: "
          "each has the whole model, and windows are spread over them. A device of several that "
          "cannot be used, or fails three times in a row, is left out with a warning."),
      kind::flag(
          "split-windows", kUntilReady, &S::split_windows,
          "With several devices: each window is split over all of them, for one that does "
          "not fit on one or must be fast, instead of windows being spread. All of them are "
          "needed: where one cannot be used, none is, and where one fails, so does the window."),
      kind::choice("precision", kUntilReady, &S::precision, precision_type,
                   "Number format of the model's weights and arithmetic."),
      kind::choice("weights", kUntilReady, &S::weights, weights_type,
                   "How the decoder's matrices are stored. int8 takes half the memory of fp16, and "
                   "answers differ a little; auto takes it where memory-limit, or what is free of "
                   "a GPU, has no room for more."),
      kind::choice("keys", kUntilReady, &S::keys, keys_type,
                   "How a window's keys and values are stored. int8 takes half the memory of fp16, "
                   "and answers differ a little; auto as with weights."),
      kind::bytes(
          "memory-limit", kUntilReady, &S::memory_limit,
          "Most bytes (GB = 1000000000) that the model may take of its device, the CUDA context "
          "apart; 0 is no limit. A window that needs more makes do with less at once: smaller "
          "steps, and the towers' weights wait in the host's memory meanwhile; where that is not "
          "enough, the error says what is missing. On CUDA the process's allocator holds no more, "
          "so of several limits on one device the smallest holds for all models there; on the CPU "
          "weights, keys, values and an estimate of the workspace are counted. Elements with "
          "different limits do not share a model."),
      kind::time("unload-after", kUntilReady, &S::unload_after, kDay,
                 "Without work for so long (ns) the weights leave the device, and come back with "
                 "the next piece of work; 0 is never."),
      kind::choice("model-load", kUntilReady, &S::model_load, model_load_type,
                   "Whether the change to PAUSED waits until the model is loaded."),
      kind::choice("task", kAlways, &S::task, task_type, "What is asked about every window."),
      kind::text("query", kAlways, &S::query,
                 "One query in plain words, or several, a line each. They are asked together with "
                 "those in "
                 "queries and queries-file."),
      kind::query_list("queries", kAlways,
                       "Several queries. Each window is encoded once for all of them."),
      kind::query_file("queries-file", kAlways,
                       "A text file (UTF-8) with a query a line; blank lines and those that begin "
                       "with # are left out. It is read when the property is set."),
      kind::text(
          "prompt-template", kAlways, &S::prompt_template,
          "Sentence that the model is asked; {query} and {duration} (in seconds) are filled in. "
          "NULL takes the model's own."),
      kind::number("max-highlights", kAlways, &S::max_highlights, 0, G_MAXUINT,
                   "Highlights kept per minute of stream, best first; 0 keeps all."),
      kind::number("max-new-tokens", kAlways, &S::max_new_tokens, 1, 8192,
                   "Longest answer to one question, in tokens."),
      kind::frame_rate("frame-rate", kUntilReady, &S::rate,
                       "Pictures per second that the model looks at; 0/1 takes the checkpoint's "
                       "own (vidi_frame_rate in its config.json), or 1/1 when it states none."),
      kind::time("window-duration", kAlways, &S::window_duration, kDay,
                 "Length of a window in nanoseconds; 0 is the whole stream, analysed at its end."),
      kind::time(
          "window-stride", kAlways, &S::window_stride, kDay,
          "Time from the start of a window to the start of the next in nanoseconds, at most the "
          "duration; 0 is the duration."),
      kind::time("merge-gap", kAlways, &S::merge_gap, GST_CLOCK_TIME_NONE,
                 "Hits of one query that are at most this many nanoseconds apart become one; "
                 "GST_CLOCK_TIME_NONE (18446744073709551615) never merges."),
      kind::fraction_of_one(
          "min-confidence", kAlways, &S::min_confidence,
          "Hits with a lower confidence (0 to 1) are left out; a hit whose confidence "
          "is unknown passes."),
      kind::time(
          "audio-wait", kAlways, &S::audio_wait, kDay,
          "How long a full window of a live stream waits for its sound, in nanoseconds of wall "
          "clock. Other streams wait until the sound is there or has ended, and this long for one "
          "of which nothing has come when the video ends."),
      kind::choice("overload-policy", kAlways, &S::overload_policy, overload_type,
                   "What happens when windows come faster than the model answers."),
      kind::number("max-pending-windows", kAlways, &S::max_pending_windows, 1, 64,
                   "Windows that may wait for the model."),
      kind::time(
          "max-delay", kAlways, &S::max_delay, kDay,
          "Until when the results of a live stream's window are wanted, in nanoseconds after "
          "its end; 0 is the stride. Where elements share a model the nearest deadline goes "
          "first, and windows go by overload-policy when not all deadlines can be met."),
      kind::number("keep-windows", kAlways, &S::keep_windows, 1, G_MAXUINT32,
                   "Encoded windows that are kept for the action signal ask. When the device's "
                   "memory does not hold them and the next window, they go."),
      kind::choice("gate", kAlways, &S::gate, gate_type,
                   "Which windows are analysed. With motion one in which nothing differs from the "
                   "end of the last analysed one, and nothing sounds, is told as gated and means: "
                   "as before."),
      kind::fraction_of_one(
          "gate-similarity", kAlways, &S::gate_similarity,
          "With gate=motion: a picture that is less like the last analysed one than this (cosine "
          "of the vision tower's features, 1 is the same) has changed."),
      kind::choice("error-policy", kAlways, &S::error_policy, error_policy_type,
                   "What happens when the model cannot be loaded or keeps failing."),
      kind::flag(
          "analytics-meta", kAlways, &S::analytics_meta,
          "Mark the pictures that pass with GstAnalytics' classification of what holds now, "
          "by query-id: of a live stream what the last analysed window said. Needs GStreamer "
          "1.24."),
      kind::flag("passthrough", kAlways, &S::passthrough,
                 "Pause the analysis and keep the model; video and audio pass."),
  };
  return rows;
}

// ---- Questions ----

// The query, the queries, then those of the file; the same text is asked once.
std::vector<std::string> all_queries(const Settings& settings) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& query) {
    if (std::find(all.begin(), all.end(), query) == all.end()) all.push_back(query);
  };
  for (const std::string& query : lines_of(settings.query)) add(query);
  for (const std::string& query : settings.queries) add(query);
  for (const std::string& query : settings.file_queries) add(query);
  return all;
}

std::vector<Question> questions_from(const std::vector<std::string>& queries) {
  std::vector<Question> questions;
  for (const std::string& query : queries) {
    questions.push_back({std::to_string(questions.size()), query, query});
  }
  return questions;
}

}  // namespace

void install_properties(GObjectClass* object_class) {
  guint id = 0;
  for (const kind::Property& row : table()) {
    g_object_class_install_property(object_class, ++id, row.make());
  }
  g_object_class_install_property(
      object_class, kPropStats,
      g_param_spec_boxed("stats", "stats", "Counters and times since the last start.",
                         GST_TYPE_STRUCTURE, GParamFlags(kReadOnly)));
  g_object_class_install_property(
      object_class, kPropModelState,
      g_param_spec_enum("model-state", "model-state", "What the model is doing.",
                        model_state_type(), static_cast<gint>(ModelState::kUnloaded),
                        GParamFlags(kReadOnly)));
}

bool set_setting(Settings& settings, guint id, const GValue* value, std::string* error) {
  if (id < 1 || id > table().size()) return false;
  std::string found = table()[id - 1].set(settings, value);
  if (error) *error = std::move(found);
  return true;
}

bool get_setting(const Settings& settings, guint id, GValue* value) {
  if (id < 1 || id > table().size()) return false;
  table()[id - 1].get(settings, value);
  return true;
}

Time FrameRate::interval() const {
  return Time(gst_util_uint64_scale(GST_SECOND, denominator, numerator));
}

SamplingShape Settings::shape() const {
  guint64 stride = window_stride > 0 ? window_stride : window_duration;
  stride = std::max(stride, kShortestStride);
  if (window_duration > 0) stride = std::min(stride, window_duration);
  const FrameRate pictures = frame_rate();
  return {pictures.numerator, pictures.denominator, Time(window_duration), Time(stride)};
}

ModelKey Settings::model_key() const {
  const FrameRate pictures = frame_rate();
  LongestWindow longest;
  constexpr double kWholeStream = 300;  // of which nobody knows the length yet
  longest.seconds =
      window_duration > 0 ? static_cast<double>(window_duration) / GST_SECOND : kWholeStream;
  const auto n_pictures = [&](double seconds) {
    return static_cast<int64_t>(std::ceil(seconds * pictures.numerator / pictures.denominator));
  };
  longest.frames = n_pictures(longest.seconds);
  const SamplingShape windows = shape();
  if (windows.duration > Time::zero())
    longest.shared_frames =
        n_pictures(std::chrono::duration<double>(windows.duration - windows.stride).count());
  ModelKey key{model_place().folder, device, precision, memory_limit, weights, keys,
               unload_after,         longest};
  key.split_windows = split_windows;
  return key;
}

OverloadPolicy Settings::policy(bool live) const {
  switch (overload_policy) {
    case OverloadChoice::kBlock:
      return OverloadPolicy::kBlock;
    case OverloadChoice::kDropOldest:
      return OverloadPolicy::kDropOldest;
    case OverloadChoice::kDropNewest:
      return OverloadPolicy::kDropNewest;
    case OverloadChoice::kAuto:
      break;
  }
  return live ? OverloadPolicy::kDropOldest : OverloadPolicy::kBlock;
}

std::shared_ptr<const AskPlan> Settings::plan(bool has_highlight_prompt) const {
  auto plan = std::make_shared<AskPlan>();
  plan->prompt_template = prompt_template;
  plan->max_new_tokens = static_cast<int>(max_new_tokens);
  plan->merge = merge_gap != GST_CLOCK_TIME_NONE;
  plan->merge_gap = Time(std::min<guint64>(merge_gap, kForever.count()));
  plan->min_confidence = min_confidence;
  plan->max_highlights = max_highlights;

  std::vector<std::string> queries = all_queries(*this);
  if (task == Task::kHighlight && (has_highlight_prompt || !prompt_template.empty())) {
    plan->task = "highlight";
    plan->questions = {{"0", query, query}};
    return plan;
  }
  plan->ranked = task == Task::kHighlight;
  if (plan->ranked && queries.empty()) queries = built_in_moments();
  plan->questions = questions_from(queries);
  return plan;
}

}  // namespace vidi
