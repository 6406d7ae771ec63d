#include "gst/results/structures.h"

#include <algorithm>
#include <cmath>

#include "gst/media/buffer_times.h"
#include "gst/worker/analysis.h"
#include "model/options.h"

namespace vidi {
namespace {

// A structure under construction. What is unknown (NONE, empty, NULL, not finite) is left out, and
// every string is made valid UTF-8: GStreamer drops fields that are not.
class Fields {
 public:
  explicit Fields(const char* name) : structure_(gst_structure_new_empty(name)) {}

  void number(const char* name, guint value) { set(name, G_TYPE_UINT, value); }
  void large(const char* name, guint64 value) { set(name, G_TYPE_UINT64, value); }
  void flag(const char* name, bool value) { set(name, G_TYPE_BOOLEAN, gboolean{value}); }
  void real(const char* name, double value) {
    if (std::isfinite(value)) set(name, G_TYPE_DOUBLE, value);
  }
  void clock(const char* name, GstClockTime value) {
    if (GST_CLOCK_TIME_IS_VALID(value)) large(name, value);
  }
  void time(const char* name, Time value) {
    if (value.count() >= 0 && value != kForever) clock(name, value.count());
  }
  void seconds(const char* name, double value) {
    if (value >= 0 && value < 1e9) large(name, std::llround(value * 1e9));
  }
  void text(const char* name, const std::string& value) {
    if (!value.empty()) take(name, text_value(value));
  }
  void texts(const char* name, const std::vector<std::string>& values) {
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, values.size());
    for (const std::string& value : values) {
      GValue item = text_value(value);
      gst_value_array_append_and_take_value(&list, &item);
    }
    take(name, list);
  }
  void date(const char* name, GstDateTime* value) {  // takes it
    if (!value) return;
    set(name, GST_TYPE_DATE_TIME, value);
    gst_date_time_unref(value);
  }

  GstStructure* take() { return structure_; }

 private:
  template <class T>
  void set(const char* name, GType type, T value) {
    gst_structure_set(structure_, name, type, value, nullptr);
  }
  void take(const char* name, GValue value) { gst_structure_take_value(structure_, name, &value); }
  static GValue text_value(const std::string& text) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_STRING);
    g_value_take_string(&value, g_utf8_make_valid(text.data(), text.size()));
    return value;
  }

  GstStructure* structure_;
};

// Times of a hit through the segment that its frames had. A hit may begin before the segment does
// (a seek into the middle of a window's first frame): it is cut there, unless that is the time
// before the first picture, when sound was there.

Time cut(const AnalysisWindow& window, Time time, Time start) {
  return window.start < window.first_frame ? time : std::max(time, start);
}

GstClockTime clock_of(std::optional<Time> time) {
  return time ? static_cast<GstClockTime>(std::max(*time, Time(0)).count()) : GST_CLOCK_TIME_NONE;
}

GstClockTime stream_time(const AnalysisWindow& window, Time time) {
  const GstSegment& segment = origin_of(window).segment;
  return clock_of(stream_time_at(segment, cut(window, time, Time(segment.start))));
}

GstClockTime running_time(const AnalysisWindow& window, Time time) {
  const GstSegment& segment = origin_of(window).segment;
  return clock_of(
      running_time_at(segment, cut(window, time, Time(segment.start + segment.offset))));
}

// The frame that tells the wall clock at `time`: the last at or before it that knows, else the
// first after it.
const SampledFrame* clock_frame(const AnalysisWindow& window, Time time) {
  const SampledFrame* before = nullptr;
  const SampledFrame* after = nullptr;
  for (const auto& frame : window.frames) {
    if (!frame || !frame->utc) continue;
    if (frame->pts <= time) {
      if (!before || frame->pts > before->pts) before = frame.get();
    } else {
      if (!after || frame->pts < after->pts) after = frame.get();
    }
  }
  return before ? before : after;
}

GstDateTime* utc_time(const AnalysisWindow& window, Time time) {
  const SampledFrame* frame = clock_frame(window, time);
  if (!frame) return nullptr;
  Time::rep utc = 0;  // of a stream's making: it may be anything
  if (__builtin_add_overflow(frame->utc->count(), (time - frame->pts).count(), &utc))
    return nullptr;
  const auto micro = std::chrono::floor<std::chrono::microseconds>(Time(utc));
  return gst_date_time_new_from_unix_epoch_utc_usecs(micro.count());
}

// The fields that every structure about a window begins with.
void add_head(Fields& fields, const AnalysisWindow& window) {
  fields.number("schema-version", kSchemaVersion);
  fields.text("session-id", origin_of(window).session_id);
}

void add_place(Fields& fields, const AnalysisWindow& window) {
  fields.large("window-index", window.index);
  fields.time("window-start", window.start);
  fields.time("window-stop", window.stop);
}

