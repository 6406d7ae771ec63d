#include "examples/page/thumbnails.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace {

constexpr int kSide = 160;  // pixels
constexpr size_t kMostBytes = 32 << 20;
constexpr char kMemoryOfCuda[] = "memory:CUDAMemory";

int at_least_one(gint64 n) { return static_cast<int>(std::max<gint64>(1, n)); }

// The size in which these pictures fit into kSide x kSide with square pixels.
GstCaps* small_caps(const GstStructure* format) {
  gint width = kSide, height = kSide, par_n = 1, par_d = 1;
  gst_structure_get_int(format, "width", &width);
  gst_structure_get_int(format, "height", &height);
  gst_structure_get_fraction(format, "pixel-aspect-ratio", &par_n, &par_d);
  const gint64 wide = gint64{width} * std::max(par_n, 1),
               high = gint64{height} * std::max(par_d, 1);
  const gint64 longer = std::max<gint64>({wide, high, 1});
  return gst_caps_new_simple(
      "video/x-raw", "width", G_TYPE_INT, at_least_one(wide * kSide / longer), "height", G_TYPE_INT,
      at_least_one(high * kSide / longer), "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
}

bool is_in_cuda_memory(GstCaps* caps) {
  return gst_caps_features_contains(gst_caps_get_features(caps, 0), kMemoryOfCuda);
}

// Null when GStreamer lacks one of them.
GstElement* make_bin(const std::vector<const char*>& factories, GstElement** size) {
  GstElement* bin = gst_bin_new(nullptr);
  GstElement* before = nullptr;
  for (const char* factory : factories) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    if (!element) {
      gst_object_unref(bin);
      return nullptr;
    }
    gst_bin_add(GST_BIN(bin), element);
    if (before) gst_element_link(before, element);
    if (g_str_equal(factory, "capsfilter")) *size = element;
    if (g_str_equal(factory, "videoscale"))
      gst_util_set_object_arg(G_OBJECT(element), "method", "bilinear2");  // of all pixels
    if (g_str_equal(factory, "videoflip"))
      gst_util_set_object_arg(G_OBJECT(element), "video-direction", "auto");
    if (g_str_equal(factory, "jpegenc")) g_object_set(element, "quality", 72, nullptr);
    before = element;
  }
  return bin;
}

void link_ends(GstElement* bin, GstPad* in, GstPad* out) {
  GstPad* first = gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SINK);
  GstPad* last = gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SRC);
  gst_pad_link_full(in, first, GST_PAD_LINK_CHECK_NOTHING);  // a pad of no element, as `out` is
  gst_pad_link_full(last, out, GST_PAD_LINK_CHECK_NOTHING);
  gst_object_unref(first), gst_object_unref(last);
}

}  // namespace

Thumbnails::Thumbnails(GstPad* pad)
    : pad_(GST_PAD(gst_object_ref(pad))),
      in_(gst_pad_new("thumbnails-in", GST_PAD_SRC)),
      out_(gst_pad_new("thumbnails-out", GST_PAD_SINK)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  gst_pad_set_element_private(out_, this);
  gst_pad_set_chain_function(out_, on_jpeg);
  constexpr auto kWhat =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  probe_ = gst_pad_add_probe(pad, kWhat, on_data, this, nullptr);
}

// The pad's stream must have stopped, or not have begun.
Thumbnails::~Thumbnails() {
  gst_pad_remove_probe(pad_, probe_);
  if (chain_) gst_element_set_state(chain_, GST_STATE_NULL), gst_object_unref(chain_);
  for (GstPad* pad : {in_, out_}) gst_pad_set_active(pad, FALSE), gst_object_unref(pad);
  gst_object_unref(pad_);
}

GstPadProbeReturn Thumbnails::on_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Thumbnails*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    self->take(GST_PAD_PROBE_INFO_BUFFER(info));
  } else {
    self->take_event(GST_PAD_PROBE_INFO_EVENT(info));
  }
  return GST_PAD_PROBE_OK;
}

