#include "examples/watch/watcher.h"

#include <glib-unix.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "examples/common/output.h"
#include "examples/common/places.h"
#include "examples/common/text.h"
#include "examples/watch/disposal.h"
#include "examples/watch/scratch_folder.h"
#include "examples/watch/stop_signals.h"
#include "examples/watch/watch_filter.h"

namespace {

constexpr guint kLongestClosingS = 5;
constexpr auto kLongestGoodbye = std::chrono::seconds(1);
constexpr int kMostAtOnce = 5;  // connections in a row

GstClockTime ns(double seconds) { return static_cast<GstClockTime>(seconds * GST_SECOND); }

}  // namespace

void say(const std::string& line) { say_on_stderr("vidi-watch", line); }

Watcher::Watcher(const WatchArguments& arguments, const std::string& model)
    : arguments_(arguments), model_(model) {
  if (!arguments.hls.empty()) {
    publisher_.emplace(HlsPublisher::Settings{.folder = arguments.hls,
                                              .segment_s = arguments.hls_segment_s,
                                              .keep_s = arguments.hls_keep_s,
                                              .delay_s = arguments.hls_delay_s,
                                              .tells_clock = arguments.uri.starts_with("rtsp")},
                       HlsPublisher::Host{[](const std::string& line) { say(line); },
                                          [this](const std::string& line) { note(line); },
                                          [this] { leave_when_saved(); }});
  }
  if (arguments.record.empty()) return;
  recorder_.emplace(
      arguments.record, ns(arguments.before_s), ns(arguments.after_s),
      ClipRecorder::Host{[this](const ClipRecorder::Saved& saved) { take_clip(saved); },
                         [](const std::string& line) { say(line); },
                         [this](const std::string& line) { note(line); }});
}

Watcher::~Watcher() {
  for (guint source : {keeper_watch_, retry_timer_, closing_timer_}) {
    if (source) g_source_remove(source);
  }
  let_go(false);
  wait_for_disposals(kLongestGoodbye);
  if (keeper_) {
    gst_element_set_state(keeper_, GST_STATE_NULL);
    gst_object_unref(keeper_);
  }
  g_main_loop_unref(loop_);
}

// What every connection is made of: a sentence about the first that is not there, or cannot be
// loaded.
static std::string what_is_missing(bool records, bool publishes) {
  std::vector<const char*> needed{"vidifilter", "queue", "tee", "fakesink", "decodebin"};
  if (records) needed.insert(needed.end(), {"splitmuxsink", "matroskamux"});
  if (publishes)
    needed.insert(needed.end(), {"appsrc", "h264parse", "h265parse", "aacparse", "mpegtsmux"});
  for (const char* name : needed) {
    GstElement* element = gst_element_factory_make(name, nullptr);
    if (!element) return std::string("GStreamer has no element named ") + name;
    gst_object_unref(gst_object_ref_sink(element));
  }
  return "";
}

int Watcher::run() {
  std::string wrong = what_is_missing(recorder_.has_value(), publisher_.has_value());
  if (wrong.empty() && recorder_) wrong = recorder_->prepare();
  if (wrong.empty() && publisher_) wrong = publisher_->prepare();
  if (!wrong.empty()) {
    say(wrong);
    return kFailed;
  }
  stop_at_signals([this] { stop(); }, delete_scratch_folders);
  // A pipe's or a socket's other end; a file never says so.
  g_unix_fd_add(STDOUT_FILENO, static_cast<GIOCondition>(G_IO_ERR | G_IO_HUP), on_reader_left,
                this);
  load();
  if (!leaving_) g_main_loop_run(loop_);
  return status_;
}

void Watcher::note(const std::string& line) const {
  if (!arguments_.quiet) say(line);
}

// ---- The model ----

static bool begins_a_load(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_PROGRESS) return false;
  GstProgressType type;
  gst_message_parse_progress(message, &type, nullptr, nullptr);
  return type == GST_PROGRESS_TYPE_START;
}

