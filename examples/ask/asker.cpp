// One pass over the file, its progress and its end; messages are in asker_messages.cpp.
#include "examples/ask/asker.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "examples/ask/filter_settings.h"
#include "examples/ask/hit_list.h"
#include "examples/common/text.h"

namespace {

using Clock = std::chrono::steady_clock;

guint64 nanoseconds(double seconds) { return static_cast<guint64>(seconds * GST_SECOND); }

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

}  // namespace

Asker::Asker(const Arguments& arguments, const std::string& model, const std::string& uri,
             const std::atomic<bool>& interrupted, Turn turn)
    : arguments_(arguments),
      interrupted_(interrupted),
      is_reference_(turn == Turn::kReference),
      file_(arguments.file == "-" ? "stdin" : printable(arguments.file)),
      bar_(arguments.quiet),
      pipeline_(uri, {arguments.video_track, arguments.audio_track}, arguments.n_decoders,
                &error_) {
  if (!error_.empty()) return;
  configure(pipeline_.filter(), arguments, model);
  if (!arguments.html.empty() && !is_reference_) take_thumbnails();
}

void Asker::take_thumbnails() {
  GstPad* pad = gst_element_get_static_pad(pipeline_.filter(), "sink");
  thumbnails_ = std::make_unique<Thumbnails>(pad);
  gst_object_unref(pad);
}

bool Asker::watch_file(const std::function<void(const Hit&)>& on_hit) {
  on_hit_ = on_hit;
  const Clock::time_point begin = Clock::now();
  if (error_.empty()) pipeline_.play();
  while (!ended_ && error_.empty() && step()) show_progress();
  bar_.clear();
  if (model_ready_) pass_.watch_s = seconds_since(begin) - pass_.mode.load_s;
  if (error_.empty() && !interrupted_) check_streams();
  if (error_.empty() && !interrupted_) say_what_was_silent();
  if (interrupted_)
    fail(is_reference_ ? "stopped before the reference's end, nothing is compared"
                       : "stopped before the end, the list is not complete");
  for (const std::string& again : warnings_.take_repeated()) say_once("vidi-ask: " + again);
  if (error_.empty()) check_end();
  pass_.error = error_;
  return error_.empty();
}

// Whether what was watched is all of the file.
void Asker::check_end() {
  if (n_failed_ > 0 && !is_reference_) {  // there the comparison says it
    const std::string n_all = std::to_string(n_windows_ + n_failed_);
    return fail(file_ + ": " + std::to_string(n_failed_) + " of " + n_all +
                " windows were not analysed, the list is not complete");
  }
  if (n_windows_ == 0) return fail(file_ + ": " + why_nothing());
  if (!refused_query_.empty()) return fail(refused_query_);
  const std::string missing = pipeline_.what_is_missing(elements_warned_);
  if (!missing.empty()) return fail(file_ + ": " + missing);
  if (pipeline_.has_unknown_sound())
    return fail(file_ + ": its sound was not heard" +
                (missing_.empty() ? ", nothing here decodes it" : ": " + missing_text()));
  guint64 n_samples = 0;
  GstStructure* stats = nullptr;
  g_object_get(pipeline_.filter(), "stats", &stats, nullptr);
  gst_structure_get_uint64(stats, "audio-samples", &n_samples);
  gst_structure_free(stats);
  if (pipeline_.has_audio() && n_samples == 0 && !filter_warning_.empty())
    fail(file_ + ": its sound was not heard: " + filter_warning_);
}

// Its rate is what it states.
void Asker::describe(MediaFacts* film) const {
  film->duration = pipeline_.duration();
  film->has_audio = pipeline_.has_audio();
  GstPad* pad = gst_element_get_static_pad(pipeline_.filter(), "sink");
  GstCaps* caps = pad ? gst_pad_get_current_caps(pad) : nullptr;
  if (caps) {
    const GstStructure* form = gst_caps_get_structure(caps, 0);
    gst_structure_get_fraction(form, "framerate", &film->rate_n, &film->rate_d);
    gst_structure_get_int(form, "width", &film->width);
    gst_structure_get_int(form, "height", &film->height);
    gst_caps_unref(caps);
  }
  if (pad) gst_object_unref(pad);
}

bool Asker::is_one_picture() const { return pipeline_.n_pictures() == 1 && !pipeline_.has_audio(); }

