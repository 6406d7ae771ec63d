#include "gst/decode/gop_decoders.h"

#include <algorithm>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(vididecode_debug);
#define GST_CAT_DEFAULT vididecode_debug

namespace vidi {
namespace {

const PlannedFrame* planned(const GopJob& job, Time pts) {
  const auto at = std::lower_bound(job.frames.begin(), job.frames.end(), pts,
                                   [](const PlannedFrame& frame, Time t) { return frame.pts < t; });
  return at != job.frames.end() && at->pts == pts ? &*at : nullptr;
}

bool is_needed(const GopJob& job, const CodedFrame& frame) {
  const PlannedFrame* found = frame.hidden ? nullptr : planned(job, *frame.pts);
  return found && found->needed;
}

// It had to be decoded for its leading frames.
bool is_next_first(const GopJob& job, GstBuffer* picture) {
  return !job.gop.tail.empty() && GST_BUFFER_PTS_IS_VALID(picture) &&
         Time(GST_BUFFER_PTS(picture)) == *job.gop.tail[0].pts;
}

// All that is needed, and nothing twice.
bool is_complete(const GopJob& job) {
  size_t n = 0;
  for (const PlannedFrame& frame : job.frames) {
    if (!frame.needed) continue;
    if (n == job.pictures.size() || Time(GST_BUFFER_PTS(job.pictures[n].get())) != frame.pts)
      return false;
    ++n;
  }
  return n == job.pictures.size();
}

}  // namespace

std::vector<std::pair<Time, OwnedEvent>> events_of(const Gop& gop) {
  std::vector<std::pair<Time, OwnedEvent>> events;
  const auto add = [&](const CodedFrame& frame) {
    for (const OwnedEvent& event : frame.events) events.emplace_back(*frame.pts, event);
  };
  std::for_each(gop.own.begin(), gop.own.end(), add);
  if (!gop.tail.empty()) std::for_each(gop.tail.begin() + 1, gop.tail.end(), add);
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return events;
}

// Nothing behind the last needed frame, and none that no other needs.
std::vector<CodedFrame> frames_to_decode(const GopJob& job) {
  std::vector<const CodedFrame*> all;
  for (const CodedFrame& frame : job.gop.own) all.push_back(&frame);
  for (const CodedFrame& frame : job.gop.tail) all.push_back(&frame);
  while (!all.empty() && !is_needed(job, *all.back())) all.pop_back();
  int top_layer = 0;
  for (const CodedFrame* frame : all) top_layer = std::max(top_layer, frame->layer);
  std::vector<CodedFrame> chosen;
  for (const CodedFrame* frame : all) {
    const bool spare = frame->disposable && frame->layer == top_layer;
    if (!spare || is_needed(job, *frame)) chosen.push_back(*frame);
  }
  return chosen;
}

GopDecoders::GopDecoders(int n_most, MakeDecoder make, const GstSegment& segment, GstCaps* expected)
    : n_most_(n_most),
      make_(std::move(make)),
      segment_(segment),
      expected_(gst_caps_ref(expected)) {}

GopDecoders::~GopDecoders() {
  interrupt();
  for (std::thread& thread : threads_) thread.join();
  gst_caps_unref(expected_);
}

void GopDecoders::submit(std::shared_ptr<GopJob> job) {
  std::lock_guard lock(mutex_);
  if (job->n_needed == 0) {
    job->done = true;
    return;
  }
  jobs_.push_back(std::move(job));
  const bool short_of_threads = static_cast<int>(jobs_.size()) > n_idle_;
  if (short_of_threads && static_cast<int>(threads_.size()) < n_most_)
    threads_.emplace_back([this] { run(); });
  changed_.notify_all();
}

bool GopDecoders::wait(const GopJob& job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return interrupted_ || job.done; });
  return !interrupted_;
}

void GopDecoders::interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

std::shared_ptr<GopJob> GopDecoders::next() {
  std::unique_lock lock(mutex_);
  ++n_idle_;
  changed_.wait(lock, [&] { return interrupted_ || !jobs_.empty(); });
  --n_idle_;
  if (interrupted_) return nullptr;
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void GopDecoders::run() {
  const auto decoder = make_();
  while (const auto job = next()) {
    try {
      if (decoder) decode(*decoder, *job);
    } catch (const std::exception&) {  // out of memory: one decoder by itself needs less
      job->pictures.clear();
    }
    std::lock_guard lock(mutex_);
    job->whole = job->whole && is_complete(*job);
    job->done = true;
    changed_.notify_all();
  }
}

void GopDecoders::decode(InnerDecoder& decoder, GopJob& job) {
  decoder.on_output([&job](GstBuffer* buffer) {
    OwnedBuffer picture(buffer, BufferUnref());
    const bool damaged = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    const PlannedFrame* frame =
        GST_BUFFER_PTS_IS_VALID(buffer) ? planned(job, Time(GST_BUFFER_PTS(buffer))) : nullptr;
    if (damaged || (!frame && !is_next_first(job, buffer))) {
      GST_INFO("%s picture at %" GST_TIME_FORMAT, damaged ? "a damaged" : "an unplanned",
               GST_TIME_ARGS(GST_BUFFER_PTS(buffer)));
      job.whole = false;
    }
    if (frame && frame->needed) job.pictures.push_back(std::move(picture));
    return GST_FLOW_OK;
  });
  const std::vector<CodedFrame> frames = frames_to_decode(job);
  GST_LOG("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " frames are decoded for %" G_GSIZE_FORMAT,
          frames.size(), job.gop.own.size() + job.gop.tail.size(), job.n_needed);
  for (const CodedFrame& frame : frames) {
    {
      std::lock_guard lock(mutex_);
      if (interrupted_) break;
    }
    if (decoder.push(frame) != GST_FLOW_OK) job.whole = false;
  }
  decoder.drain(segment_);
  GstCaps* caps = decoder.output_caps();
  if (!caps || !gst_caps_is_equal(caps, expected_)) job.whole = false;
  if (caps) gst_caps_unref(caps);
}

}  // namespace vidi
