// The element's states, and what the model's thread tells it.
#include <algorithm>

#include "gst/filter/vidifilter.h"
#include "gst/results/analytics_meta.h"

GST_DEBUG_CATEGORY_EXTERN(vidimodel_debug);
#define GST_CAT_DEFAULT vidimodel_debug

namespace vidi {
namespace {

std::string new_session_id() {
  gchar* text = g_uuid_string_random();
  std::string id = text;
  g_free(text);
  return id;
}

// Settings that are legal and yet find nothing.
void warn_of_settings(const Settings& s, const Notices& notices) {
  if (s.task == Task::kRetrieval && s.plan(false)->questions.empty()) {
    notices.warn(
        "none of query, queries and queries-file is set: windows are prepared, but nothing is "
        "asked");
  }
  if (s.window_duration != 0 && s.window_stride > s.window_duration) {
    notices.warn(
        "window-stride is longer than window-duration: what lies between two windows is not "
        "watched");
  }
  if (s.analytics_meta && !has_analytics_meta()) {
    notices.warn(
        "analytics-meta needs GStreamer 1.24, this build is for an older one: pictures pass "
        "without");
  }
  const guint64 frame = s.frame_rate().interval().count();
  if (s.window_duration != 0 && s.window_duration <= frame) {
    notices.warn(
        "a window-duration of " + std::to_string(s.window_duration) +
        " ns holds a single frame at this frame-rate, expected two or more: no window is analysed");
  }
}

}  // namespace

// ---- States ----

// NULL->READY: cheap checks and the engine library; no weights.
bool Filter::open() {
  status_.forget_error();
  const auto s = settings_.now();
  if (const std::string refused = settings_.refused(); !refused.empty()) {
    status_.post_error({ErrorCode::kBadInput, refused});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  if (s->model_place().folder.empty()) {
    status_.post_error(
        {ErrorCode::kNotFound,
         "model-path is not set, expected the folder of a Vidi checkpoint there or in "
         "VIDI_MODEL in the environment"});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  const Result<bool> opened = engine_.open();
  if (!opened) {
    status_.post_error({ErrorCode::kNoDevice, opened.error().message});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  if (const auto devices = engine_.devices(); !devices) {
    engine_.close();
    status_.post_error(devices.error());
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  return true;
}

// READY->PAUSED: returns at once, the model loads behind our back, unless the user wants it
// otherwise.
bool Filter::begin() {
  status_.forget_error();
  notices_.start();
  tally_.n_submitted = 0;
  tally_.too_small = false;
  video_.start();
  audio_.start();
  delivery_.start(new_session_id());
  side_pads_.forget();
  idle_audio_.forget();
  flushes_.forget();
  if (!engine_.is_open()) {  // opening failed, and the stream shall go on
    status_.set(ModelState::kFailed);
    return true;
  }
  settings_.set_checkpoint_rate(engine_.frame_rate());
  const auto s = settings_.now();
  warn_of_settings(*s, notices_);
  feed_.start(s->shape());
  status_.set(ModelState::kLoading);
  notices_.post_progress(GST_PROGRESS_TYPE_START, "Loading the model");
  client_.set_limits(s->max_pending_windows, s->keep_windows);
  client_.set_max_delay(Time(s->max_delay));
  client_.set_gate(s->gate_settings());
  client_.start_on(engine_.api(), s->model_key(), *engine_.devices());
  if (s->model_load == ModelLoad::kAsync || client_.wait_until_loaded()) return true;
  return s->error_policy == ErrorPolicy::kPassthrough;
}

// PAUSED->READY, first half: whoever waits on a streaming thread comes back, so that pads can stop.
void Filter::interrupt_all() { flushes_.interrupt(); }

void Filter::end() {
  late_end_.cancel();
  feed_.stop();
  const bool was_loading = status_.state() == ModelState::kLoading;
  client_.stop();
  audio_.forget_input();
  flushes_.forget_results();
  if (was_loading) {
    notices_.post_progress(GST_PROGRESS_TYPE_CANCELED, "Loading the model was cancelled");
  }
  status_.set(ModelState::kUnloaded);
}

void Filter::close() {
  engine_.close();
  cuda_context_.forget();
}

// ---- What the model's thread tells ----

void Filter::model_ready(const ModelInfo& info) {
  GST_INFO_OBJECT(element_, "model ready on %s in %s", info.device.c_str(), info.precision.c_str());
  for (const std::string& name : info.unused_tensors) {
    GST_DEBUG_OBJECT(element_, "tensor not used: %s", name.c_str());
  }
  status_.set(ModelState::kReady);
  notices_.post_progress(GST_PROGRESS_TYPE_COMPLETE, "The model is loaded");
  status_.send(&info, nullptr, client_.counters().device_bytes);
}

void Filter::model_failed(const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  status_.set(ModelState::kFailed);
  notices_.post_progress(GST_PROGRESS_TYPE_ERROR, error.message);
  status_.send(nullptr, error.message.c_str(), client_.counters().device_bytes);
  status_.post_error(error);
}

void Filter::device_left_out(const std::string& device, const Error& why) {
  notices_.warn("device " + device + " is left out, the others go on without it: " + why.message);
}

// What waits for it meanwhile is under the usual rules.
void Filter::model_unloaded(const Error* why) {
  status_.set(ModelState::kUnloaded);
  if (why) notices_.post_progress(GST_PROGRESS_TYPE_ERROR, why->message);
  status_.send(nullptr, why ? why->message.c_str() : nullptr, client_.counters().device_bytes);
}

void Filter::model_loading() {
  status_.set(ModelState::kLoading);
  notices_.post_progress(GST_PROGRESS_TYPE_START, "Loading the model");
  status_.send(nullptr, nullptr, client_.counters().device_bytes);
}

// A drop is said in four ways: event and message, QOS, a warning now and then, `stats`.
void Filter::window_dropped(const AnalysisWindow& window, DropReason reason,
                            const std::string& error) {
  if (reason == DropReason::kOutOfMemory) reporter_.pass(window);
  const Counters counters = client_.counters();
  delivery_.send(dropped_structure(window, reason, error, counters), &window);
  notices_.post_qos(window, counters);
  notices_.warn_of_drops(reason, error, counters);
}

void Filter::window_failed(const AnalysisWindow& window, const Error& error, int in_a_row) {
  reporter_.report_failure(window, error);
  if (in_a_row < kFailuresUntilBroken)
    return notices_.warn("a window was not analysed: " + error.message);
  client_.give_up();
  status_.set(ModelState::kFailed);
  status_.send(nullptr, error.message.c_str(), client_.counters().device_bytes);
  const std::vector<DeviceCounters> devices = client_.counters().devices;
  const bool was_last = std::any_of(devices.begin(), devices.end(),
                                    [](const auto& device) { return !device.why_out.empty(); });
  status_.post_error({error.code, std::to_string(in_a_row) + " windows in a row failed" +
                                      (was_last ? " on the last device that was left: " : ": ") +
                                      error.message});
}

void Filter::question_refused(const Question& question, const std::string& why) {
  notices_.warn_of_question(question, why);
}

void Filter::request_failed(const std::string& id, const std::string& why) {
  notices_.warn_of_refusal("the question " + id + " is not answered: " + why, id);
}

}  // namespace vidi
