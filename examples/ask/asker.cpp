#include "examples/ask/asker.h"

#include <gst/pbutils/missing-plugins.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "examples/ask/filter_settings.h"
#include "examples/ask/hit_list.h"
#include "examples/ask/reference_mode.h"
#include "examples/common/text.h"

namespace {

using Clock = std::chrono::steady_clock;

guint64 nanoseconds(double seconds) { return static_cast<guint64>(seconds * GST_SECOND); }

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

// Of a question that gets no answer, as the element's warning says; null: it warns of another
// thing.
const GstStructure* refusal_in(GstMessage* warning) {
  const GstStructure* details = nullptr;
  gst_message_parse_warning_details(warning, &details);
  return details && gst_structure_has_name(details, "vidi/refused") ? details : nullptr;
}

std::string text_in(const GstStructure* structure, const char* field) {
  const gchar* text = gst_structure_get_string(structure, field);
  return text ? text : "";
}

bool is_decoder_error(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool is_one = g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE) ||
                      g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  g_clear_error(&error);
  return is_one;
}

// It was dropped for want of memory.
bool is_failed_window(GstMessage* message) {
  return gst_message_has_name(message, "vidi/window-dropped") &&
         gst_structure_has_field(gst_message_get_structure(message), "error");
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

void Asker::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ELEMENT:
      if (gst_is_missing_plugin_message(message)) note_missing(message);
      if (gst_message_has_name(message, FilePipeline::kNote))
        say_once(gst_structure_get_string(gst_message_get_structure(message), "text"));
      if (gst_message_has_name(message, "vidi/model"))
        handle_model(gst_message_get_structure(message));
      if (gst_message_has_name(message, "vidi/result"))
        take_result(gst_message_get_structure(message));
      if (gst_message_has_name(message, "vidi/window") || is_failed_window(message))
        take_window(gst_message_get_structure(message));
      break;
    case GST_MESSAGE_PROGRESS:
      handle_load(message);
      break;
    case GST_MESSAGE_WARNING:
      handle_warning(message);
      break;
    case GST_MESSAGE_ERROR:
      handle_error(message);
      break;
    case GST_MESSAGE_EOS:
      ended_ = true;
      break;
    default:
      break;
  }
}

std::string Asker::model_name() const {
  if (is_reference_) return "it again as the reference of the comparison";
  if (arguments_.model.empty()) return "the small demo model (--model names another)";
  return "the model " + printable(arguments_.model);
}

void Asker::handle_load(GstMessage* message) {
  GstProgressType type;
  gchar* text = nullptr;
  gst_message_parse_progress(message, &type, nullptr, &text);
  int percent = 0;
  if (type == GST_PROGRESS_TYPE_START) bar_.say("Loading " + model_name());
  if (type == GST_PROGRESS_TYPE_CONTINUE &&
      std::sscanf(text, "Loading the model: %d", &percent) == 1)
    bar_.show("Loading", percent / 100.0, "");
  g_free(text);
}

void Asker::handle_model(const GstStructure* model) {
  if (g_strcmp0(gst_structure_get_string(model, "state"), "ready") != 0 || model_ready_) return;
  model_ready_ = true;
  begin_ = Clock::now();
  pass_.mode = mode_of(model);
  is_reference_chosen_ = arguments_.compares && !is_reference_ && is_reference(pass_.mode);
  if (is_reference_chosen_) return fail(no_other_mode(place_text(model)));
  bar_.say("Watching " + file_ + (is_reference_ ? " again " : " ") + place_text(model));
}

// Without a question the element warns that nothing is asked; with --ask-more that is as it is to
// be.
void Asker::handle_warning(GstMessage* message) {
  const bool from_filter = GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_.filter());
  const bool expected = from_filter ? !model_ready_ && arguments_.queries.empty()
                                    : !missing_.empty();  // check_streams() says it in words
  if (expected) return;
  if (from_filter && is_one_picture()) {
    held_warnings_.emplace_back(gst_message_ref(message));
    return;
  }
  if (const GstStructure* refusal = refusal_in(message)) {
    take_refusal(refusal, message_text(message));
    return;
  }
  if (from_filter) {
    filter_warning_ = message_text(message);
  } else {
    elements_warned_ = true;
  }
  const std::string text = warnings_.add(message);
  if (!text.empty()) say_once("vidi-ask: " + text);
}

// What the element says of a single picture is why_nothing()'s to say, if it is the only one.
void Asker::say_held_warnings() {
  if (is_one_picture()) return;
  for (const auto& warning : std::exchange(held_warnings_, {})) handle_warning(warning.get());
}

// One of the command line is said at the end, also with --quiet. An id that is empty: the question
// was not even taken.
void Asker::take_refusal(const GstStructure* refusal, const std::string& text) {
  if (asking_ && text_in(refusal, "query-id") == asked_id_) {
    refusal_ = text;
  } else {
    refused_query_ = text;
    pass_.refused.insert(text_in(refusal, "query"));
  }
}

// A decoder that is missing says more than what follows from it.
void Asker::handle_error(GstMessage* message) {
  const std::string text = message_text(message);
  const bool from_filter = GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_.filter());
  is_model_at_fault_ |= from_filter && error_.empty();
  if (from_filter) return fail(text);
  if (!missing_.empty()) return fail(file_ + ": " + missing_text());
  const bool undecoded = is_decoder_error(message) && pipeline_.n_pictures() == 0;
  fail(file_ + (undecoded ? " has no picture that can be decoded: " : ": ") + text);
}

void Asker::take_result(const GstStructure* result) {
  auto hit = final_hit(result);
  if (listener_.on_structure) listener_.on_structure(result);
  if (!hit) return;
  if (asking_) {
    if (hit->query_id == asked_id_) answers_.push_back(std::move(*hit));
    return;
  }
  on_hit_(*hit);
  pass_.hits.push_back(std::move(*hit));
}

void Asker::take_window(const GstStructure* window) {
  const bool failed = gst_structure_has_field(window, "error");  // a warning says why
  if (asking_) {
    ++n_answered_;
    if (failed) refusal_ = in_options(printable(gst_structure_get_string(window, "error")));
    return;
  }
  if (listener_.on_structure) listener_.on_structure(window);
  if (failed) {
    ++n_failed_;
    is_model_at_fault_ |= gst_structure_has_name(window, "vidi/window-dropped");
    window_error_ = in_options(printable(text_in(window, "error")));
    return;
  }
  pass_.windows.push_back(answers_of(window));
  // In timestamps, which need not begin at 0.
  guint64 start = 0, stop = 0;
  gst_structure_get_uint64(window, "window-start", &start);
  gst_structure_get_uint64(window, "window-stop", &stop);
  if (n_windows_++ == 0) first_start_ = start;
  if (stop > first_start_) analysed_ = std::max(analysed_, stop - first_start_);
}

void Asker::note_missing(GstMessage* message) {
  gchar* description = gst_missing_plugin_message_get_description(message);
  missing_ += (missing_.empty() ? "" : ", ") + printable(description);
  g_free(description);
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