void add_quality(Fields& fields, const AnalysisWindow& window) {
  fields.flag("partial-window", window.partial);
  fields.flag("has-audio", !window.audio.empty());
  fields.number("frames", window.frames.size() - window.n_stand_ins);
  fields.large("dropped-frames", window.dropped_frames);
}

void add_times(Fields& fields, const Hit& hit) {
  fields.time("timestamp", hit.start);
  fields.time("duration", hit.stop - hit.start);
  fields.clock("stream-time", stream_time(*hit.window, hit.start));
  fields.clock("running-time", running_time(*hit.window, hit.start));
  fields.date("utc-time", utc_time(*hit.window, hit.start));
}

std::vector<std::string> titles(const AnalysisWindow& window) {
  std::vector<std::string> titles;
  if (!window.plan) return titles;
  for (const Question& question : window.plan->questions) titles.push_back(question.title);
  return titles;
}

// What the parser changed or dropped, and every answer it could not read. With several questions
// each note begins with the question it is about.
std::vector<std::string> notes(const Analysis& analysis, const std::vector<std::string>& titles) {
  std::vector<std::string> notes;
  for (size_t i = 0; i < analysis.answers.size(); i++) {
    const ParsedAnswer& parsed = analysis.answers[i].parsed;
    const std::string about = titles.size() > 1 && i < titles.size() ? titles[i] + ": " : "";
    for (const std::string& note : parsed.notes) notes.push_back(about + note);
    if (i < analysis.refusals.size() && !analysis.refusals[i].empty())
      notes.push_back(about + "refused: " + analysis.refusals[i]);
    if (!parsed.understood) notes.push_back(about + "the answer was not understood");
  }
  return notes;
}

void add_answers(Fields& fields, const AnalysisWindow& window, const Analysis* analysis) {
  const std::vector<std::string> queries = titles(window);
  std::vector<std::string> ids;
  if (window.plan) {
    for (const Question& question : window.plan->questions) ids.push_back(question.id);
  }
  fields.texts("queries", queries);
  fields.texts("query-ids", ids);
  if (!analysis) return;
  std::vector<std::string> texts;
  for (const Answer& answer : analysis->answers) texts.push_back(answer.text);
  fields.texts("texts", texts);
  fields.texts("notes", notes(*analysis, queries));
  fields.flag("small-steps", analysis->in_small_steps);
}

// What ends a line, begins an escape or turns what follows.
bool is_control(gunichar c) {
  constexpr gunichar kLineSeparator = 0x2028, kParagraphSeparator = 0x2029;
  return g_unichar_iscntrl(c) || c == kLineSeparator || c == kParagraphSeparator;
}

const char* state_nick(ModelState state) {
  switch (state) {
    case ModelState::kUnloaded:
      return "unloaded";
    case ModelState::kLoading:
      return "loading";
    case ModelState::kReady:
      return "ready";
    case ModelState::kFailed:
      return "failed";
  }
  return "unloaded";
}

}  // namespace

const SegmentOrigin& origin_of(const AnalysisWindow& window) {
  static const SegmentOrigin unknown = [] {
    SegmentOrigin origin;
    gst_segment_init(&origin.segment, GST_FORMAT_UNDEFINED);
    return origin;
  }();
  return window.origin ? static_cast<const SegmentOrigin&>(*window.origin) : unknown;
}

std::string title_of(const Hit& hit) {
  const std::string& title = hit.label.empty() ? hit.query : hit.label;
  gchar* valid = g_utf8_make_valid(title.data(), title.size());
  std::string text;
  for (const gchar* at = valid; *at; at = g_utf8_next_char(at)) {
    if (is_control(g_utf8_get_char(at))) {
      text += ' ';
    } else {
      text.append(at, static_cast<size_t>(g_utf8_next_char(at) - at));
    }
  }
  g_free(valid);
  constexpr char kArrow[] = "-->";  // between the times of a cue
  for (size_t at; (at = text.find(kArrow)) != std::string::npos;)
    text.replace(at, sizeof kArrow - 1, "\u2192");
  return text;
}

GstStructure* result_structure(const Hit& hit, GstClockTime delay) {
  const AnalysisWindow& window = *hit.window;
  Fields fields("vidi/result");
  add_head(fields, window);
  fields.large("result-id", hit.result_id);
  fields.text("task", hit.task);
  fields.text("query", hit.query);
  fields.text("query-id", hit.query_id);
  add_times(fields, hit);
  add_place(fields, window);
  fields.real("relative-start", hit.relative_start);
  fields.real("relative-stop", hit.relative_stop);
  if (hit.confidence) fields.real("confidence", *hit.confidence);
  fields.text("label", hit.label);
  fields.text("source", hit.from_queries ? "queries" : "model");
  fields.text("text", hit.text);
  fields.flag("final", hit.final);
  add_quality(fields, window);
  fields.flag("truncated", hit.truncated);
  fields.time("inference-time", hit.inference_time);
  fields.clock("delay", delay);
  return fields.take();
}

