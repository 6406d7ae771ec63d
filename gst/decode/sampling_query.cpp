#include "gst/decode/sampling_query.h"

namespace vidi {
namespace {

constexpr char kName[] = "vidi/watch";
constexpr char kRate[] = "frame-rate", kDuration[] = "window-duration", kStride[] = "window-stride",
               kJump[] = "jump-stride", kLead[] = "lead", kSkipped[] = "vidi-skipped-frame";

}  // namespace

bool answer_sampling_query(GstQuery* query, const SamplingSettings& settings) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_CUSTOM) return false;
  GstStructure* s = gst_query_writable_structure(query);
  if (!gst_structure_has_name(s, kName)) return false;
  const SamplingShape& shape = settings.shape;
  gst_structure_set(s, kRate, GST_TYPE_FRACTION, shape.rate_numerator, shape.rate_denominator,
                    kDuration, G_TYPE_INT64, shape.duration.count(), kStride, G_TYPE_INT64,
                    shape.stride.count(), kJump, G_TYPE_UINT64,
                    static_cast<guint64>(settings.jump_stride.count()), kLead, G_TYPE_INT64,
                    settings.lead.count(), nullptr);
  return true;
}

std::optional<SamplingSettings> ask_sampling(GstPad* pad) {
  GstQuery* query = gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(kName));
  std::optional<SamplingSettings> found;
  gint numerator = 0, denominator = 1;
  gint64 duration = 0, stride = 0, lead = 0;
  guint64 jump = 0;
  if (gst_pad_peer_query(pad, query) &&
      gst_structure_get(gst_query_get_structure(query), kRate, GST_TYPE_FRACTION, &numerator,
                        &denominator, kDuration, G_TYPE_INT64, &duration, kStride, G_TYPE_INT64,
                        &stride, kJump, G_TYPE_UINT64, &jump, kLead, G_TYPE_INT64, &lead,
                        nullptr) &&
      numerator > 0) {
    const SamplingShape shape{numerator, denominator, Time(duration), Time(stride)};
    const Time interval(gst_util_uint64_scale(GST_SECOND, denominator, numerator));
    found = {shape, Time(jump), interval, Time(lead)};
  }
  gst_query_unref(query);
  return found;
}

GstEvent* skipped_frame_event(Time pts, Time end, guint32 seqnum) {
  GstEvent* event = gst_event_new_gap(pts.count(), (end - pts).count());
  gst_structure_set(gst_event_writable_structure(event), kSkipped, G_TYPE_BOOLEAN, TRUE, nullptr);
  if (seqnum != GST_SEQNUM_INVALID) gst_event_set_seqnum(event, seqnum);
  return event;
}

bool is_skipped_frame(GstEvent* event) {
  return gst_structure_has_field(gst_event_get_structure(event), kSkipped);
}

}  // namespace vidi
