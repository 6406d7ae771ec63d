// The element's states, what the model's thread tells it, and what an application asks of it.
#include "gst/filter/vidifilter.h"
#include "gst/worker/engine_library.h"

GST_DEBUG_CATEGORY_EXTERN(vidimodel_debug);
#define GST_CAT_DEFAULT vidimodel_debug

namespace vidi {
namespace {

constexpr gint64 kBetweenDropWarnings = 10 * G_USEC_PER_SEC;
constexpr int kFailuresUntilBroken = 3;
constexpr int kUsualPictureSide = 384;  // of the published models

struct GstError {
  GQuark domain;
  gint code;
};

GstError gst_error_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::kUnreadable:
    case ErrorCode::kDamaged:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kOverLimit:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
    case ErrorCode::kNoDevice:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT};
    case ErrorCode::kUnsupported:
    case ErrorCode::kBadInput:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    default:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
  }
}

std::string new_session_id() {
  gchar* text = g_uuid_string_random();
  std::string id = text;
  g_free(text);
  return id;
}

// The details of a warning that a question gets no answer; "": it was not even given an id.
GstStructure* refusal(const std::string& query_id, const std::string& query = "") {
  return gst_structure_new("vidi/refused", "query-id", G_TYPE_STRING, query_id.c_str(), "query",
                           G_TYPE_STRING, query.c_str(), nullptr);
}

}  // namespace

// ---- States ----

