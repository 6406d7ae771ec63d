// What the bus says, by kind of message.
#include <gst/pbutils/missing-plugins.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "examples/ask/asker.h"
#include "examples/ask/hit_list.h"
#include "examples/ask/reference_mode.h"
#include "examples/common/text.h"

namespace {

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
  begin_ = std::chrono::steady_clock::now();
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
