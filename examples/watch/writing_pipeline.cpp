#include "examples/watch/writing_pipeline.h"

#include <utility>

#include "examples/common/warnings.h"
#include "examples/watch/disposal.h"

namespace {

// Of the stream, and not of the disk.
bool is_of_its_form(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool is = error->domain == GST_STREAM_ERROR || error->domain == GST_CORE_ERROR;
  g_error_free(error);
  return is;
}

}  // namespace

WritingPipeline::WritingPipeline(guint longest_finish_ms, Host host)
    : longest_finish_ms_(longest_finish_ms),
      host_(std::move(host)),
      pipeline_(gst_pipeline_new(nullptr)) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  watch_ = gst_bus_add_watch(bus, on_message, this);
  gst_object_unref(bus);
}

WritingPipeline::~WritingPipeline() {
  for (guint source : {watch_, limit_}) {
    if (source) g_source_remove(source);
  }
  dispose(pipeline_, unfinished_);
}

void WritingPipeline::add(const std::shared_ptr<StreamTap>& tap, GstElement* bin) {
  gst_bin_add(GST_BIN(pipeline_), bin);
  GstElement* source = gst_bin_get_by_name(GST_BIN(bin), "in");
  GstCaps* caps = tap->caps();
  g_object_set(source, "caps", caps, nullptr);
  if (caps) gst_caps_unref(caps);
  taps_.push_back(tap);
  sources_.push_back(source);
  gst_object_unref(source);
}

void WritingPipeline::begin() {
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  for (size_t i = 0; i < taps_.size(); ++i) taps_[i]->begin(sources_[i]);
}

void WritingPipeline::finish() {
  if (limit_) return;
  limit_ = g_timeout_add(longest_finish_ms_, on_too_long, this);
  for (GstElement* source : sources_) {
    GstFlowReturn result = GST_FLOW_OK;
    g_signal_emit_by_name(source, "end-of-stream", &result);
  }
}

gboolean WritingPipeline::on_too_long(gpointer data) {
  auto* self = static_cast<WritingPipeline*>(data);
  self->limit_ = 0;
  self->end("the last pictures could not be written in time");
  return G_SOURCE_REMOVE;
}

gboolean WritingPipeline::on_message(GstBus*, GstMessage* message, gpointer data) {
  auto* self = static_cast<WritingPipeline*>(data);
  const auto type = GST_MESSAGE_TYPE(message);
  if (type == GST_MESSAGE_ELEMENT) self->host_.on_structure(gst_message_get_structure(message));
  if (type != GST_MESSAGE_EOS && type != GST_MESSAGE_ERROR) return G_SOURCE_CONTINUE;
  self->watch_ = 0;
  self->odd_form_ = type == GST_MESSAGE_ERROR && is_of_its_form(message);
  self->end(type == GST_MESSAGE_EOS ? "" : message_text(message));
  return G_SOURCE_REMOVE;
}

void WritingPipeline::end(const std::string& error) {
  const auto on_end = host_.on_end;  // a copy: `this` may be destroyed in it
  on_end(error);
}
