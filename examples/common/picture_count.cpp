#include "examples/common/picture_count.h"

#include <gst/gst.h>

#include <atomic>
#include <map>

#include "examples/common/lost_errors.h"
#include "examples/common/movie_header.h"
#include "examples/common/tracks.h"

namespace {

// For a still in front of a long film all of it is read.
constexpr GstClockTime kLongestWait = 60 * GST_SECOND;

class Counter {
 public:
  Counter(const std::string& uri, const std::vector<std::string>& tracks);
  ~Counter();
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void run();  // until the first track has two pictures, or the file's end
  int pictures_of(const std::string& track) const { return counts_.at(track); }

 private:
  static void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer self);
  static void on_pad(GstElement* parser, GstPad* pad, gpointer self);
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void count(GstPad* pad);

  GstElement* const pipeline_ = gst_pipeline_new(nullptr);
  const std::string first_;
  MovieHeader movie_header_;
  std::map<std::string, std::atomic<int>> counts_;  // its keys stay as they are
};

Counter::Counter(const std::string& uri, const std::vector<std::string>& tracks)
    : first_(tracks.front()) {
  for (const std::string& track : tracks) counts_[track] = 0;
  GstElement* source = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, nullptr);
  GstElement* parser = gst_element_factory_make("parsebin", nullptr);
  if (!source || !parser) return;
  hear_lost_errors(pipeline_);
  gst_bin_add_many(GST_BIN(pipeline_), source, parser, nullptr);
  gst_element_link(source, parser);
  g_signal_connect(parser, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(pipeline_, "deep-element-added", G_CALLBACK(on_element), this);
}

Counter::~Counter() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

// The same tracks as where they were numbered.
void Counter::on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
  if (is_made_by(element, "qtdemux")) static_cast<Counter*>(self)->movie_header_.watch(element);
}

void Counter::on_pad(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<Counter*>(data);
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add(GST_BIN(self->pipeline_), sink);
  gst_element_sync_state_with_parent(sink);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_data, self, nullptr);
  GstPad* in = gst_element_get_static_pad(sink, "sink");
  gst_pad_link(pad, in);
  gst_object_unref(in);
}

GstPadProbeReturn Counter::on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  if (GST_BUFFER_PTS_IS_VALID(GST_PAD_PROBE_INFO_BUFFER(info)))  // headers have none
    static_cast<Counter*>(self)->count(pad);
  return GST_PAD_PROBE_OK;
}

void Counter::count(GstPad* pad) {
  gchar* id = gst_pad_get_stream_id(pad);
  const auto found = id ? counts_.find(id) : counts_.end();
  if (found != counts_.end() && ++found->second == 2 && found->first == first_) {
    gst_element_post_message(
        pipeline_,
        gst_message_new_application(GST_OBJECT(pipeline_), gst_structure_new_empty("enough")));
  }
  g_free(id);
}

void Counter::run() {
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, kLongestWait,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION));
  if (message) gst_message_unref(message);
  gst_object_unref(bus);
}

}  // namespace

std::string first_with_two_pictures(const std::string& uri,
                                    const std::vector<std::string>& tracks) {
  if (tracks.empty()) return "";
  Counter counter(uri, tracks);
  counter.run();
  for (const std::string& track : tracks) {
    if (counter.pictures_of(track) >= 2) return track;
  }
  return "";
}
