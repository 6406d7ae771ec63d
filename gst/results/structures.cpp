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
  void structures(const char* name, const std::vector<GstStructure*>& values) {  // takes them
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, values.size());
    for (GstStructure* value : values) {
      GValue item = G_VALUE_INIT;
      g_value_init(&item, GST_TYPE_STRUCTURE);
      g_value_take_boxed(&item, value);
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
  fields.number(VIDI_FIELD_SCHEMA_VERSION, kSchemaVersion);
  fields.text(VIDI_FIELD_SESSION_ID, origin_of(window).session_id);
}

void add_place(Fields& fields, const AnalysisWindow& window) {
  fields.large(VIDI_FIELD_WINDOW_INDEX, window.index);
  fields.time(VIDI_FIELD_WINDOW_START, window.start);
  fields.time(VIDI_FIELD_WINDOW_STOP, window.stop);
}

void add_quality(Fields& fields, const AnalysisWindow& window) {
  fields.flag(VIDI_FIELD_PARTIAL_WINDOW, window.partial);
  fields.flag(VIDI_FIELD_HAS_AUDIO, !window.audio.empty());
  fields.number(VIDI_FIELD_FRAMES, window.frames.size() - window.n_stand_ins);
  fields.large(VIDI_FIELD_DROPPED_FRAMES, window.dropped_frames);
}

void add_times(Fields& fields, const Hit& hit) {
  fields.time(VIDI_FIELD_TIMESTAMP, hit.start);
  fields.time(VIDI_FIELD_DURATION, hit.stop - hit.start);
  fields.clock(VIDI_FIELD_STREAM_TIME, stream_time(*hit.window, hit.start));
  fields.clock(VIDI_FIELD_RUNNING_TIME, running_time(*hit.window, hit.start));
  fields.date(VIDI_FIELD_UTC_TIME, utc_time(*hit.window, hit.start));
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
  fields.texts(VIDI_FIELD_QUERIES, queries);
  fields.texts(VIDI_FIELD_QUERY_IDS, ids);
  if (!analysis) return;
  std::vector<std::string> texts;
  for (const Answer& answer : analysis->answers) texts.push_back(answer.text);
  fields.texts(VIDI_FIELD_TEXTS, texts);
  fields.texts(VIDI_FIELD_NOTES, notes(*analysis, queries));
  fields.flag(VIDI_FIELD_SMALL_STEPS, analysis->in_small_steps);
}

void add_gate(Fields& fields, const GateReading& reading) {
  fields.flag(VIDI_FIELD_GATED, !reading.is_open);
  if (reading.similarity) fields.real(VIDI_FIELD_SIMILARITY, *reading.similarity);
}

// What ends a line, begins an escape or turns what follows.
bool is_control(gunichar c) {
  constexpr gunichar kLineSeparator = 0x2028, kParagraphSeparator = 0x2029;
  return g_unichar_iscntrl(c) || c == kLineSeparator || c == kParagraphSeparator;
}

const char* state_nick(ModelState state) {
  switch (state) {
    case ModelState::kUnloaded:
      return VIDI_STATE_UNLOADED;
    case ModelState::kLoading:
      return VIDI_STATE_LOADING;
    case ModelState::kReady:
      return VIDI_STATE_READY;
    case ModelState::kFailed:
      return VIDI_STATE_FAILED;
  }
  return VIDI_STATE_UNLOADED;
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
  Fields fields(VIDI_MESSAGE_RESULT);
  add_head(fields, window);
  fields.large(VIDI_FIELD_RESULT_ID, hit.result_id);
  fields.text(VIDI_FIELD_TASK, hit.task);
  fields.text(VIDI_FIELD_QUERY, hit.query);
  fields.text(VIDI_FIELD_QUERY_ID, hit.query_id);
  add_times(fields, hit);
  add_place(fields, window);
  fields.real(VIDI_FIELD_RELATIVE_START, hit.relative_start);
  fields.real(VIDI_FIELD_RELATIVE_STOP, hit.relative_stop);
  if (hit.confidence) fields.real(VIDI_FIELD_CONFIDENCE, *hit.confidence);
  fields.text(VIDI_FIELD_LABEL, hit.label);
  fields.text(VIDI_FIELD_SOURCE, hit.from_queries ? VIDI_SOURCE_QUERIES : VIDI_SOURCE_MODEL);
  fields.text(VIDI_FIELD_TEXT, hit.text);
  fields.flag(VIDI_FIELD_FINAL, hit.final);
  add_quality(fields, window);
  fields.flag(VIDI_FIELD_TRUNCATED, hit.truncated);
  fields.time(VIDI_FIELD_INFERENCE_TIME, hit.inference_time);
  fields.clock(VIDI_FIELD_DELAY, delay);
  return fields.take();
}

