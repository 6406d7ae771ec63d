#include "examples/watch/clip_joiner.h"

#include <utility>

#include "examples/common/warnings.h"
#include "examples/watch/disposal.h"

namespace {

constexpr guint kLongestTryS = 5;  // and half a second for each fragment; each further try twice
constexpr int kMostTries = 4;

void link_pads(GstPad* from, GstElement* element, GstPad* to) {
  if (GST_PAD_LINK_FAILED(gst_pad_link(from, to)))
    GST_WARNING_OBJECT(element, "a stream cannot be recorded");
}

// (1.22) splitmuxsrc sometimes never starts a part that is alone and short: that one goes without
// it.
constexpr char kOnePart[] =
    "filesrc name=part ! matroskademux name=parts  matroskamux name=muxer ! filesink name=file";
constexpr char kManyParts[] = "splitmuxsrc name=parts  matroskamux name=muxer ! filesink name=file";

gchar** locations(GstElement*, gpointer files) {
  const auto& all = *static_cast<std::vector<std::string>*>(files);
  gchar** array = g_new0(gchar*, all.size() + 1);
  for (size_t i = 0; i < all.size(); ++i) array[i] = g_strdup(all[i].c_str());
  return array;
}

void delete_files(gpointer files, GClosure*) {
  delete static_cast<std::vector<std::string>*>(files);
}

// Through a queue without limits: the parts' one reading thread must not wait for one stream while
// the muxer waits for the other.
void link_to_muxer(GstElement*, GstPad* pad, gpointer data) {
  GstElement* muxer = GST_ELEMENT(data);
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(muxer));
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  g_object_set(queue, "max-size-buffers", 0, "max-size-bytes", 0, "max-size-time", guint64{0},
               nullptr);
  gst_bin_add(GST_BIN(pipeline), queue);
  gst_object_unref(pipeline);
  gchar* name = gst_pad_get_name(pad);
  gst_element_link_pads(queue, "src", muxer,
                        g_str_has_prefix(name, "video") ? "video_%u" : "audio_%u");
  g_free(name);
  gst_element_sync_state_with_parent(queue);
  GstPad* in = gst_element_get_static_pad(queue, "sink");
  link_pads(pad, muxer, in);
  gst_object_unref(in);
}

}  // namespace

ClipJoiner::ClipJoiner(std::vector<std::string> fragments, const std::string& file, OnDone on_done)
    : fragments_(std::move(fragments)), file_(file), on_done_(std::move(on_done)) {}

ClipJoiner::~ClipJoiner() { clear(); }

void ClipJoiner::clear() {
  for (guint* source : {&watch_, &limit_}) {
    if (*source) g_source_remove(std::exchange(*source, 0));
  }
  if (pipeline_) dispose(std::exchange(pipeline_, nullptr));
}

void ClipJoiner::start() {
  clear();
  ++n_tries_;
  const bool is_one = fragments_.size() == 1;
  pipeline_ = gst_parse_launch(is_one ? kOnePart : kManyParts, nullptr);
  GstElement* parts = gst_bin_get_by_name(GST_BIN(pipeline_), "parts");
  GstElement* muxer = gst_bin_get_by_name(GST_BIN(pipeline_), "muxer");
  GstElement* file = gst_bin_get_by_name(GST_BIN(pipeline_), "file");
  if (is_one) {
    GstElement* part = gst_bin_get_by_name(GST_BIN(pipeline_), "part");
    g_object_set(part, "location", fragments_[0].c_str(), nullptr);
    gst_object_unref(part);
  } else {
    g_signal_connect_data(parts, "format-location", G_CALLBACK(locations),
                          new std::vector<std::string>(fragments_), delete_files, GConnectFlags(0));
  }
  g_signal_connect(parts, "pad-added", G_CALLBACK(link_to_muxer), muxer);
  g_object_set(file, "location", file_.c_str(), nullptr);
  for (GstElement* element : {parts, muxer, file}) gst_object_unref(element);

  GstBus* bus = gst_element_get_bus(pipeline_);
  watch_ = gst_bus_add_watch(bus, on_message, this);
  gst_object_unref(bus);
  const auto n = static_cast<guint>(fragments_.size());
  limit_ = g_timeout_add_seconds((kLongestTryS + n / 2) << (n_tries_ - 1), on_too_long, this);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
}

// A try that hangs, as splitmuxsrc may, is followed by another.
gboolean ClipJoiner::on_too_long(gpointer data) {
  auto* self = static_cast<ClipJoiner*>(data);
  self->limit_ = 0;
  if (self->n_tries_ < kMostTries) {
    self->start();
  } else {
    self->done("its fragments could not be joined in time");
  }
  return G_SOURCE_REMOVE;
}

gboolean ClipJoiner::on_message(GstBus*, GstMessage* message, gpointer data) {
  auto* self = static_cast<ClipJoiner*>(data);
  const auto type = GST_MESSAGE_TYPE(message);
  if (type != GST_MESSAGE_EOS && type != GST_MESSAGE_ERROR) return G_SOURCE_CONTINUE;
  self->watch_ = 0;
  self->done(type == GST_MESSAGE_EOS ? "" : message_text(message));
  return G_SOURCE_REMOVE;
}

// At the muxer's EOS the file is complete: what is left of the pipeline may end when it likes.
void ClipJoiner::done(const std::string& error) {
  const OnDone on_done = on_done_;  // `this` may be destroyed in it
  clear();
  on_done(error);
}
