#include "examples/watch/hls_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "examples/common/output_file.h"
#include "examples/watch/camera_clock.h"

namespace {

// A stream without key frames is cut all the same: folder and playlist stay bounded.
constexpr GstClockTime kLongest = 60 * GST_SECOND;
constexpr GstClockTime kAPicture = 40 * GST_MSECOND;
constexpr mode_t kReadable = 0666;  // less the umask
constexpr char kForceKeyUnit[] = "GstForceKeyUnit";

bool is_key(GstBuffer* buffer) {
  return !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

// As gstreamer-video makes it: mpegtsmux passes it on before the next key frame, which it begins
// with its tables.
GstEvent* force_key_unit(GstClockTime running) {
  return gst_event_new_custom(
      GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new(kForceKeyUnit, "timestamp", GST_TYPE_CLOCK_TIME, running, "stream-time",
                        GST_TYPE_CLOCK_TIME, running, "running-time", GST_TYPE_CLOCK_TIME, running,
                        "all-headers", G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0u, nullptr));
}

// Encoders move their segment.
GstClockTime running_time(GstPad* pad, GstClockTime time) {
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (!event) return GST_CLOCK_TIME_NONE;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const GstClockTime running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, time);
  gst_event_unref(event);
  return running;
}

}  // namespace

HlsFiles::HlsFiles(GstElement* pipeline, const std::string& stem, GstClockTime length,
                   gint64 offset_ns)
    : pipeline_(pipeline), stem_(stem), length_(length), offset_ns_(offset_ns) {}

HlsFiles::~HlsFiles() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(file_.c_str());
}

void HlsFiles::abandon() { abandoned_ = true; }

// ---- The pictures' thread ----

GstPadProbeReturn HlsFiles::on_picture(GstPad* pad, GstPadProbeInfo* info, gpointer files) {
  static_cast<HlsFiles*>(files)->take_picture(pad, info);
  return GST_PAD_PROBE_OK;
}

void HlsFiles::take_picture(GstPad* pad, GstPadProbeInfo* info) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime time = running_time(pad, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return;
  if (const auto clock = camera_clock_ns(buffer)) offset_ns_ = *clock - static_cast<gint64>(time);
  if (is_cut_due(is_key(buffer), time)) {
    if (!is_key(buffer)) {
      GST_PAD_PROBE_INFO_DATA(info) = buffer = gst_buffer_make_writable(buffer);
      GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    }
    begun_ = time;
    {
      std::lock_guard lock(mutex_);
      cuts_.push_back({time, (static_cast<gint64>(time) + offset_ns_) / 1000});
    }
    gst_pad_push_event(pad, force_key_unit(time));
  }
  // What follows the last picture of all is reckoned by the distance of the last two.
  const GstClockTime step = time > last_picture_ ? time - last_picture_ : kAPicture;
  last_picture_ = std::max(last_picture_, time);
  stop_ = std::max<GstClockTime>(stop_, time + std::min<GstClockTime>(step, GST_SECOND));
}

// At the key frame that is nearest to the wanted length, as far as the last ones' distance tells.
bool HlsFiles::is_cut_due(bool key, GstClockTime time) {
  if (key && GST_CLOCK_TIME_IS_VALID(last_key_) && time > last_key_) last_gop_ = time - last_key_;
  if (key) last_key_ = time;
  if (!GST_CLOCK_TIME_IS_VALID(begun_)) return key;
  if (time <= begun_) return false;
  const GstClockTime slack = std::min(last_gop_ / 2, length_ / 2);
  return time - begun_ + slack >= (key ? length_ : kLongest + slack);
}

// ---- The muxer's thread ----

GstPadProbeReturn HlsFiles::on_bytes(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<HlsFiles*>(data);
  const auto type = GST_PAD_PROBE_INFO_TYPE(info);
  if (type & GST_PAD_PROBE_TYPE_BUFFER) {
    self->write(GST_PAD_PROBE_INFO_BUFFER(info));
  } else if (type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      self->write(gst_buffer_list_get(list, i));
  } else {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (gst_event_has_name(event, kForceKeyUnit)) self->begin_segment();
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) self->end_segment(self->stop_);
  }
  return GST_PAD_PROBE_OK;
}

void HlsFiles::begin_segment() {
  Cut cut;
  {
    std::lock_guard lock(mutex_);
    if (cuts_.empty()) return;
    cut = cuts_.front();
    cuts_.pop_front();
  }
  end_segment(cut.running);
  open_ = cut;
  has_begun_ = true;
  gchar* name = g_strdup_printf("%s%06" G_GUINT64_FORMAT ".ts", stem_.c_str(), n_begun_++);
  file_ = name;
  g_free(name);
  post(gst_structure_new(kBegin, "running", G_TYPE_UINT64, cut.running, "utc", G_TYPE_INT64,
                         cut.utc_us, nullptr));
  descriptor_ =
      abandoned_ ? -1 : open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadable);
  if (descriptor_ < 0 && !abandoned_) lose(errno);
}

void HlsFiles::end_segment(GstClockTime stop) {
  if (descriptor_ < 0) return;
  const int error = close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
  if (error) return lose(error);
  const gint64 duration_us =
      stop > open_.running ? static_cast<gint64>(stop - open_.running) / 1000 : 0;
  post(gst_structure_new(kSegment, "file", G_TYPE_STRING, file_.c_str() + file_.rfind('/') + 1,
                         "utc", G_TYPE_INT64, open_.utc_us, "duration", G_TYPE_INT64, duration_us,
                         "number", G_TYPE_UINT64, n_begun_ - 1, nullptr));
}

void HlsFiles::write(GstBuffer* buffer) {
  if (descriptor_ < 0) return;
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
  const int error = write_all(descriptor_, map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  if (error) lose(error);
}

// The next segment is another try.
void HlsFiles::lose(int error) {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  unlink(file_.c_str());
  post(gst_structure_new(kLost, "text", G_TYPE_STRING, std::strerror(error), nullptr));
}

void HlsFiles::post(GstStructure* news) const {
  gst_element_post_message(pipeline_, gst_message_new_element(GST_OBJECT(pipeline_), news));
}