std::string Asker::why_nothing() const {
  if (pipeline_.n_pictures() == 0) return "none of its pictures could be decoded";
  if (is_one_picture())
    return "GStreamer finds a single picture in it and no sound, expected two pictures or more";
  if (!filter_warning_.empty()) return "nothing could be asked: " + filter_warning_;
  return "nothing could be asked, expected two pictures or more at the sampling rate";
}

// Handles one message, or waits for a moment when there is none. False after Ctrl-C.
bool Asker::step() {
  const bool complete = pipeline_.is_complete();
  if (GstMessage* message = pipeline_.next_message()) {
    handle(message);
    gst_message_unref(message);
  } else if (const std::string why = ended_ ? "" : pipeline_.why_silent(); !why.empty()) {
    fail(file_ + ": " + why);
  } else if (complete) {
    check_streams();  // what is missing was told before the streams were complete
  }
  say_held_warnings();
  return !interrupted_;
}

std::string Asker::missing_text() const {
  return "GStreamer lacks a plugin: " + missing_ + " (Debian has most in gstreamer1.0-libav)";
}

void Asker::check_streams() {
  if (streams_checked_ || !pipeline_.is_complete()) return;
  streams_checked_ = true;
  const std::string missing = missing_.empty() ? "" : ": " + missing_text();
  if (!pipeline_.has_video()) return fail(file_ + " has no picture that can be decoded" + missing);
}

// At the end: sound may begin in the middle of a file. One picture alone is why_nothing()'s to say.
void Asker::say_what_was_silent() {
  if (pipeline_.has_audio() || is_one_picture()) return;
  say_once(file_ + " has no sound that can be decoded" +
           (missing_.empty() ? "" : ": " + missing_text()));
}

// Reading runs ahead of the model by the windows that wait for it, and a short file is one window:
// half the bar is for either.
void Asker::show_progress() {
  const GstClockTime duration = pipeline_.duration(), position = pipeline_.position();
  if (!model_ready_ || !GST_CLOCK_TIME_IS_VALID(position)) return;
  // What is shorter was guessed from what came first.
  if (!GST_CLOCK_TIME_IS_VALID(duration) || duration < GST_SECOND ||
      duration + GST_SECOND < position) {
    return bar_.show("Watching", 0, seconds_text(position) + ", its length is not known");
  }
  const double all = static_cast<double>(duration);
  const double read = std::min(1.0, static_cast<double>(position) / all);
  const double done = std::min(1.0, static_cast<double>(analysed_) / all);
  const double duration_s = all / GST_SECOND;
  bar_.show("Watching", (read + done) / 2,
            progress_text((read + done) / 2 * duration_s, duration_s));
}

std::string Asker::progress_text(double done_s, double duration_s) const {
  const double elapsed_s = seconds_since(begin_);
  const std::string place =
      seconds_text(nanoseconds(done_s)) + " of " + seconds_text(nanoseconds(duration_s));
  if (n_windows_ == 0 || elapsed_s <= 0 || done_s <= 0) return place;
  const double speed = done_s / elapsed_s;
  char text[32];
  std::snprintf(text, sizeof text, "  %.1fx  ", speed);
  return place + text + seconds_text(nanoseconds((duration_s - done_s) / speed)) + " left";
}

// Every window that was encoded is asked; each says so with a `vidi/window`, or the element warns
// once that the question is refused.
std::optional<std::vector<Hit>> Asker::answer(const std::string& question) {
  asking_ = true;
  refusal_.clear(), answers_.clear();
  n_answered_ = 0;
  gchar* id = nullptr;
  g_signal_emit_by_name(pipeline_.filter(), "ask", question.c_str(), GST_CLOCK_TIME_NONE,
                        GST_CLOCK_TIME_NONE, &id);
  asked_id_ = id ? id : "";
  g_free(id);
  const auto is_under_way = [this] { return refusal_.empty() && error_.empty(); };
  while (n_answered_ < n_windows_ && is_under_way() && step())
    bar_.show("Asking", static_cast<double>(n_answered_) / static_cast<double>(n_windows_), "");
  bar_.clear();
  if (interrupted_) fail("stopped before the answer");
  if (!refusal_.empty()) bar_.warn("vidi-ask: " + refusal_);
  if (!is_under_way()) return std::nullopt;
  return merged(answers_);
}

void Asker::say_once(const std::string& line) {
  if (listener_.on_note) listener_.on_note(line);
  if (!is_reference_) bar_.say(line);
}

void Asker::fail(const std::string& sentence) {
  if (error_.empty()) error_ = sentence;
}