void Watcher::load() {
  keeper_ = gst_pipeline_new("keeper");
  gst_bin_add(GST_BIN(keeper_), make_filter(arguments_, model_));
  GstBus* bus = gst_element_get_bus(keeper_);
  keeper_watch_ = gst_bus_add_watch(bus, on_keeper_message, this);
  gst_object_unref(bus);
  gst_element_set_state(keeper_, GST_STATE_PAUSED);  // a failure comes as a message
}

gboolean Watcher::on_keeper_message(GstBus*, GstMessage* message, gpointer data) {
  auto* self = static_cast<Watcher*>(data);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    say(in_options(printable(error->message)));
    g_error_free(error);
    self->leave(kFailed);
    return G_SOURCE_CONTINUE;
  }
  if (!self->started_ && begins_a_load(message))
    self->note("loading the model " + printable(self->model_));
  const GstStructure* s = gst_message_get_structure(message);
  const bool is_ready = s && gst_structure_has_name(s, "vidi/model") &&
                        g_strcmp0(gst_structure_get_string(s, "state"), "ready") == 0;
  // Once: with --unload-after the model is ready again and again.
  if (is_ready && !self->started_ && !self->stopping_) {
    self->started_ = true;
    self->note("the model is ready " + place_text(s));
    self->connect();
  }
  return G_SOURCE_CONTINUE;
}

// ---- Connections ----

std::string Watcher::source_name() const {
  return arguments_.uri == "fd://0" ? "stdin" : printable(arguments_.uri);
}

void Watcher::connect() {
  note("watching " + source_name());
  counted_.clear();
  connection_ = std::make_unique<Connection>(
      arguments_, make_filter(arguments_, model_), recorder_ ? &*recorder_ : nullptr,
      publisher_ ? &*publisher_ : nullptr,
      Connection::Host{[this](const Sighting& hit) { return take_hit(hit); },
                       [this](const std::string& line) { note(line); },
                       [this](Connection::Why why, const std::string& text) { ended(why, text); }});
  const std::string wrong = connection_->start();
  if (wrong.empty()) return;
  say(printable(wrong));
  leave(kUsage);
}

// What comes next waits until the source is let go, as a webcam has to be before it is opened
// again; one that does not end is left to itself.
void Watcher::ended(Connection::Why why, const std::string& text) {
  if (connection_->has_pictures()) delay_s_ = 1;
  if (why != Connection::Why::kUnwatched) n_unwatched_ = 0;
  after_end_ = [this, why, text] { go_on(why, text); };
  ++n_endings_;
  let_go(true);
  closing_timer_ = g_timeout_add_seconds(kLongestClosingS, on_closing_too_long, this);
}

void Watcher::let_go(bool is_waited_for) {
  Connection* old = connection_.release();
  if (!old) return;
  old->leave_main_loop();
  dispose([old, is_waited_for, ending = Ending{this, n_endings_}] {
    delete old;
    if (is_waited_for) g_idle_add(on_gone, new Ending(ending));
  });
}

// One that was left to itself and is gone at last is not what a later one waits for.
gboolean Watcher::on_gone(gpointer data) {
  const std::unique_ptr<Ending> ending(static_cast<Ending*>(data));
  if (ending->number == ending->watcher->n_endings_) ending->watcher->after_end();
  return G_SOURCE_REMOVE;
}

gboolean Watcher::on_closing_too_long(gpointer data) {
  auto* self = static_cast<Watcher*>(data);
  self->closing_timer_ = 0;
  self->note("the connection does not end, it is left to itself");
  self->after_end();
  return G_SOURCE_REMOVE;
}

void Watcher::after_end() {
  if (closing_timer_) g_source_remove(std::exchange(closing_timer_, 0));
  if (const auto next = std::exchange(after_end_, nullptr)) next();
}