GstStructure* window_structure(const AnalysisWindow& window, const Analysis* analysis,
                               unsigned n_results, GstClockTime delay, const char* error) {
  Fields fields(VIDI_MESSAGE_WINDOW);
  add_head(fields, window);
  add_place(fields, window);
  fields.number(VIDI_FIELD_RESULTS, n_results);
  add_quality(fields, window);
  if (analysis) fields.time(VIDI_FIELD_INFERENCE_TIME, analysis->inference_time);
  fields.clock(VIDI_FIELD_DELAY, delay);
  add_answers(fields, window, analysis);
  if (analysis && analysis->gate) add_gate(fields, *analysis->gate);
  if (error) fields.text(VIDI_FIELD_ERROR, error);
  return fields.take();
}

GstStructure* gated_structure(const AnalysisWindow& window, const GateReading& reading,
                              GstClockTime delay) {
  Fields fields(VIDI_MESSAGE_WINDOW);
  add_head(fields, window);
  add_place(fields, window);
  fields.number(VIDI_FIELD_RESULTS, 0);
  add_quality(fields, window);
  fields.clock(VIDI_FIELD_DELAY, delay);
  add_answers(fields, window, nullptr);
  add_gate(fields, reading);
  return fields.take();
}

const char* reason_name(DropReason reason) {
  switch (reason) {
    case DropReason::kOverload:
      return VIDI_REASON_OVERLOAD;
    case DropReason::kTooFewFrames:
      return VIDI_REASON_TOO_FEW_FRAMES;
    case DropReason::kOutOfMemory:
      return VIDI_REASON_OUT_OF_MEMORY;
    case DropReason::kFlush:
      return VIDI_REASON_FLUSH;
    case DropReason::kModelFailed:
      return VIDI_REASON_MODEL_FAILED;
    case DropReason::kStopped:
      return VIDI_REASON_STOPPED;
  }
  return "";
}

GstStructure* dropped_structure(const AnalysisWindow& window, DropReason reason,
                                const std::string& error, const Counters& counters) {
  Fields fields(VIDI_MESSAGE_WINDOW_DROPPED);
  add_head(fields, window);
  add_place(fields, window);
  fields.text(VIDI_FIELD_REASON, reason_name(reason));
  fields.text(VIDI_FIELD_ERROR, error);
  fields.number(VIDI_FIELD_FRAMES, window.frames.size() - window.n_stand_ins);
  fields.large(VIDI_FIELD_WINDOWS_DROPPED, counters.windows_dropped());
  fields.large(VIDI_FIELD_WINDOWS_SUBMITTED, counters.windows_submitted);
  return fields.take();
}

GstStructure* model_structure(ModelState state, const std::string& session_id,
                              const std::string& path, const ModelInfo* info, int64_t device_memory,
                              const char* error) {
  Fields fields(VIDI_MESSAGE_MODEL);
  fields.number(VIDI_FIELD_SCHEMA_VERSION, kSchemaVersion);
  fields.text(VIDI_FIELD_SESSION_ID, session_id);
  fields.text(VIDI_FIELD_STATE, state_nick(state));
  fields.text(VIDI_FIELD_MODEL_PATH, path);
  if (info) {
    fields.text(VIDI_FIELD_DEVICE, info->device);
    fields.text(VIDI_FIELD_PRECISION, info->precision);
    fields.text(VIDI_FIELD_WEIGHTS, info->weights);
    fields.text(VIDI_FIELD_KEYS, info->keys);
    fields.text(VIDI_FIELD_PLAN, info->plan);
    fields.text(VIDI_FIELD_WHY_NO_GPU, info->why_no_gpu);
    fields.text(VIDI_FIELD_WHY_NO_KERNELS, info->why_no_kernels);
    fields.text(VIDI_FIELD_FAMILY, info->family);
    fields.large(VIDI_FIELD_WEIGHT_BYTES, std::max<int64_t>(info->weight_bytes, 0));
    fields.large(VIDI_FIELD_DEVICE_MEMORY, std::max<int64_t>(device_memory, 0));
    fields.seconds(VIDI_FIELD_LOAD_TIME, info->load_seconds);
  }
  if (error) fields.text(VIDI_FIELD_ERROR, error);
  return fields.take();
}

