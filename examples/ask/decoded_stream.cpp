#include "examples/ask/decoded_stream.h"

#include <algorithm>

#include "examples/ask/transport_check.h"

namespace {

constexpr GstClockTime kLongestStep = 10 * GST_SECOND;  // of a buffer's own length that is believed

GstClockTime time_of(GstBuffer* buffer) {
  return GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
}

}  // namespace

DecodedStream::DecodedStream(GstPad* pad, std::function<void()> on_end)
    : pad_(pad), on_end_(std::move(on_end)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  const auto what =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(pad, what, on_decoded, this, nullptr);
}

void DecodedStream::watch(Kind kind, GstPad* coded) {
  kind_ = kind;
  if (!coded) return;
  pid_ = TransportCheck::pid_of(coded);
  gst_pad_add_probe(coded, GST_PAD_PROBE_TYPE_BUFFER, on_coded, this, nullptr);
}

GstPadProbeReturn DecodedStream::on_coded(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<DecodedStream*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  const GstClockTime pts = time_of(buffer), dts = GST_BUFFER_DTS_OR_PTS(buffer);
  std::lock_guard lock(self->mutex_);
  if (gst_buffer_get_size(buffer) == 0) {  // matroskamux (1.26): a GAP
    const GstClockTime length = GST_BUFFER_DURATION(buffer);
    const GstClockTime end = pts + (GST_CLOCK_TIME_IS_VALID(length) ? length : 0);
    if (GST_CLOCK_TIME_IS_VALID(pts)) self->stands_until_ = std::max(self->stands_until_, end);
    return GST_PAD_PROBE_OK;
  }
  if (GST_CLOCK_TIME_IS_VALID(dts)) {
    self->coded_first_ = std::min(self->coded_first_, dts);  // NONE is the largest
    self->coded_last_ = std::max(self->coded_last_, dts);
  }
  if (GST_CLOCK_TIME_IS_VALID(pts)) self->coded_.insert(pts / GST_SECOND);
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn DecodedStream::on_decoded(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<DecodedStream*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    {
      std::lock_guard lock(self->mutex_);
      ++self->n_buffers_;
    }
    self->take(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer));
  } else {
    self->take_event(GST_PAD_PROBE_INFO_EVENT(info));
  }
  return GST_PAD_PROBE_OK;
}

void DecodedStream::take_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    std::lock_guard lock(mutex_);
    gst_event_copy_segment(event, &segment_);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) {
    // A picture that vididecode leaves out; other gaps say that nothing is there.
    if (!gst_structure_has_field(gst_event_get_structure(event), "vidi-skipped-frame")) return;
    GstClockTime pts, duration;
    gst_event_parse_gap(event, &pts, &duration);
    take(pts, duration);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    {
      std::lock_guard lock(mutex_);
      has_ended_ = true;
    }
    on_end_();
  }
}

void DecodedStream::take(GstClockTime pts, GstClockTime duration) {
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return;
  if (!GST_CLOCK_TIME_IS_VALID(duration)) duration = 0;
  std::lock_guard lock(mutex_);
  decoded_.insert(pts / GST_SECOND);
  const guint64 start = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, pts);
  if (!GST_CLOCK_TIME_IS_VALID(start)) return;
  if (!GST_CLOCK_TIME_IS_VALID(first_)) first_ = start;
  if (GST_CLOCK_TIME_IS_VALID(last_start_) && start > last_start_)
    longest_step_ = std::max(longest_step_, start - last_start_);
  last_start_ = start;
  length_ += duration;
  reach_ = std::max(reach_, start + duration);
  const GstClockTime stop = start + std::min(duration, kLongestStep);
  for (guint64 second = start / GST_SECOND; second * GST_SECOND <= stop; ++second)
    covered_.insert(second);
}

bool DecodedStream::has_ended() const {
  std::lock_guard lock(mutex_);
  return has_ended_;
}

GstClockTime DecodedStream::coded_extent() const {
  std::lock_guard lock(mutex_);
  return GST_CLOCK_TIME_IS_VALID(coded_first_) ? coded_last_ - coded_first_ : 0;
}

guint64 DecodedStream::n_buffers() const {
  std::lock_guard lock(mutex_);
  return n_buffers_;
}

GstClockTime DecodedStream::reach() const {
  std::lock_guard lock(mutex_);
  return reach_;
}

GstClockTime DecodedStream::slack() const {
  std::lock_guard lock(mutex_);
  if (kind_ != Kind::kPicture) return 0;
  return std::max(longest_step_, stands_until_ > reach_ ? stands_until_ - reach_ : 0);
}

DecodedStream::Seconds DecodedStream::seconds() const {
  std::lock_guard lock(mutex_);
  Seconds result{decoded_.size(), 0};
  if (decoded_.empty()) return result;
  for (auto second = coded_.upper_bound(*decoded_.begin()); second != coded_.end(); ++second) {
    if (decoded_.contains(*second) || decoded_.contains(*second - 1)) continue;
    ++result.all;
    ++result.lost;
  }
  return result;
}

bool DecodedStream::stands_still() const {
  std::lock_guard lock(mutex_);
  return GST_CLOCK_TIME_IS_VALID(first_) && length_ > 2 * (reach_ - first_) + 2 * GST_SECOND;
}

void DecodedStream::add_to(std::set<guint64>* seconds) const {
  std::lock_guard lock(mutex_);
  seconds->insert(covered_.begin(), covered_.end());
}