GstStructure* window_structure(const AnalysisWindow& window, const Analysis* analysis,
                               unsigned n_results, GstClockTime delay, const char* error) {
  Fields fields("vidi/window");
  add_head(fields, window);
  add_place(fields, window);
  fields.number("results", n_results);
  add_quality(fields, window);
  if (analysis) fields.time("inference-time", analysis->inference_time);
  fields.clock("delay", delay);
  add_answers(fields, window, analysis);
  if (error) fields.text("error", error);
  return fields.take();
}

const char* reason_name(DropReason reason) {
  switch (reason) {
    case DropReason::kOverload:
      return "overload";
    case DropReason::kTooFewFrames:
      return "too-few-frames";
    case DropReason::kOutOfMemory:
      return "out-of-memory";
    case DropReason::kFlush:
      return "flush";
    case DropReason::kModelFailed:
      return "model-failed";
    case DropReason::kStopped:
      return "stopped";
  }
  return "";
}

GstStructure* dropped_structure(const AnalysisWindow& window, DropReason reason,
                                const std::string& error, const Counters& counters) {
  Fields fields("vidi/window-dropped");
  add_head(fields, window);
  add_place(fields, window);
  fields.text("reason", reason_name(reason));
  fields.text("error", error);
  fields.number("frames", window.frames.size() - window.n_stand_ins);
  fields.large("windows-dropped", counters.windows_dropped());
  fields.large("windows-submitted", counters.windows_submitted);
  return fields.take();
}

GstStructure* model_structure(ModelState state, const std::string& session_id,
                              const std::string& path, const ModelInfo* info, int64_t device_memory,
                              const char* error) {
  Fields fields("vidi/model");
  fields.number("schema-version", kSchemaVersion);
  fields.text("session-id", session_id);
  fields.text("state", state_nick(state));
  fields.text("model-path", path);
  if (info) {
    fields.text("device", info->device);
    fields.text("precision", info->precision);
    fields.text("weights", info->weights);
    fields.text("keys", info->keys);
    fields.text("plan", info->plan);
    fields.text("why-no-gpu", info->why_no_gpu);
    fields.text("why-no-kernels", info->why_no_kernels);
    fields.text("family", info->family);
    fields.large("weight-bytes", std::max<int64_t>(info->weight_bytes, 0));
    fields.large("device-memory", std::max<int64_t>(device_memory, 0));
    fields.seconds("load-time", info->load_seconds);
  }
  if (error) fields.text("error", error);
  return fields.take();
}

GstStructure* stats_structure(const Counters& counters) {
  Fields fields("vidi/stats");
  fields.large("windows-submitted", counters.windows_submitted);
  fields.large("windows-completed", counters.windows_completed);
  fields.large("windows-dropped", counters.windows_dropped());
  for (size_t i = 0; i < kDropReasons; ++i) {
    const std::string name =
        std::string("windows-dropped-") + reason_name(static_cast<DropReason>(i));
    fields.large(name.c_str(), counters.dropped[i]);
  }
  fields.large("windows-failed", counters.windows_failed);
  fields.large("frames-in", counters.frames_in);
  fields.large("frames-sampled", counters.frames_sampled);
  fields.large("audio-samples", counters.audio_samples);
  fields.large("pending", counters.pending);
  if (counters.windows_completed > 0) {
    const auto n = static_cast<int64_t>(counters.windows_completed);
    fields.time("inference-time-last", counters.inference_last);
    fields.time("inference-time-avg", counters.inference_sum / n);
    fields.time("inference-time-max", counters.inference_max);
    fields.time("delay-last", counters.delay_last);
    fields.time("delay-avg", counters.delay_sum / n);
    fields.time("delay-max", counters.delay_max);
  }
  if (counters.inference_sum.count() > 0)
    fields.real("realtime-factor", std::chrono::duration<double>(counters.analysed) /
                                       std::chrono::duration<double>(counters.inference_sum));
  fields.large("sample-memory", counters.sample_bytes);
  fields.large("gpu-memory", counters.device_bytes);
  fields.large("left-out", counters.left_out);
  fields.text("device", counters.device);
  fields.text("precision", counters.precision);
  fields.text("weights", counters.weights);
  fields.text("keys", counters.keys);
  fields.text("plan", counters.plan);
  fields.text("why-no-gpu", counters.why_no_gpu);
  return fields.take();
}

}  // namespace vidi
