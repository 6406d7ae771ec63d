// The chain function and what it calls, in the order of a stream's life; the way back is in
// vididecode_plain.cpp, events and states in vididecode_events.cpp.
#include "gst/decode/vididecode.h"

#include <algorithm>
#include <utility>

#include "gst/decode/sampling_query.h"
#include "gst/media/buffer_times.h"

namespace vidi {
namespace {

// Pictures of one GOP, and of all that wait for those before them.
constexpr size_t kMostRangeBytes = size_t{256} << 20;
constexpr size_t kMostHeldBytes = size_t{1} << 30;
constexpr size_t kSpareRanges = 2;  // ready for decoders that finish early

// A decoder that begins with a GOP says that the stream is broken there, which is not so.
GstBuffer* with_discont(GstBuffer* picture, bool discont) {
  if (GST_BUFFER_IS_DISCONT(picture) == discont) return picture;
  picture = gst_buffer_make_writable(picture);
  if (discont) {
    GST_BUFFER_FLAG_SET(picture, GST_BUFFER_FLAG_DISCONT);
  } else {
    GST_BUFFER_FLAG_UNSET(picture, GST_BUFFER_FLAG_DISCONT);
  }
  return picture;
}

}  // namespace

GstFlowReturn SamplingDecoder::chain(GstBuffer* buffer) {
  const OwnedBuffer owned(buffer, BufferUnref());
  ++n_coded;
  if (!factory_) return GST_FLOW_NOT_NEGOTIATED;
  if (fallback_) {
    const GstFlowReturn flow = fallback_->push({owned, {}, {}});
    return fallback_flow_ != GST_FLOW_OK ? fallback_flow_ : flow;
  }
  CodedFrame frame = reader_ ? reader_->read(buffer) : CodedFrame{owned, {}, {}};
  frame.events = std::exchange(waiting_, {});
  std::vector<Gop> complete;
  const bool is_cut = splitter_.add(std::move(frame), complete);
  if (!plan_)
    return is_cut && can_be_cut() ? begin_gops() : start_fallback("the stream cannot be cut");
  const GstFlowReturn flow = take_gops(std::move(complete));
  if (is_cut || fallback_ || flow != GST_FLOW_OK) return flow;
  return fall_back("no place to cut comes in time");
}

bool SamplingDecoder::can_be_cut() const {
  return reader_ && segment_.format == GST_FORMAT_TIME && segment_.rate == 1.0 && n_decoders != 1 &&
         n_side_by_side(factory_) > 1;
}

// The first frame goes ahead by itself: it is needed in any case, tells what pictures look like,
// and lets whoever plugs the pipeline link us.
GstFlowReturn SamplingDecoder::begin_gops() {
  const OwnedBuffer first = decoded_first();
  if (!first) return start_fallback("the first frame did not come out by itself");
  GstCaps* raw = spare_->output_caps();
  announce(raw);
  first_ = Time(GST_BUFFER_PTS(first.get()));
  picture_bytes_ = gst_buffer_get_size(first.get());
  const GstFlowReturn flow = push(gst_buffer_ref(first.get()));
  const auto settings = ask_sampling(src_);
  if (flow == GST_FLOW_OK && settings) {
    plan_ = plan_before_ ? std::exchange(plan_before_, std::nullopt)
                         : FramePlan(*settings, frame_length(raw));
    plan_->set_frame_length(frame_length(raw));
    const int n = n_decoders != 0 ? static_cast<int>(n_decoders) : n_side_by_side(factory_);
    std::lock_guard lock(mutex_);
    workers_ = std::make_unique<GopDecoders>(
        n, [this] { return make_decoder(true); }, segment_, raw);
    if (interrupted_) workers_->interrupt();
  }
  gst_caps_unref(raw);
  if (flow != GST_FLOW_OK || plan_) return flow;
  return start_fallback("nobody says which frames are needed");
}

OwnedBuffer SamplingDecoder::decoded_first() {
  std::vector<PlannedFrame> frames;
  const std::vector<CodedFrame> rest = splitter_.rest();
  if (!list_frames({rest, {}}, frames) || frames.size() != 1) return nullptr;
  auto decoder = make_decoder(true);
  if (!decoder) return nullptr;
  std::vector<OwnedBuffer> pictures;
  decoder->on_output([&](GstBuffer* buffer) {
    pictures.emplace_back(buffer, BufferUnref());
    return GST_FLOW_OK;
  });
  const GstFlowReturn flow = decoder->push(rest.front());
  decoder->drain(segment_);
  const bool as_expected =
      flow == GST_FLOW_OK && pictures.size() == 1 &&
      GST_BUFFER_PTS(pictures[0].get()) == static_cast<GstClockTime>(frames[0].pts.count()) &&
      !GST_BUFFER_FLAG_IS_SET(pictures[0].get(), GST_BUFFER_FLAG_CORRUPTED);
  GstCaps* raw = as_expected ? decoder->output_caps() : nullptr;
  if (!raw) return nullptr;
  gst_caps_unref(raw);
  std::lock_guard lock(mutex_);
  spare_ = std::move(decoder);
  return pictures[0];
}

// Called on the workers' threads, too.
std::unique_ptr<InnerDecoder> SamplingDecoder::make_decoder(bool alone) {
  if (alone) {
    std::lock_guard lock(mutex_);
    if (spare_) return std::move(spare_);
  }
  auto decoder = InnerDecoder::make(bin_, factory_, src_, alone);
  if (!decoder) return nullptr;
  decoder->on_output([](GstBuffer* buffer) {
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
  });
  if (alone && !decoder->begin(caps_, segment_)) return nullptr;
  return decoder;
}

// What was held back, in the order in which pads want it: CAPS, SEGMENT, all else.
void SamplingDecoder::announce(GstCaps* raw) {
  if (!std::exchange(announced_, true)) {
    gst_pad_push_event(src_, gst_event_new_caps(raw));
    GstEvent* segment = gst_event_new_segment(&segment_);
    if (segment_seqnum_ != GST_SEQNUM_INVALID) gst_event_set_seqnum(segment, segment_seqnum_);
    gst_pad_push_event(src_, segment);
  }
  for (const OwnedEvent& event : std::exchange(held_, {})) pass_on(event);
}

void SamplingDecoder::remember_tags(const OwnedEvent& event) {
  if (GST_EVENT_TYPE(event.get()) != GST_EVENT_TAG) return;
  GstTagList* list = nullptr;
  gst_event_parse_tag(event.get(), &list);
  if (gst_tag_list_get_scope(list) == GST_TAG_SCOPE_STREAM) stream_tags_ = event;
}

void SamplingDecoder::pass_on(const OwnedEvent& event) {
  remember_tags(event);
  gst_pad_push_event(src_, gst_event_ref(event.get()));
}

GstFlowReturn SamplingDecoder::push(GstBuffer* picture) {
  ++n_fed;
  return gst_pad_push(src_, picture);
}

// ---- GOPs ----

GstFlowReturn SamplingDecoder::take_gops(std::vector<Gop> complete) {
  std::move(complete.begin(), complete.end(), std::back_inserter(gops_));
  while (!gops_.empty()) {
    const auto job = planned(gops_.front());
    if (!job) return fall_back("what is needed cannot be planned");
    gops_.pop_front();
    const GstFlowReturn flow = submit(job);
    if (fallback_ || flow != GST_FLOW_OK) return flow;
  }
  return GST_FLOW_OK;
}

// Null when it cannot be known what is needed of this GOP, or when that is too much.
std::shared_ptr<GopJob> SamplingDecoder::planned(Gop gop) {
  auto job = std::make_shared<GopJob>();
  const auto settings = ask_sampling(src_);
  if (!settings || !list_frames(gop, job->frames)) return nullptr;
  plan_->change(*settings);
  if (!plan_->plan(job->frames)) return nullptr;
  // The very first frame is passed on already.
  if (!job->frames.empty() && job->frames[0].pts == first_) job->frames[0].needed = false;
  for (const PlannedFrame& frame : job->frames) job->n_needed += frame.needed;
  if (job->n_needed * picture_bytes_ > kMostRangeBytes) return nullptr;
  job->events = events_of(gop);
  job->gop = std::move(gop);
  return job;
}

// What the GOP shows, by PTS. A frame is cut to the segment as the decoder does it; false when
// that would move its PTS.
bool SamplingDecoder::list_frames(const Gop& gop, std::vector<PlannedFrame>& frames) const {
  const auto add = [&](const CodedFrame& frame) {
    const guint64 start = frame.pts->count();
    const guint64 stop = frame.duration ? start + frame.duration->count() : GST_CLOCK_TIME_NONE;
    guint64 clipped_start = 0, clipped_stop = 0;
    if (frame.hidden ||
        !gst_segment_clip(&segment_, GST_FORMAT_TIME, start, stop, &clipped_start, &clipped_stop))
      return true;
    PlannedFrame planned;
    planned.pts = *frame.pts;
    if (frame.duration) planned.duration = Time(clipped_stop - clipped_start);
    planned.discont = GST_BUFFER_IS_DISCONT(frame.buffer.get());
    frames.push_back(planned);
    return clipped_start == start;
  };
  bool good = std::all_of(gop.own.begin(), gop.own.end(), add);
  for (size_t i = 1; i < gop.tail.size(); ++i) good = add(gop.tail[i]) && good;
  std::sort(frames.begin(), frames.end(),
            [](const PlannedFrame& a, const PlannedFrame& b) { return a.pts < b.pts; });
  return good;
}

GstFlowReturn SamplingDecoder::submit(std::shared_ptr<GopJob> job) {
  GstFlowReturn flow = GST_FLOW_OK;
  jobs_.push_back(job);
  workers_->submit(std::move(job));
  while (flow == GST_FLOW_OK && !fallback_ && is_full()) flow = emit_first();
  return flow;
}

bool SamplingDecoder::is_full() const {
  size_t n_pictures = 0;
  for (const auto& job : jobs_) n_pictures += job->n_needed;
  return jobs_.size() > workers_->n_most() + kSpareRanges ||
         (jobs_.size() > 1 && n_pictures * picture_bytes_ > kMostHeldBytes);
}

GstFlowReturn SamplingDecoder::emit_first() {
  const std::shared_ptr<GopJob> job = jobs_.front();
  if (!workers_->wait(*job)) return GST_FLOW_FLUSHING;
  if (!job->whole) {
    return start_fallback("a GOP did not come out as planned");
  }
  jobs_.pop_front();
  ++n_gops;
  return emit(*job);
}

GstFlowReturn SamplingDecoder::emit_all() {
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK && !fallback_ && !jobs_.empty()) flow = emit_first();
  return flow;
}

