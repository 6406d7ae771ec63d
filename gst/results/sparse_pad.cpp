#include "gst/results/sparse_pad.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vidi {
namespace {

// A downstream that has taken nothing for this long is not waited for (see wait_until_sent).
constexpr auto kPatience = std::chrono::milliseconds(250);
// The same for its first CAPS, which nothing but a blocking probe holds up.
constexpr auto kCapsPatience = std::chrono::seconds(1);
// Cues or lines; a reader that comes back gets the latest.
constexpr size_t kMostWaiting = 4096;
// A push that outlives the pad's own flushing by this long is stuck downstream.
constexpr auto kStuck = std::chrono::milliseconds(200);

GstEvent* stream_start_event(const std::string& id, std::optional<guint> group_id) {
  GstEvent* event = gst_event_new_stream_start(id.c_str());
  gst_event_set_stream_flags(event, GST_STREAM_FLAG_SPARSE);
  if (group_id) gst_event_set_group_id(event, *group_id);
  return event;
}

GstEvent* with_seqnum(GstEvent* event, guint32 seqnum) {
  if (seqnum != GST_SEQNUM_INVALID) gst_event_set_seqnum(event, seqnum);
  return event;
}

bool same_stream(GstEvent* a, GstEvent* b) {
  const gchar *id_a = nullptr, *id_b = nullptr;
  guint group_a = GST_GROUP_ID_INVALID, group_b = GST_GROUP_ID_INVALID;
  gst_event_parse_stream_start(a, &id_a);
  gst_event_parse_stream_start(b, &id_b);
  gst_event_parse_group_id(a, &group_a);
  gst_event_parse_group_id(b, &group_b);
  return g_strcmp0(id_a, id_b) == 0 && group_a == group_b;
}

bool same_caps(GstEvent* a, GstEvent* b) {
  GstCaps *caps_a = nullptr, *caps_b = nullptr;
  gst_event_parse_caps(a, &caps_a);
  gst_event_parse_caps(b, &caps_b);
  return gst_caps_is_equal(caps_a, caps_b);
}

bool is_caps(GstMiniObject* item) {
  return GST_IS_EVENT(item) && GST_EVENT_TYPE(item) == GST_EVENT_CAPS;
}

bool is_linked_to(GstPad* pad, GstPad* other) {
  GstPad* peer = gst_pad_get_peer(pad);
  if (peer) gst_object_unref(peer);
  return peer == other;
}

bool has_sticky(GstPad* pad, GstEventType type) {
  GstEvent* event = gst_pad_get_sticky_event(pad, type, 0);
  if (event) gst_event_unref(event);
  return event != nullptr;
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

// The queue of the caller's side.

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

// The task's side.

void SparsePad::loop(gpointer self) { static_cast<SparsePad*>(self)->send_next(); }

void SparsePad::send_next() {
  GstMiniObject* item = take_next();
  if (!item) {
    gst_pad_pause_task(pad_);  // activate(false) stops it
    return;
  }
  const GstClockTime pts =
      GST_IS_BUFFER(item) ? GST_BUFFER_PTS(GST_BUFFER_CAST(item)) : GST_CLOCK_TIME_NONE;
  const bool was_caps = is_caps(item);
  const std::optional<GstFlowReturn> flow = send(item);
  std::lock_guard lock(mutex_);
  if (started_ && !ended_ && GST_CLOCK_TIME_IS_VALID(pts) && pts < sent_position_) gap_due_ = true;
  caps_left_ = caps_left_ || was_caps;
  sending_ = false;
  leave_peer();
  n_sent_++;
  if (flow && !flushing_) flow_ = *flow;
  changed_.notify_all();
}

// Called with the lock.
void SparsePad::leave_peer() { g_clear_pointer(&peer_, gst_object_unref); }

bool SparsePad::has_work() const {
  if (flushing_ || !started_) return false;
  return !queue_.empty() || (!refused() && (position_ > sent_position_ || gap_due_));
}

// The next thing to send, waits for it; NULL when the task is to stop. Positions become a GAP only
// here, so however many there were while the task was busy, two GAPs tell them all: one up to the
// newest picture, and one for that. A muxer takes what begins first (matroskamux of
// GStreamer 1.26): a single long GAP would be taken before the pictures that lie in it, and then
// these would wait for the next one, which comes with a picture that has no room to come.
GstMiniObject* SparsePad::take_next() {
  std::unique_lock lock(mutex_);
  const auto is_held = [this] { return std::chrono::steady_clock::now() < held_until_; };
  while (active_ && (!has_work() || is_held())) {
    if (has_work()) {
      changed_.wait_until(lock, held_until_);
    } else {
      changed_.wait(lock);
    }
  }
  if (!active_) return nullptr;
  sending_ = true;
  leave_peer();
  peer_ = gst_pad_get_peer(pad_);
  if (queue_.empty()) {
    const GstClockTime end = newest_ > sent_position_ ? newest_ : position_;
    GstEvent* gap = with_seqnum(gst_event_new_gap(sent_position_, end - sent_position_), seqnum_);
    sent_position_ = end;
    gap_due_ = false;
    return GST_MINI_OBJECT_CAST(gap);
  }
  GstMiniObject* item = queue_.front();
  queue_.pop_front();
  if (GST_IS_BUFFER(item)) --n_waiting_;
  return item;
}

// Pushes, without the lock. What downstream says to a buffer; nothing for an event.
std::optional<GstFlowReturn> SparsePad::send(GstMiniObject* item) {
  if (wrap_ && is_caps(item)) item = GST_MINI_OBJECT_CAST(in_taken_form(GST_EVENT_CAST(item)));
  if (GST_IS_BUFFER(item)) {
    GstBuffer* buffer = GST_BUFFER_CAST(item);
    if (!drops_buffers()) return gst_pad_push(pad_, form_ ? wrap_(buffer, form_) : buffer);
    gst_mini_object_unref(item);
  } else if (already_sent(GST_EVENT_CAST(item))) {
    gst_mini_object_unref(item);
  } else {
    gst_pad_push_event(pad_, GST_EVENT_CAST(item));
  }
  return std::nullopt;
}

// Takes the event; that of the first form which the peer takes.
GstEvent* SparsePad::in_taken_form(GstEvent* caps) {
  GstCaps* forms = gst_pad_get_pad_template_caps(pad_);
  GstCaps* taken = gst_pad_peer_query_caps(pad_, forms);
  GstCaps* both = gst_caps_intersect_full(forms, taken, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(taken);
  if (gst_caps_is_empty(both)) gst_caps_replace(&both, forms);  // none: it says so itself
  gst_clear_caps(&form_);
  form_ = gst_caps_fixate(both);
  GstEvent* event = with_seqnum(gst_event_new_caps(form_), gst_event_get_seqnum(caps));
  gst_caps_unref(forms);
  gst_event_unref(caps);
  return event;
}

bool SparsePad::drops_buffers() const {
  std::lock_guard lock(mutex_);
  return refused();
}

// A STREAM_START or CAPS that says nothing new is left out: some elements take a repeated one for a
// change of streams. The pad's own sticky events know best, since a flush may have lost one.
bool SparsePad::already_sent(GstEvent* event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type != GST_EVENT_STREAM_START && type != GST_EVENT_CAPS) return false;
  GstEvent* last = gst_pad_get_sticky_event(pad_, type, 0);
  bool same = false;
  if (type == GST_EVENT_STREAM_START) {
    same = last && same_stream(last, event) && !has_sticky(pad_, GST_EVENT_EOS);
    stream_is_new_ = !same;
  } else {
    same = last && same_caps(last, event) && !stream_is_new_;
  }
  if (last) gst_event_unref(last);
  return same;
}

// Flush and activation.

void SparsePad::clear() {
  for (GstMiniObject* item : queue_) gst_mini_object_unref(item);
  queue_.clear();
  n_waiting_ = 0;
  position_ = newest_ = sent_position_ = GST_CLOCK_TIME_NONE;
  flow_ = GST_FLOW_OK;
  started_ = ended_ = gap_due_ = false;
}

void SparsePad::forget() {
  std::lock_guard lock(mutex_);
  clear();
}

// A downstream that is linked while nothing moves (in PAUSED) waits for a GAP, too.
void SparsePad::on_linked(GstPad*, GstPad*, HandleRef* handle) {
  std::shared_lock lock((*handle)->mutex);
  if (SparsePad* self = (*handle)->owner) self->linked();
}

void SparsePad::linked() {
  std::lock_guard lock(mutex_);
  gap_due_ = started_ && !ended_ && GST_CLOCK_TIME_IS_VALID(sent_position_);
  flow_ = GST_FLOW_OK;
  // Another peer may take another form. Where CAPS has yet to leave it finds out by itself.
  const bool has_left = std::none_of(queue_.begin(), queue_.end(), is_caps);
  if (wrap_ && started_ && !ended_ && has_left)
    queue_.push_front(GST_MINI_OBJECT_CAST(with_seqnum(caps_event(), seqnum_)));
  changed_.notify_all();
}

void SparsePad::flush_start(guint32 seqnum) {
  {
    std::lock_guard lock(mutex_);
    flushing_ = true;
    clear();
    changed_.notify_all();
  }
  gst_pad_push_event(pad_, with_seqnum(gst_event_new_flush_start(), seqnum));
}

void SparsePad::flush_stop(bool reset_time, guint32 seqnum) {
  {
    // Nothing of before may leave behind FLUSH_STOP. Downstream flushes, so the push ends.
    std::unique_lock lock(mutex_);
    if (!flushing_) return;  // it came between start and stop: its downstream may hold a preroll
    wait_for_push(lock);
  }
  gst_pad_push_event(pad_, with_seqnum(gst_event_new_flush_stop(reset_time), seqnum));
  std::lock_guard lock(mutex_);
  flushing_ = false;
  changed_.notify_all();
}

gboolean SparsePad::activate_mode(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  const HandleRef handle = *static_cast<HandleRef*>(pad->activatemodedata);
  std::shared_lock lock(handle->mutex);
  if (SparsePad* self = handle->owner) self->activate(active);
  return TRUE;
}

void SparsePad::activate(bool active) {
  {
    std::lock_guard lock(mutex_);
    active = active && !retired_;
    active_ = active;
    flushing_ = false;
    flow_ = GST_FLOW_OK;
    if (!active) clear(), caps_left_ = false;
    changed_.notify_all();
  }
  if (active) {
    gst_pad_start_task(pad_, loop, this, nullptr);
  } else {
    flush_stuck_peer();
    gst_pad_stop_task(pad_);
  }
}

void SparsePad::retire() {
  {
    std::lock_guard lock(mutex_);
    retired_ = true;
  }
  gst_pad_set_active(pad_, FALSE);
}

// The pad is flushing by now, which ends its own blocking probes. When a pad is released while its
// downstream stays (a sink that holds its first buffer in PAUSED), only a flush ends the push, also
// when the two are not linked any more. In READY->NULL and the like downstream has stopped before
// us and nothing of this happens.
void SparsePad::flush_stuck_peer() {
  GstPad* peer = nullptr;
  {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kStuck, [this] { return !sending_; })) return;
    if (!peer_) return;
    peer = GST_PAD(gst_object_ref(peer_));
  }
  gst_pad_send_event(peer, gst_event_new_flush_start());
  gst_pad_stop_task(pad_);
  gst_pad_send_event(peer, gst_event_new_flush_stop(FALSE));
  gst_object_unref(peer);
}

// Waits, with the lock given up, until no push is under way. One to a downstream that was unlinked
// meanwhile is beyond every flush of the pad, so that gets a flush of its own.
void SparsePad::wait_for_push(std::unique_lock<std::mutex>& lock) {
  const auto over = [this] { return !sending_ || !active_; };
  while (!changed_.wait_for(lock, kStuck, over)) {
    if (!peer_ || (is_linked_to(pad_, peer_) && !flushing_)) continue;
    GstPad* peer = GST_PAD(gst_object_ref(peer_));
    lock.unlock();
    gst_pad_send_event(peer, gst_event_new_flush_start());
    lock.lock();
    changed_.wait(lock, over);
    lock.unlock();
    if (!is_linked_to(pad_, peer)) gst_pad_send_event(peer, gst_event_new_flush_stop(FALSE));
    gst_object_unref(peer);
    lock.lock();
  }
}

}  // namespace vidi
