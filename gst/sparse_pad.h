// A text or JSON source pad: a GstTask of its own that keeps a sparse stream going beside the
// video.
//
// It sends STREAM_START (sparse), CAPS, SEGMENT and a GAP as soon as the video's SEGMENT is known,
// then GAPs that follow the video, so that muxers and textoverlay never wait for a hit. Never
// pushes from the caller's thread: on GStreamer 1.22 that keeps a pipeline from leaving
// READY->PAUSED.
#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace vidi {

class SparsePad {
 public:
  // `pad` is a request source pad of the element; `name` goes into its stream id.
  SparsePad(GstPad* pad, GstCaps* caps);
  ~SparsePad();  // stops the task, returns when it is out

  // The video's stream id (of its STREAM_START, with group id when it has one) and segment. May be
  // called again: a new stream or segment goes out before what follows. `position` = where GAPs
  // start.
  void start(const std::string& upstream_id, std::optional<guint> group_id,
             const GstSegment& segment, GstClockTime position);
  void follow(GstClockTime position);  // the video is there; wakes the task, never blocks
  void push(GstBuffer* buffer);        // takes it; sent in order; never blocks
  void end();                          // EOS behind everything queued; never blocks
  // Blocks until everything queued has left, `end` included, or downstream refused it, or the pad
  // flushes.
  void wait_until_sent();

  void flush_start();  // FLUSH_START downstream, every wait wakes, the queue is emptied
  void flush_stop(bool reset_time);
  void activate(bool active);  // READY<->PAUSED

  GstFlowReturn last_flow() const;
  GstPad* pad() const { return pad_; }

 private:
  static void loop(gpointer self);
  void send_next();

  GstPad* pad_;
  GstCaps* caps_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GstMiniObject*> queue_;  // events and buffers, in order
  GstClockTime position_ = GST_CLOCK_TIME_NONE, sent_position_ = GST_CLOCK_TIME_NONE;
  GstFlowReturn flow_ = GST_FLOW_OK;
  bool active_ = false, flushing_ = false, sending_ = false;
};

}  // namespace vidi
