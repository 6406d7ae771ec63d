#include "examples/common/joined_times.h"

#include <algorithm>
#include <utility>

#include "examples/common/tracks.h"

namespace {

// A picture that can be decoded by itself is later than all that came before it; what steps back by
// less than this was joined with times that go on.
constexpr GstClockTime kSmallStep = GST_SECOND / 2;

GstClockTime end_of(GstBuffer* buffer) {
  const GstClockTime length =
      GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
  return GST_BUFFER_PTS(buffer) + length;
}

}  // namespace

bool JoinedTimes::are_of(GstElement* element) { return is_made_by(element, "matroskademux"); }

void JoinedTimes::watch(GstElement* demuxer) {
  g_signal_connect(demuxer, "pad-added", G_CALLBACK(on_pad), this);
}

void JoinedTimes::on_pad(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<JoinedTimes*>(data);
  std::lock_guard lock(self->mutex_);
  self->tracks_.push_back({self});
  Track* track = &self->tracks_.back();
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, track, nullptr);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_data, track, nullptr);
}

GstPadProbeReturn JoinedTimes::on_event(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* track = static_cast<Track*>(data);
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_SEGMENT) return GST_PAD_PROBE_OK;
  return std::exchange(track->has_segment, true) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

GstPadProbeReturn JoinedTimes::on_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* track = static_cast<Track*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return GST_PAD_PROBE_OK;
  const GstClockTime lead = track->joined->lead(*track, buffer);
  if (lead == 0) return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  GST_BUFFER_PTS(buffer) += lead;
  if (GST_BUFFER_DTS_IS_VALID(buffer)) GST_BUFFER_DTS(buffer) += lead;
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

// The track that begins anew first says when the part begins, for all of them.
GstClockTime JoinedTimes::lead(Track& track, GstBuffer* buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const bool is_key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  std::lock_guard lock(mutex_);
  if (is_key && pts + kSmallStep < track.latest) {
    if (++track.part == leads_.size()) leads_.push_back(end_);
    track.latest = 0;
  }
  track.latest = std::max(track.latest, pts);
  const GstClockTime lead = leads_[track.part];
  end_ = std::max(end_, end_of(buffer) + lead);
  return lead;
}