GstFlowReturn SamplingDecoder::emit(GopJob& job) {
  GstFlowReturn flow = GST_FLOW_OK;
  size_t next = 0;
  auto event = job.events.begin();
  const auto pass_events = [&](Time up_to) {
    for (; event != job.events.end() && event->first <= up_to; ++event) pass_on(event->second);
  };
  for (const PlannedFrame& frame : job.frames) {
    if (flow != GST_FLOW_OK) break;
    if (frame.pts == first_) continue;
    pass_events(frame.pts);
    if (frame.needed) {
      GstBuffer* picture = gst_buffer_ref(std::exchange(job.pictures[next++], nullptr).get());
      flow = push(with_discont(picture, frame.discont));
    } else {
      gst_pad_push_event(src_, skipped_frame_event(frame.pts, frame.end, segment_seqnum_));
    }
  }
  if (flow == GST_FLOW_OK) pass_events(kForever);  // those of frames that are not shown
  first_.reset();
  return flow;
}

GstFlowReturn SamplingDecoder::finish_gops() {
  if (!plan_) return GST_FLOW_OK;
  GstFlowReturn flow = take_gops(splitter_.finish());
  if (flow == GST_FLOW_OK && !fallback_) flow = emit_all();
  return flow;
}

}  // namespace vidi