void Thumbnails::take_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &segment_);
  if (GST_EVENT_TYPE(event) == GST_EVENT_TAG && chain_)  // which way up
    gst_pad_push_event(in_, gst_event_ref(event));
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  if (!chain_ && !make_chain(caps)) return;
  GstCaps* small = small_caps(gst_caps_get_structure(caps, 0));
  g_object_set(size_, "caps", small, nullptr);
  gst_caps_unref(small);
  gst_pad_push_event(in_, gst_event_new_caps(caps));
  GstSegment segment;  // times are stream time from here on
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(in_, gst_event_new_segment(&segment));
}

// Our two pads with the elements between them, as the first caps need them.
bool Thumbnails::make_chain(GstCaps* caps) {
  std::vector<const char*> factories{"videoscale", "capsfilter", "videoconvert", "videoflip",
                                     "jpegenc"};
  if (is_in_cuda_memory(caps)) factories.insert(factories.begin(), "cudadownload");
  chain_ = make_bin(factories, &size_);
  if (!chain_) {
    fail("GStreamer lacks jpegenc or videoflip (Debian has them in gstreamer1.0-plugins-good)");
    return false;
  }
  link_ends(chain_, in_, out_);
  gst_pad_set_active(out_, TRUE);
  gst_element_set_state(chain_, GST_STATE_PLAYING);
  gst_pad_set_active(in_, TRUE);
  gst_pad_push_event(in_, gst_event_new_stream_start("thumbnails"));
  return true;
}

// Parts of a file are decoded side by side and come in order, so time goes on but for jumps.
void Thumbnails::take(GstBuffer* picture) {
  if (!chain_ || !GST_BUFFER_PTS_IS_VALID(picture) || !error().empty()) return;
  const GstClockTime time =
      gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(picture));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return;
  const bool is_early = GST_CLOCK_TIME_IS_VALID(last_) && time >= last_ &&
                        time - last_ < interval_ - interval_ / 10;  // one at 0.99 s will do
  if (is_early) return;
  last_ = time;
  GstBuffer* copy = gst_buffer_copy(picture);  // of its head, not of its pixels
  GST_BUFFER_PTS(copy) = time;
  const GstFlowReturn flow = gst_pad_push(in_, copy);
  if (flow != GST_FLOW_OK)
    fail(std::string("no JPEG can be made of them: ") + gst_flow_get_name(flow));
}

GstFlowReturn Thumbnails::on_jpeg(GstPad* pad, GstObject*, GstBuffer* jpeg) {
  auto* self = static_cast<Thumbnails*>(gst_pad_get_element_private(pad));
  std::string bytes(gst_buffer_get_size(jpeg), '\0');
  gst_buffer_extract(jpeg, 0, bytes.data(), bytes.size());
  self->keep(GST_BUFFER_PTS(jpeg), std::move(bytes));
  gst_buffer_unref(jpeg);
  return GST_FLOW_OK;
}

void Thumbnails::keep(GstClockTime time, std::string jpeg) {
  std::lock_guard lock(mutex_);
  n_bytes_ += jpeg.size();
  pictures_[time] = std::move(jpeg);
  if (n_bytes_ <= kMostBytes) return;
  interval_ *= 2;
  for (auto one = pictures_.begin(); one != pictures_.end() && ++one != pictures_.end();) {
    n_bytes_ -= one->second.size();
    one = pictures_.erase(one);
  }
}

void Thumbnails::fail(const std::string& why) {
  std::lock_guard lock(mutex_);
  error_ = why;
}

std::string Thumbnails::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

size_t Thumbnails::size() const {
  std::lock_guard lock(mutex_);
  return pictures_.size();
}

std::string Thumbnails::of(GstClockTime start, GstClockTime stop) const {
  std::lock_guard lock(mutex_);
  if (pictures_.empty()) return "";
  const auto after = pictures_.lower_bound(start);
  if (after == pictures_.end()) return std::prev(after)->second;
  if (after == pictures_.begin() || after->first <= stop) return after->second;
  const auto before = std::prev(after);
  return start - before->first < after->first - stop ? before->second : after->second;
}
