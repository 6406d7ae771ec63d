// A text or JSON source pad: a GstTask of its own that keeps a sparse stream going beside the
// video.
//
// It sends STREAM_START (sparse), CAPS, SEGMENT and a GAP as soon as the video's SEGMENT is known,
// then GAPs that follow the video, so that muxers and textoverlay never wait for a hit. Never
// pushes data from the caller's thread: on GStreamer 1.22 that keeps a pipeline from leaving
// READY->PAUSED. Every function may be called from any thread.
//
// The audio source pad is one of these as well, for as long as no sound comes: a sink behind it
// must not keep the pipeline from its preroll, nor from its end. See hold_back() and hand_over().
//
// Activation is the pad's own: the constructor installs an activate-mode function that starts and
// stops the task. The element leaves READY<->PAUSED to GstElement; for a pad requested later it
// calls gst_pad_set_active(pad, TRUE), then gst_element_add_pad. To release one: retire(),
// gst_element_remove_pad, delete the SparsePad. None of this with a lock held that
// the video's thread needs.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

namespace vidi {

class SparsePad {
 public:
  // `pad` is a request source pad of the element, not active yet; its name goes into the stream id.
  // Both are referenced; caps NULL = none.
  SparsePad(GstPad* pad, GstCaps* caps);
  // The same with several forms of a buffer, the usual one first: of those that downstream takes
  // the first is sent, and looked for anew with each peer. `wrap` takes a buffer of the usual one
  // and returns that of these caps; on the pad's task.
  using Wrap = GstBuffer* (*)(GstBuffer* buffer, const GstCaps* form);
  SparsePad(GstPad* pad, GstCaps* forms, Wrap wrap);
  ~SparsePad();  // stops the task, returns when it is out
  SparsePad(const SparsePad&) = delete;
  SparsePad& operator=(const SparsePad&) = delete;

  // The video's stream id (of its STREAM_START, with group id when it has one) and segment. May be
  // called again: a new stream or segment goes out before what follows. `position` = where GAPs
  // start. Buffers pushed before the first start wait for it.
  // `seqnum`: of the video's SEGMENT; all that stems from it carries it.
  void start(const std::string& upstream_id, std::optional<guint> group_id,
             const GstSegment& segment, GstClockTime position, guint32 seqnum = GST_SEQNUM_INVALID);
  // Blocks until the first start's CAPS has left, or the pad flushes or stops; not again after
  // that. For the video's thread before its first buffer: a live muxer (GstAggregator, so
  // matroskamux of GStreamer 1.26) writes its headers when that comes, and refuses a track that it
  // hears of later. Gives up after a second.
  void wait_for_caps();
  // The video is there (PTS + duration of a buffer; at least PTS + 1, and before the buffer is
  // pushed: textoverlay holds a picture until the text has passed its PTS). Never blocks.
  void follow(GstClockTime position);
  // Takes it; sent in order, with any timestamp; never blocks. Where downstream takes nothing for
  // long, the oldest that wait are left out.
  void push(GstBuffer* buffer);
  uint64_t n_left_out() const;
  // EOS behind everything queued; never blocks. `seqnum`: of the EOS that it follows.
  void end(guint32 seqnum = GST_SEQNUM_INVALID);
  // SEGMENT_DONE, likewise: no end, more may come.
  void segment_done(GstEvent* event);  // takes it

  // Nothing is sent for so long, unless end() comes: data may come from elsewhere meanwhile.
  void hold_back(std::chrono::nanoseconds time);
  // Data of another stream takes its way through the pad, on its own thread: nothing more is sent,
  // and nothing is under way when this returns. Until the next start() or push_event().
  void hand_over();
  void push_event(GstEvent* event);  // takes it; into the stream that was handed over to
  void set_caps(GstCaps* caps);      // of the next start(); takes them, NULL = none

  // Blocks until everything queued has left, `end` included, or the pad flushes or stops. Gives up
  // when downstream has taken nothing for 250 ms: a muxer or textoverlay takes no second cue before
  // more video comes, and the caller holds that video back. What is queued is still sent.
  void wait_until_sent();

