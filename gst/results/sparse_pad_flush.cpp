// Links, flushes and the pad's activation, with a push that is stuck downstream.
#include <algorithm>
#include <chrono>

#include "gst/results/sparse_events.h"
#include "gst/results/sparse_pad.h"

namespace vidi {
namespace {

// A push that outlives the pad's own flushing by this long is stuck downstream.
constexpr auto kStuck = std::chrono::milliseconds(200);

bool is_linked_to(GstPad* pad, GstPad* other) {
  GstPad* peer = gst_pad_get_peer(pad);
  if (peer) gst_object_unref(peer);
  return peer == other;
}

}  // namespace

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
