// What flows through the tee of a live stream, for whoever writes it down: the last seconds are
// kept until somebody does. The stream never waits here. Times become running times of its
// pipeline.
#pragma once

#include <gst/gst.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "examples/watch/live_source.h"

class StreamTap {
 public:
  // On any thread, before the stream's first data.
  static std::shared_ptr<StreamTap> on(const LiveStream& stream);
  StreamTap(const StreamTap&) = delete;
  StreamTap& operator=(const StreamTap&) = delete;
  ~StreamTap();

  bool video() const { return video_; }
  bool raw() const { return raw_; }
  GstCaps* caps() const;   // the caller's reference; null before the first data
  gint64 last_us() const;  // monotonic time of its last data, 0 = none
  // The camera's wall clock less the running time, nanoseconds; empty until it is told.
  std::optional<gint64> clock_offset_ns() const;

  // What is kept, and what comes from now on, goes to this appsrc, from a key frame on.
  void begin(GstElement* appsrc);
  // Nobody writes any more; without `keep` what was kept is thrown away.
  void stop(bool keep);
  // Another size or codec came: what was begun has ended, and what comes is kept.
  bool has_changed() const;

 private:
  explicit StreamTap(const LiveStream& stream) : video_(stream.video), raw_(stream.raw) {}
  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer tap);
  void take(GstPad* pad, GstBuffer* buffer);
  void take_caps(GstPad* pad);
  void hand_on(GstBuffer* buffer);
  void keep(GstBuffer* buffer);
  void clear();
  void let_go();

  const bool video_, raw_;
  mutable std::mutex mutex_;
  GstCaps* caps_ = nullptr;
  GstElement* appsrc_ = nullptr;
  std::deque<GstBuffer*> kept_;
  size_t n_bytes_ = 0;
  bool waits_for_key_ = false, changed_ = false;
  gint64 last_us_ = 0;
  std::optional<gint64> clock_offset_ns_;
};
