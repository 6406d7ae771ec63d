#include "gst/results/structures.h"

#include <algorithm>

#include "gst/results/fields.h"
#include "gst/results/hit_times.h"
#include "gst/worker/analysis.h"
#include "model/options.h"

namespace vidi {
namespace {

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

}  // namespace vidi
