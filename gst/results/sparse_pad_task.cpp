// The pad's task: sends what is queued, and GAPs that follow the video.
#include <chrono>
#include <utility>

#include "gst/results/sparse_events.h"
#include "gst/results/sparse_pad.h"

namespace vidi {
namespace {

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

bool has_sticky(GstPad* pad, GstEventType type) {
  GstEvent* event = gst_pad_get_sticky_event(pad, type, 0);
  if (event) gst_event_unref(event);
  return event != nullptr;
}

}  // namespace

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

}  // namespace vidi