void Watcher::go_on(Connection::Why why, const std::string& text) {
  // Read once: what went wrong will go wrong again, and a new connection would begin at its start.
  const bool is_file = g_str_has_prefix(arguments_.uri.c_str(), "file:") ||
                       g_str_has_prefix(arguments_.uri.c_str(), "fd:");
  if (why == Connection::Why::kBroken) {
    say(printable(text));
    leave(kFailed);
  } else if (stopping_ || (is_file && why == Connection::Why::kEnd)) {
    stopping_ = true;
    leave_when_saved();
  } else if (is_file) {
    const bool changed = why == Connection::Why::kChanged;
    say(source_name() + ": " + printable(text) +
        (changed ? "; what follows was not watched (vidi-ask goes on there)" : ""));
    failed_ = stopping_ = true;
    leave_when_saved();
  } else if (why == Connection::Why::kChanged) {
    reconnect_at_once(text);
  } else if (why == Connection::Why::kUnwatched && n_unwatched_++ < kMostAtOnce) {
    reconnect_at_once(text);
  } else {
    retry(text);
  }
}

void Watcher::reconnect_at_once(const std::string& text) {
  note(text + "; connecting again at once");
  connect();
}

void Watcher::retry(const std::string& text) {
  const double wait_s = std::min(delay_s_, arguments_.retry_s);
  char next[48];
  g_snprintf(next, sizeof next, "; connecting again in %g s", wait_s);
  note(printable(text) + next);
  delay_s_ = std::min(2 * delay_s_, std::max(1.0, arguments_.retry_s));
  retry_timer_ = g_timeout_add(static_cast<guint>(wait_s * 1000), connect_again, this);
}

gboolean Watcher::connect_again(gpointer data) {
  auto* self = static_cast<Watcher*>(data);
  self->retry_timer_ = 0;
  self->connect();
  return G_SOURCE_REMOVE;
}

// ---- Hits and clips ----

void Watcher::tell(const std::string& text) {
  if (!print(text)) end_without_output();
}

// Hits may be rare: that nobody waits for them is known before the next one.
gboolean Watcher::on_reader_left(gint, GIOCondition, gpointer self) {
  static_cast<Watcher*>(self)->leave(kReaderLeft);
  return G_SOURCE_REMOVE;
}

void Watcher::end_without_output() {
  if (lost_output()->reader_left) return leave(kReaderLeft);
  say(lost_output()->sentence);
  leave(kFailed);
}

bool Watcher::take_hit(const Sighting& hit) {
  if (enough_ || (arguments_.final_only && !hit.final)) return false;
  tell(arguments_.json ? json_line(hit) : text_line(hit));
  // A hit counts when it is first told; with clips when it is final, since that is what is saved.
  if (!recorder_ || hit.final) count(hit.result_id);
  return true;
}

void Watcher::count(guint64 id) {
  if (!counted_.insert(id).second || ++n_hits_ < arguments_.once || arguments_.once == 0) return;
  enough_ = true;
  if (!recorder_) stop();  // else when the clip is saved
}

void Watcher::take_clip(const ClipRecorder::Saved& saved) {
  if (!saved.error.empty()) {
    say("the clip of " + printable(title_of(saved.hit)) +
        " was not saved: " + printable(saved.error));
  } else if (arguments_.json) {
    nlohmann::ordered_json line = {
        {"type", "clip"}, {"query", title_of(saved.hit)}, {"file", saved.file}};
    tell(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } else {
    tell("saved " + printable(saved.file) + "\n");
  }
  if (stopping_ && !connection_) {
    leave_when_saved();
  } else if (enough_ && !recorder_->is_busy()) {
    stop();
  }
}

// ---- The end ----

// Ends the connection and saves what is under way.
void Watcher::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (connection_) {
    connection_->stop();
  } else if (!after_end_) {
    leave_when_saved();
  }
}

void Watcher::leave_when_saved() {
  if (recorder_ && recorder_->is_busy()) return;
  if (publisher_) publisher_->finish();
  if (!publisher_ || !publisher_->is_busy()) leave(failed_ ? kFailed : kOk);
}

void Watcher::leave(int status) {
  if (!leaving_) status_ = status;
  leaving_ = true;
  g_main_loop_quit(loop_);
}