namespace {

std::vector<GstStructure*> device_structures(const Counters& counters) {
  std::vector<GstStructure*> all;
  for (const DeviceCounters& device : counters.devices) {
    Fields fields(VIDI_STRUCTURE_DEVICE);
    fields.text(VIDI_FIELD_DEVICE, device.device);
    fields.large(VIDI_FIELD_WINDOWS_COMPLETED, device.windows_completed);
    fields.large(VIDI_FIELD_WINDOWS_FAILED, device.windows_failed);
    fields.large(VIDI_FIELD_GPU_MEMORY, device.bytes);
    fields.text(VIDI_FIELD_ERROR, device.why_out);
    all.push_back(fields.take());
  }
  return all;
}

}  // namespace

GstStructure* stats_structure(const Counters& counters) {
  Fields fields(VIDI_STRUCTURE_STATS);
  fields.large(VIDI_FIELD_WINDOWS_SUBMITTED, counters.windows_submitted);
  fields.large(VIDI_FIELD_WINDOWS_COMPLETED, counters.windows_completed);
  fields.large(VIDI_FIELD_WINDOWS_GATED, counters.windows_gated);
  fields.large(VIDI_FIELD_WINDOWS_DROPPED, counters.windows_dropped());
  for (size_t i = 0; i < kDropReasons; ++i) {
    const std::string name =
        std::string(VIDI_FIELD_WINDOWS_DROPPED_FOR) + reason_name(static_cast<DropReason>(i));
    fields.large(name.c_str(), counters.dropped[i]);
  }
  fields.large(VIDI_FIELD_WINDOWS_FAILED, counters.windows_failed);
  fields.large(VIDI_FIELD_FRAMES_IN, counters.frames_in);
  fields.large(VIDI_FIELD_FRAMES_SAMPLED, counters.frames_sampled);
  fields.large(VIDI_FIELD_AUDIO_SAMPLES, counters.audio_samples);
  fields.large(VIDI_FIELD_PENDING, counters.pending);
  if (counters.windows_completed > 0) {
    const auto n = static_cast<int64_t>(counters.windows_completed);
    fields.time(VIDI_FIELD_INFERENCE_TIME_LAST, counters.inference_last);
    fields.time(VIDI_FIELD_INFERENCE_TIME_AVG, counters.inference_sum / n);
    fields.time(VIDI_FIELD_INFERENCE_TIME_MAX, counters.inference_max);
    fields.time(VIDI_FIELD_DELAY_LAST, counters.delay_last);
    fields.time(VIDI_FIELD_DELAY_AVG, counters.delay_sum / n);
    fields.time(VIDI_FIELD_DELAY_MAX, counters.delay_max);
  }
  if (counters.inference_sum.count() > 0)
    fields.real(VIDI_FIELD_REALTIME_FACTOR,
                std::chrono::duration<double>(counters.analysed) /
                    std::chrono::duration<double>(counters.inference_sum));
  fields.large(VIDI_FIELD_SAMPLE_MEMORY, counters.sample_bytes);
  fields.large(VIDI_FIELD_GPU_MEMORY, counters.device_bytes);
  fields.large(VIDI_FIELD_LEFT_OUT, counters.left_out);
  fields.text(VIDI_FIELD_DEVICE, counters.device);
  fields.text(VIDI_FIELD_PRECISION, counters.precision);
  fields.text(VIDI_FIELD_WEIGHTS, counters.weights);
  fields.text(VIDI_FIELD_KEYS, counters.keys);
  fields.text(VIDI_FIELD_PLAN, counters.plan);
  fields.text(VIDI_FIELD_WHY_NO_GPU, counters.why_no_gpu);
  if (counters.devices.size() > 1)
    fields.structures(VIDI_FIELD_DEVICES, device_structures(counters));
  return fields.take();
}

}  // namespace vidi