  // FLUSH_START downstream, every wait wakes, the queue is emptied; all calls up to flush_stop are
  // ignored. `seqnum`: of the flush that it follows. A pad that saw no start sends no stop.
  void flush_start(guint32 seqnum = GST_SEQNUM_INVALID);
  void flush_stop(bool reset_time, guint32 seqnum = GST_SEQNUM_INVALID);  // then start()
  void activate(bool active);  // called by the pad's activate-mode function
  // Deactivates the pad for good: a change of the element's state that runs beside this may
  // activate it once more, and its task would then hold the lock that deactivation waits for.
  void retire();
  // Drops what is queued. For READY->PAUSED, before the pads are activated: what comes while the
  // pad is not active is kept for when it is, and the last run may have left something late.
  void forget();

  // Of the last buffer: GST_FLOW_OK until one was refused. Refused by anything but
  // GST_FLOW_NOT_LINKED, later buffers are dropped until a flush, a new start or a new peer.
  GstFlowReturn last_flow() const;
  GstPad* pad() const { return pad_; }

 private:
  // What the pad knows of this object. It outlives it: a change of the element's state, or a link,
  // that is under way while the pad is released calls here once more.
  struct Handle {
    std::shared_mutex mutex;  // shared by the calls
    SparsePad* owner = nullptr;
  };
  using HandleRef = std::shared_ptr<Handle>;
  static gboolean activate_mode(GstPad* pad, GstObject* parent, GstPadMode mode, gboolean active);
  static void on_linked(GstPad* pad, GstPad* peer, HandleRef* handle);
  void linked();
  static void loop(gpointer self);  // on the pad's task
  void send_next();
  GstMiniObject* take_next();
  void leave_peer();
  void leave_out_oldest();
  std::optional<GstFlowReturn> send(GstMiniObject* item);
  bool drops_buffers() const;
  bool already_sent(GstEvent* event);
  GstEvent* in_taken_form(GstEvent* caps);

  // Called with mutex_ held.
  bool has_work() const;
  bool refused() const { return flow_ != GST_FLOW_OK && flow_ != GST_FLOW_NOT_LINKED; }
  void queue_start(const std::string& upstream_id, std::optional<guint> group_id,
                   const GstSegment& segment, GstClockTime position, guint32 seqnum);
  GstEvent* caps_event() const;
  void clear();

  void flush_stuck_peer();
  void wait_for_push(std::unique_lock<std::mutex>& lock);

  GstPad* const pad_;
  const HandleRef handle_;
  gulong linked_handler_ = 0;
  const Wrap wrap_ = nullptr;
  GstCaps* caps_;
  GstCaps* form_ = nullptr;  // the task's: that was sent last, of several
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GstMiniObject*> queue_;  // events and buffers, in order
  // Of the video: its end, and where its newest picture begins; and what the GAPs have told of it.
  // NONE before start().
  GstClockTime position_ = GST_CLOCK_TIME_NONE, newest_ = GST_CLOCK_TIME_NONE;
  GstClockTime sent_position_ = GST_CLOCK_TIME_NONE;
  guint32 seqnum_ = GST_SEQNUM_INVALID;  // of what is sent now
  GstPad* peer_ = nullptr;  // that a push is under way to, also when it is unlinked meanwhile
  GstFlowReturn flow_ = GST_FLOW_OK;
  bool active_ = false, flushing_ = false, sending_ = false;
  bool retired_ = false;
  bool started_ = false, ended_ = false;
  std::chrono::steady_clock::time_point held_until_;
  bool caps_left_ = false;  // since the pad became active
  // A GAP is to be sent although no time has passed: to a new peer, and behind a late cue, which
  // takes textoverlay's idea of the text's position back to its own PTS.
  bool gap_due_ = false;
  size_t n_waiting_ = 0;  // buffers in the queue
  uint64_t n_left_out_ = 0;
  uint64_t n_sent_ = 0;         // items that have left, to see that downstream moves
  bool stream_is_new_ = false;  // the task's: a STREAM_START left, its CAPS has not
};

}  // namespace vidi