// NULL->READY: cheap checks and the engine library; no weights.
bool Filter::open() {
  broken_ = false;
  const auto s = settings();
  if (const std::string refused = refused_setting(); !refused.empty()) {
    post_error({ErrorCode::kBadInput, refused});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  if (s->model_path.empty()) {
    post_error(
        {ErrorCode::kNotFound, "model-path is not set, expected the folder of a Vidi checkpoint"});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  const auto door = engine_door();
  if (!door) {
    post_error({ErrorCode::kNoDevice, door.error().message});
    return s->error_policy == ErrorPolicy::kPassthrough;
  }
  door_ = *door;
  return true;
}

// gst-launch sets properties before anybody listens: a value that was refused then is told now.
std::string Filter::refused_setting() const {
  std::lock_guard lock(settings_mutex_);
  return refused_settings_.empty() ? "" : refused_settings_.begin()->second;
}

// READY->PAUSED: returns at once, the model loads behind our back, unless the user wants it
// otherwise.
bool Filter::begin() {
  broken_ = false;
  for (auto& said : said_) said = false;
  {
    std::lock_guard lock(refused_mutex_);
    refused_.clear();
  }
  n_frames_ = n_submitted_ = n_sound_news_ = 0;
  too_small_ = sound_may_wait_ = sound_has_stream_ = sound_has_data_ = false;
  seen_end_ = -1;
  last_drop_warning_ = 0;
  last_percent_ = -1;
  video_ = {};
  gst_segment_init(&video_.segment, GST_FORMAT_TIME);
  delivery_.start(new_session_id());
  for (const auto& pad : delivery_.side_pads()) pad->forget();
  if (const auto idle = idle_audio()) idle->forget();
  {
    std::lock_guard lock(flush_mutex_);
    video_flushes_ = audio_flushes_ = false;
  }
  if (!door_) {  // opening failed, and the stream shall go on
    set_model_state(ModelState::kFailed);
    return true;
  }
  learn_frame_rate();
  const auto s = settings();
  warn_of_settings(*s);
  feed_.start(s->shape());
  set_model_state(ModelState::kLoading);
  post_progress(GST_PROGRESS_TYPE_START, "Loading the model");
  client_.set_limits(s->max_pending_windows, s->keep_windows);
  client_.start(*door_, s->model_key());
  if (s->model_load == ModelLoad::kAsync || client_.wait_until_loaded()) return true;
  return s->error_policy == ErrorPolicy::kPassthrough;
}

// The first frames are sampled while the model is still loading, so this does not wait for it.
void Filter::learn_frame_rate() {
  FrameRate rate{1, 1};
  const auto stated = door_->frame_rate(settings()->model_path);
  // Else the load fails with the reason.
  if (stated) gst_util_double_to_fraction(*stated, &rate.numerator, &rate.denominator);
  std::lock_guard lock(settings_mutex_);
  auto changed = std::make_shared<Settings>(*settings_);
  changed->checkpoint_rate = rate;
  settings_ = std::move(changed);
}

// Settings that are legal and yet find nothing.
void Filter::warn_of_settings(const Settings& s) {
  if (s.task == Task::kRetrieval && s.query.empty() && s.queries.empty()) {
    warn("neither query nor queries is set: windows are prepared, but nothing is asked");
  }
  if (s.window_duration != 0 && s.window_stride > s.window_duration) {
    warn(
        "window-stride is longer than window-duration: what lies between two windows is not "
        "watched");
  }
  const guint64 frame = s.frame_rate().interval().count();
  if (s.window_duration != 0 && s.window_duration <= frame) {
    warn(
        "a window-duration of " + std::to_string(s.window_duration) +
        " ns holds a single frame at this frame-rate, expected two or more: no window is analysed");
  }
}

// PAUSED->READY, first half: whoever waits on a streaming thread comes back, so that pads can stop.
void Filter::interrupt_all() {
  std::lock_guard lock(flush_mutex_);
  ++epoch_;
  client_.interrupt(epoch_);
  feed_.interrupt(epoch_);
  reporter_.flush(epoch_);
}

void Filter::end() {
  late_end_.cancel();
  feed_.stop();
  const bool was_loading = state_ == ModelState::kLoading;
  client_.stop();
  audio_input_.flush();
  reporter_.flush(epoch_);
  delivery_.flush(epoch_);
  if (was_loading) post_progress(GST_PROGRESS_TYPE_CANCELED, "Loading the model was cancelled");
  set_model_state(ModelState::kUnloaded);
}

void Filter::close() {
  door_ = nullptr;
  cuda_context_.forget();
}

// ---- What the model's thread tells ----

void Filter::model_progress(double fraction) {
  const int percent = static_cast<int>(fraction * 100);
  if (last_percent_.exchange(percent) == percent) return;
  post_progress(GST_PROGRESS_TYPE_CONTINUE, "Loading the model: " + std::to_string(percent) + " %",
                percent);
}

void Filter::model_ready(const ModelInfo& info) {
  GST_INFO_OBJECT(element_, "model ready on %s in %s", info.device.c_str(), info.precision.c_str());
  for (const std::string& name : info.unused_tensors) {
    GST_DEBUG_OBJECT(element_, "tensor not used: %s", name.c_str());
  }
  set_model_state(ModelState::kReady);
  post_progress(GST_PROGRESS_TYPE_COMPLETE, "The model is loaded");
  send_model(&info, nullptr);
}

void Filter::model_failed(const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  set_model_state(ModelState::kFailed);
  post_progress(GST_PROGRESS_TYPE_ERROR, error.message);
  send_model(nullptr, error.message.c_str());
  post_error(error);
}

// A drop is said in four ways: event and message, QOS, a warning now and then, `stats`.
void Filter::window_dropped(const AnalysisWindow& window, DropReason reason,
                            const std::string& error) {
  if (reason == DropReason::kOutOfMemory) reporter_.pass(window);
  const Counters counters = client_.counters();
  delivery_.send(dropped_structure(window, reason, error, counters), &window);
  post_qos(window, counters);
  const bool no_memory = reason == DropReason::kOutOfMemory;
  if (reason != DropReason::kOverload && !no_memory) return;
  const gint64 now = g_get_monotonic_time();
  gint64 last = last_drop_warning_;
  if ((last != 0 && now - last < kBetweenDropWarnings) ||
      !last_drop_warning_.compare_exchange_strong(last, now)) {
    return;
  }
  const std::string share = std::to_string(counters.windows_dropped()) + " of " +
                            std::to_string(counters.windows_submitted) +
                            " windows were dropped until now";
  warn(no_memory ? "there is no memory for a window, " + share + ": " + error
                 : "the model is slower than the stream: " + share);
}

void Filter::post_qos(const AnalysisWindow& window, const Counters& counters) {
  const SegmentOrigin& origin = origin_of(window);
  const guint64 start = std::max<int64_t>(0, window.start.count());
  GstMessage* message =
      gst_message_new_qos(GST_OBJECT(element_), origin.live,
                          gst_segment_to_running_time(&origin.segment, GST_FORMAT_TIME, start),
                          gst_segment_to_stream_time(&origin.segment, GST_FORMAT_TIME, start),
                          start, (window.stop - window.start).count());
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, counters.windows_completed,
                            counters.windows_dropped());
  gst_element_post_message(element_, message);
}

void Filter::window_failed(const AnalysisWindow& window, const Error& error, int in_a_row) {
  reporter_.report_failure(window, error);
  if (in_a_row < kFailuresUntilBroken) return warn("a window was not analysed: " + error.message);
  client_.give_up();
  set_model_state(ModelState::kFailed);
  send_model(nullptr, error.message.c_str());
  post_error({error.code, std::to_string(in_a_row) + " windows in a row failed: " + error.message});
}

// Once for each question of a run, not with every window.
void Filter::question_refused(const Question& question, const std::string& why) {
  {
    std::lock_guard lock(refused_mutex_);
    if (!refused_.insert(question.id + " " + question.text).second) return;
  }
  warn("query " + question.id + " is refused, the others are asked: " + why,
       refusal(question.id, question.title));
}

void Filter::request_failed(const std::string& id, const std::string& why) {
  warn("the question " + id + " is not answered: " + why, refusal(id));
}

void Filter::set_model_state(ModelState state) {
  if (state_.exchange(state) != state) g_object_notify(G_OBJECT(element_), "model-state");
}

void Filter::send_model(const ModelInfo* info, const char* error) {
  delivery_.send(model_structure(state_, delivery_.session_id(), settings()->model_path, info,
                                 client_.counters().device_bytes, error),
                 nullptr);
}

// GstMessageProgress has a field for the percent, and no function that sets it.
void Filter::post_progress(GstProgressType type, const std::string& text, int percent) {
  GstMessage* message =
      gst_message_new_progress(GST_OBJECT(element_), type, "model-load", text.c_str());
  if (percent >= 0) {
    GstStructure* fields = gst_message_writable_structure(message);
    gst_structure_set(fields, "percent", G_TYPE_INT, percent, nullptr);
  }
  gst_element_post_message(element_, message);
}

// With error-policy=passthrough a broken model is a warning, and the stream goes on.
void Filter::post_error(const Error& error) {
  const GstError e = gst_error_of(error.code);
  const bool fatal = settings()->error_policy == ErrorPolicy::kFail;
  if (fatal) broken_ = true;
  gst_element_message_full(element_, fatal ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING, e.domain,
                           e.code, g_strdup(error.message.c_str()), nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

void Filter::warn(const std::string& text, GstStructure* details) {
  gst_element_message_full_with_details(element_, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
                                        GST_STREAM_ERROR_FAILED, g_strdup(text.c_str()), nullptr,
                                        __FILE__, GST_FUNCTION, __LINE__, details);
}

void Filter::warn_once(Said which, const std::string& text) {
  if (!said_[which].exchange(true)) warn(text);
}

// ---- What the feed asks ----

int Filter::picture_side() const {
  const auto side = door_->picture_side(settings()->model_path);
  return side ? *side : kUsualPictureSide;  // the load fails with the reason
}

// With device=cpu the GPU is the decoder's alone.
DeviceReading Filter::device_reading() const {
  const bool may_use_device = door_ && settings()->device != "cpu";
  return {may_use_device ? door_->shrink : nullptr, [this] { return picture_side(); }};
}

void Filter::submit(std::shared_ptr<AnalysisWindow> window) {
  const auto s = settings();
  window->plan = s->plan(true);
  if (s->task == Task::kHighlight) window->plan_without_prompt = s->plan(false);
  ++n_submitted_;
  const bool live = origin_of(*window).live;
  client_.submit(std::move(window), s->policy(live));
}

// ---- Application's threads ----

std::shared_ptr<const Settings> Filter::settings() const {
  std::lock_guard lock(settings_mutex_);
  return settings_;
}

bool Filter::set_property(guint id, const GValue* value, std::string* error) {
  std::lock_guard in_turn(change_mutex_);  // windows have the settings that were set last
  std::shared_ptr<const Settings> now;
  {
    std::lock_guard lock(settings_mutex_);
    auto changed = std::make_shared<Settings>(*settings_);
    if (!set_setting(*changed, id, value, error)) return false;
    if (!error->empty()) {
      if (GST_STATE(element_) == GST_STATE_NULL) refused_settings_[id] = *error;
      return false;
    }
    refused_settings_.erase(id);
    now = settings_ = changed;
  }
  feed_.reshape(now->shape());
  client_.set_limits(now->max_pending_windows, now->keep_windows);
  return true;
}

bool Filter::get_property(guint id, GValue* value) {
  if (id == kPropStats) {
    g_value_take_boxed(value, stats_structure(counters()));
    return true;
  }
  if (id == kPropModelState) {
    g_value_set_enum(value, static_cast<gint>(state_.load()));
    return true;
  }
  return get_setting(*settings(), id, value);
}

Counters Filter::counters() {
  Counters counters = client_.counters();
  counters.frames_in = n_frames_;
  counters.frames_sampled = feed_.n_sampled();
  counters.audio_samples = feed_.audio().n_received();
  counters.sample_bytes = feed_.n_bytes();
  counters.left_out = delivery_.n_left_out();
  return counters;
}

std::string Filter::ask(const char* query, guint64 start, guint64 stop) {
  if (!query || !*query || !g_utf8_validate(query, -1, nullptr)) {
    warn("ask: expected a question in UTF-8, found an empty or broken one", refusal(""));
    return "";
  }
  const bool open_end = stop == GST_CLOCK_TIME_NONE;
  const Time from(start == GST_CLOCK_TIME_NONE ? 0 : start);
  const Time to = open_end ? kForever : Time(stop);
  const std::string id = "ask-" + std::to_string(++n_asked_);

  auto plan = std::make_shared<AskPlan>(*settings()->plan(false));
  plan->task = "retrieval", plan->ranked = false, plan->merge = false;
  plan->questions = {{id, query, query}};
  std::shared_ptr<AnalysisWindow> window;
  if (start != GST_CLOCK_TIME_NONE && !open_end && !client_.covers(from, to)) {
    window = feed_.snapshot(from, to);
  }
  const ModelClient::Asked asked = client_.ask(plan, from, to, std::move(window));
  if (asked == ModelClient::Asked::kYes) return id;
  if (asked == ModelClient::Asked::kTooMany) {
    warn("ask: too many questions wait for their answers, expected fewer at a time", refusal(""));
    return "";
  }
  warn(
      "ask: nothing is kept of the time that was asked about, expected a time in the last "
      "analysed window or in the pictures that are kept for the next",
      refusal(""));
  return "";
}

void Filter::analyze_now() {
  if (seen_end_ >= 0) feed_.close(Time(seen_end_));
}

}  // namespace vidi
