#include "file_pipeline.h"

#include <filesystem>

namespace {

constexpr GstClockTime kLongestWait = GST_SECOND / 10;
constexpr char kDecoder[] = "vididecode";

std::string media_type(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (!caps) caps = gst_pad_query_caps(pad, nullptr);
  const std::string type = gst_caps_is_empty(caps) || gst_caps_is_any(caps)
                               ? ""
                               : gst_structure_get_name(gst_caps_get_structure(caps, 0));
  gst_caps_unref(caps);
  return type;
}

// What decodebin tries first where it fits.
void prefer(const char* factory) {
  GstPluginFeature* feature =
      gst_registry_lookup_feature(gst_registry_get(), factory);  // of this process only
  if (!feature) return;
  gst_plugin_feature_set_rank(feature, G_MAXINT);
  gst_object_unref(feature);
}

bool is_made_by(GstElement* element, const char* factory) {
  GstElementFactory* maker = gst_element_get_factory(element);
  return maker && g_str_equal(GST_OBJECT_NAME(maker), factory);
}

}  // namespace

FilePipeline::FilePipeline(const std::string& uri, int n_decoders, std::string* error)
    : pipeline_(gst_pipeline_new(nullptr)), n_decoders_(n_decoders) {
  if (n_decoders != 1) prefer(kDecoder);
  g_signal_connect(pipeline_, "deep-element-added", G_CALLBACK(on_element), this);
  GstElement* source = add("uridecodebin", "source", error);
  filter_ = add("vidifilter", "filter", error);
  sink_ = add("fakesink", "sink", error);
  if (!error->empty()) return;
  g_object_set(source, "uri", uri.c_str(), nullptr);
  g_object_set(sink_, "sync", FALSE, nullptr);
  gst_element_link_pads(filter_, "src", sink_, "sink");
  g_signal_connect(source, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
}

FilePipeline::~FilePipeline() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

GstElement* FilePipeline::add(const char* factory, const char* name, std::string* error) {
  GstElement* element = gst_element_factory_make(factory, name);
  if (element) {
    gst_bin_add(GST_BIN(pipeline_), element);
  } else {
    *error = std::string("GStreamer has no element named ") + factory;
  }
  return element;
}

GstMessage* FilePipeline::next_message() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_timed_pop(bus, kLongestWait);
  gst_object_unref(bus);
  return message;
}

GstClockTime FilePipeline::duration() const {
  gint64 duration = -1;
  gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &duration);
  return duration > 0 ? static_cast<GstClockTime>(duration) : GST_CLOCK_TIME_NONE;
}

GstClockTime FilePipeline::position() const {
  gint64 position = -1;
  gst_element_query_position(sink_, GST_FORMAT_TIME, &position);
  return position >= 0 ? static_cast<GstClockTime>(position) : GST_CLOCK_TIME_NONE;
}

// On any thread: uridecodebin finds out what it needs while the file is read.
void FilePipeline::on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
  if (!is_made_by(element, kDecoder)) return;
  g_object_set(element, "decoders", static_cast<FilePipeline*>(self)->n_decoders_, nullptr);
}

void FilePipeline::on_pad(GstElement*, GstPad* pad, gpointer self) {
  static_cast<FilePipeline*>(self)->take(pad);
}

void FilePipeline::on_no_more_pads(GstElement*, gpointer self) {
  static_cast<FilePipeline*>(self)->is_complete_ = true;
}

void FilePipeline::take(GstPad* pad) {
  const std::string type = media_type(pad);
  if (type == "video/x-raw" && !has_video_.exchange(true)) {
    link(pad, "sink");
  } else if (type == "audio/x-raw" && !has_audio_.exchange(true)) {
    link(pad, "audio_sink");  // audio_src stays unlinked: the sound is for the model alone
  } else {
    throw_away(pad);
  }
}

// Through a queue each: picture and sound come from one demuxer.
void FilePipeline::link(GstPad* pad, const char* filter_pad) {
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  gst_bin_add(GST_BIN(pipeline_), queue);
  gst_element_link_pads(queue, "src", filter_, filter_pad);
  GstPad* in = gst_element_get_static_pad(queue, "sink");
  const bool linked = GST_PAD_LINK_SUCCESSFUL(gst_pad_link(pad, in));
  gst_object_unref(in);
  gst_element_sync_state_with_parent(queue);
  if (!linked) {
    GST_ELEMENT_ERROR(pipeline_, STREAM, FORMAT, ("Its %s cannot be linked.", filter_pad),
                      (nullptr));
  }
}

void FilePipeline::throw_away(GstPad* pad) {
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add(GST_BIN(pipeline_), sink);
  GstPad* in = gst_element_get_static_pad(sink, "sink");
  gst_pad_link(pad, in);
  gst_object_unref(in);
  gst_element_sync_state_with_parent(sink);
}

std::string uri_of(const std::string& file, std::string* error) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed)) {
    *error = "it is a folder, expected a video file";
    return "";
  }
  const bool there = std::filesystem::exists(file, failed);
  if (!there && gst_uri_is_valid(file.c_str())) return file;
  if (!there) {
    *error = "there is no such file";
    return "";
  }
  gchar* uri = gst_filename_to_uri(file.c_str(), nullptr);
  const std::string text = uri ? uri : "";
  g_free(uri);
  if (text.empty()) *error = "its name cannot be made a URI";
  return text;
}
