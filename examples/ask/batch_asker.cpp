#include "examples/ask/batch_asker.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "examples/ask/filter_settings.h"
#include "examples/ask/pass.h"
#include "examples/common/text.h"
#include "examples/common/warnings.h"

namespace {

constexpr GstClockTime kStep = GST_SECOND / 10;

nlohmann::ordered_json number_of(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

// The sentence without its subject, which the line has anyway.
std::string without_name(const std::string& error, const std::string& name) {
  if (error.starts_with(name + ": ")) return error.substr(name.size() + 2);
  return error.starts_with(name + " ") ? "it" + error.substr(name.size()) : error;
}

std::string without_program(const std::string& note) {
  constexpr char kProgram[] = "vidi-ask: ";
  return note.starts_with(kProgram) ? note.substr(sizeof kProgram - 1) : note;
}

// Of the pictures that are asked about now.
GstSegment segment_of(GstElement* filter) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  GstPad* pad = gst_element_get_static_pad(filter, "sink");
  GstEvent* event = pad ? gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0) : nullptr;
  const GstSegment* said = nullptr;
  if (event) gst_event_parse_segment(event, &said);
  if (said && said->format == GST_FORMAT_TIME) gst_segment_copy_into(said, &segment);
  if (event) gst_event_unref(event);
  if (pad) gst_object_unref(pad);
  return segment;
}

void take(const GstStructure* said, GstElement* filter, BatchRows* rows) {
  if (gst_structure_has_name(said, "vidi/result")) return rows->take_hit(said);
  const GstSegment segment = segment_of(filter);
  rows->take_window(said, &segment);
}

FileEnd::Status status_of(const Asker& asker, bool watched, bool stopped) {
  if (watched) return FileEnd::Status::kOk;
  if (stopped) return FileEnd::Status::kStopped;
  return asker.is_model_at_fault() ? FileEnd::Status::kBroken : FileEnd::Status::kFailed;
}

}  // namespace

BatchAsker::BatchAsker(const Arguments& arguments, const std::string& model)
    : arguments_(arguments), model_(model) {
  arguments_.quiet = true;
  arguments_.json = false;
}

BatchAsker::~BatchAsker() {
  if (!holder_) return;
  gst_element_set_state(holder_, GST_STATE_NULL);
  gst_object_unref(holder_);
}

std::string BatchAsker::load(Forms* forms, const std::atomic<bool>& stop) {
  if (!holder_) {
    arguments_.precision = forms->precision;
    arguments_.weights = forms->weights, arguments_.keys = forms->keys;
    GstElement* filter = gst_element_factory_make("vidifilter", nullptr);
    if (!filter) return "GStreamer has no element named vidifilter";
    configure(filter, arguments_, model_);
    holder_ = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(holder_), filter);
    gst_element_set_state(holder_, GST_STATE_PAUSED);
    const std::string error = wait_until_ready(stop);
    if (!error.empty()) return error;
  }
  *forms = forms_;
  return "";
}

std::string BatchAsker::wait_until_ready(const std::atomic<bool>& stop) {
  GstBus* bus = gst_element_get_bus(holder_);
  std::string error;
  while (device_.empty() && error.empty() && !stop) {
    GstMessage* message = gst_bus_timed_pop(bus, kStep);
    if (!message) continue;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) error = message_text(message);
    const GstStructure* said = gst_message_get_structure(message);
    if (gst_message_has_name(message, "vidi/model") &&
        g_strcmp0(gst_structure_get_string(said, "state"), "ready") == 0) {
      const Mode mode = mode_of(said);
      forms_ = {mode.precision, mode.weights, mode.keys};
      device_ = mode.device, place_ = place_text(said);
    }
    gst_message_unref(message);
  }
  gst_bus_set_flushing(bus, TRUE);  // nobody reads it any more
  gst_object_unref(bus);
  return error;
}

FileEnd BatchAsker::ask(const FileQuestion& question, const std::atomic<bool>& stop,
                        BatchRows* rows) {
  Arguments arguments = arguments_;
  arguments.file = question.name;
  arguments.queries = question.queries;
  rows->set_device(device_);
  FileEnd end;
  Asker asker(arguments, model_, question.uri, stop);
  asker.listen({[&](const GstStructure* said) { take(said, asker.pipeline().filter(), rows); },
                [&](const std::string& note) { end.notes.push_back(without_program(note)); }});
  const bool watched = asker.watch_file([](const Hit&) {});
  end.status = status_of(asker, watched, stop);
  const std::string error =
      end.status == FileEnd::Status::kBroken ? asker.why_unanswered() : asker.error();
  end.error = without_name(error, printable(question.name));
  MediaFacts film;
  asker.describe(&film);
  end.facts = {film.duration, asker.pipeline().n_pictures(), film.has_audio, device_, "", 0};
  return end;
}

std::string answer_settings(const Arguments& a) {
  const nlohmann::ordered_json settings{{"task", a.task},
                                        {"window", number_of(a.window_s)},
                                        {"stride", number_of(a.stride_s)},
                                        {"rate", number_of(a.rate)},
                                        {"min_confidence", number_of(a.min_confidence)},
                                        {"max_highlights", a.max_highlights},
                                        {"audio_track", a.audio_track},
                                        {"video_track", a.video_track}};
  return settings.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}
