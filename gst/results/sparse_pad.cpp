// What the element calls: the queue. What leaves it is in sparse_pad_task.cpp, flush and activation
// in sparse_pad_flush.cpp.
#include "gst/results/sparse_pad.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/results/sparse_events.h"

namespace vidi {
namespace {

// A downstream that has taken nothing for this long is not waited for (see wait_until_sent).
constexpr auto kPatience = std::chrono::milliseconds(250);
// The same for its first CAPS, which nothing but a blocking probe holds up.
constexpr auto kCapsPatience = std::chrono::seconds(1);
// Cues or lines; a reader that comes back gets the latest.
constexpr size_t kMostWaiting = 4096;

GstEvent* stream_start_event(const std::string& id, std::optional<guint> group_id) {
  GstEvent* event = gst_event_new_stream_start(id.c_str());
  gst_event_set_stream_flags(event, GST_STREAM_FLAG_SPARSE);
  if (group_id) gst_event_set_group_id(event, *group_id);
  return event;
}

}  // namespace

SparsePad::SparsePad(GstPad* pad, GstCaps* caps) : SparsePad(pad, caps, nullptr) {}

SparsePad::SparsePad(GstPad* pad, GstCaps* caps, Wrap wrap)
    : pad_(GST_PAD(gst_object_ref(pad))),
      handle_(std::make_shared<Handle>()),
      wrap_(wrap),
      caps_(caps ? gst_caps_ref(caps) : nullptr) {
  handle_->owner = this;
  const auto forget = [](gpointer handle) { delete static_cast<HandleRef*>(handle); };
  gst_pad_set_activatemode_function_full(pad_, activate_mode, new HandleRef(handle_), forget);
  linked_handler_ = g_signal_connect_data(
      pad_, "linked", G_CALLBACK(on_linked), new HandleRef(handle_),
      [](gpointer handle, GClosure*) { delete static_cast<HandleRef*>(handle); },
      static_cast<GConnectFlags>(0));
}

// The pad's function stays: another thread may be about to call it.
SparsePad::~SparsePad() {
  {
    std::unique_lock lock(handle_->mutex);
    handle_->owner = nullptr;
  }
  g_signal_handler_disconnect(pad_, linked_handler_);
  activate(false);
  leave_peer();
  gst_clear_caps(&caps_);
  gst_clear_caps(&form_);
  gst_object_unref(pad_);
}

void SparsePad::start(const std::string& upstream_id, std::optional<guint> group_id,
                      const GstSegment& segment, GstClockTime position, guint32 seqnum) {
  std::lock_guard lock(mutex_);
  if (flushing_) return;
  queue_start(upstream_id, group_id, segment, position, seqnum);
  changed_.notify_all();
}

void SparsePad::queue_start(const std::string& upstream_id, std::optional<guint> group_id,
                            const GstSegment& segment, GstClockTime position, guint32 seqnum) {
  if (!GST_CLOCK_TIME_IS_VALID(position)) position = segment.start;
  const std::string id = upstream_id + "/" + GST_PAD_NAME(pad_);
  GstEvent* events[] = {stream_start_event(id, group_id), caps_ ? caps_event() : nullptr,
                        gst_event_new_segment(&segment), gst_event_new_gap(position, 0)};
  // What came before the first start belongs behind it.
  auto at = started_ ? queue_.end() : queue_.begin();
  for (GstEvent* event : events) {
    if (event) at = queue_.insert(at, GST_MINI_OBJECT_CAST(with_seqnum(event, seqnum))) + 1;
  }
  seqnum_ = seqnum;
  position_ = newest_ = sent_position_ = position;
  started_ = true;
  ended_ = gap_due_ = false;
  flow_ = GST_FLOW_OK;
}

// Of several forms the usual one; which it becomes is known when it is sent.
GstEvent* SparsePad::caps_event() const {
  if (!wrap_) return gst_event_new_caps(caps_);
  GstCaps* usual = gst_caps_fixate(gst_caps_copy(caps_));
  GstEvent* event = gst_event_new_caps(usual);
  gst_caps_unref(usual);
  return event;
}

void SparsePad::follow(GstClockTime position) {
  std::lock_guard lock(mutex_);
  if (flushing_ || !started_ || ended_ || !GST_CLOCK_TIME_IS_VALID(position)) return;
  if (position <= position_) return;
  newest_ = std::exchange(position_, position);
  changed_.notify_all();
}

void SparsePad::push(GstBuffer* buffer) {
  std::lock_guard lock(mutex_);
  if (flushing_ || ended_) {
    gst_buffer_unref(buffer);
    return;
  }
  if (n_waiting_ >= kMostWaiting) leave_out_oldest();
  queue_.push_back(GST_MINI_OBJECT_CAST(buffer));
  ++n_waiting_;
  changed_.notify_all();
}

void SparsePad::leave_out_oldest() {
  const auto is_buffer = [](GstMiniObject* item) { return GST_IS_BUFFER(item); };
  const auto oldest = std::find_if(queue_.begin(), queue_.end(), is_buffer);
  gst_mini_object_unref(*oldest);
  queue_.erase(oldest);
  --n_waiting_;
  ++n_left_out_;
}

uint64_t SparsePad::n_left_out() const {
  std::lock_guard lock(mutex_);
  return n_left_out_;
}

void SparsePad::end(guint32 seqnum) {
  std::lock_guard lock(mutex_);
  if (flushing_ || ended_) return;
  if (!started_) {  // EOS of a video that never was: downstream still needs a stream to end
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    queue_start("vidifilter", std::nullopt, segment, 0, seqnum);
  }
  queue_.push_back(GST_MINI_OBJECT_CAST(with_seqnum(gst_event_new_eos(), seqnum)));
  ended_ = true;
  gap_due_ = false;
  held_until_ = {};
  changed_.notify_all();
}

void SparsePad::segment_done(GstEvent* event) {
  std::lock_guard lock(mutex_);
  if (flushing_ || ended_ || !started_) return gst_event_unref(event);
  queue_.push_back(GST_MINI_OBJECT_CAST(event));
  changed_.notify_all();
}

void SparsePad::hold_back(std::chrono::nanoseconds time) {
  std::lock_guard lock(mutex_);
  held_until_ = std::chrono::steady_clock::now() + time;
  changed_.notify_all();
}

void SparsePad::hand_over() {
  std::unique_lock lock(mutex_);
  clear();
  changed_.notify_all();
  wait_for_push(lock);
}

void SparsePad::push_event(GstEvent* event) {
  std::lock_guard lock(mutex_);
  if (flushing_ || ended_) return gst_event_unref(event);
  started_ = true;
  ended_ = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  if (ended_) held_until_ = {};
  queue_.push_back(GST_MINI_OBJECT_CAST(event));
  changed_.notify_all();
}

void SparsePad::set_caps(GstCaps* caps) {
  std::lock_guard lock(mutex_);
  gst_caps_replace(&caps_, caps);
  if (caps) gst_caps_unref(caps);
}

void SparsePad::wait_for_caps() {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return !active_ || flushing_ || !started_ || caps_left_; };
  changed_.wait_for(lock, kCapsPatience, over);
}

void SparsePad::wait_until_sent() {
  std::unique_lock lock(mutex_);
  const auto over = [this] {
    return !active_ || flushing_ || !started_ || (queue_.empty() && !sending_);
  };
  while (!over()) {
    const uint64_t seen = n_sent_;
    const auto moved = [&] { return over() || n_sent_ != seen; };
    if (!changed_.wait_for(lock, kPatience, moved)) return;
  }
}

GstFlowReturn SparsePad::last_flow() const {
  std::lock_guard lock(mutex_);
  return flow_;
}

}  // namespace vidi
