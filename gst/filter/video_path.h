// The pictures' way through the element: every buffer passes untouched, and is watched on its way.
//
// chain() and event() run on the video pad's streaming thread, with its stream lock, which guards
// the stream; a flush's start comes without it. Queries and what an application asks come from any
// thread.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "gst/filter/picture_watch.h"
#include "gst/filter/stream_start.h"
#include "gst/filter/video_end.h"
#include "gst/filter/video_parts.h"
#include "gst/filter/video_stream.h"

namespace vidi {

class VideoPath {
 public:
  explicit VideoPath(const VideoParts& parts);  // adds both pads to the element

  void start();  // READY->PAUSED

  // ---- The pad's functions ----
  GstFlowReturn chain(GstBuffer* buffer);
  gboolean event(GstEvent* event);
  bool answer_decoder(GstQuery* query);  // see sampling_query.h; false: another query

  void finish_late(GstEvent* eos) { end_.finish_late(eos); }  // LateEnd's thread

  // ---- Any thread ----
  // Where a pad that is asked for now is to start; nothing: at the next SEGMENT.
  std::optional<StreamStart> under_way() const;
  GstPad* partner_of(GstPad* pad) const;  // null: of another pair
  void analyze_now() { watch_.analyze_now(); }
  uint64_t n_frames() const { return n_frames_; }

 private:
  void follow(GstClockTime position);
  GstBuffer* marked(GstBuffer* buffer) const;
  void start_stream(GstEvent* event);
  void take_caps(GstEvent* event);
  void read_pictures_of(const GstCaps* caps);
  void take_tags(GstEvent* event);
  void change_tags(const std::function<void(OrientationTags&)>& change);
  void start_segment(GstEvent* event);
  void pass_gap(GstEvent* event);
  void flush_stop(guint32 seqnum);

  const LiveSettings& settings_;
  const OpenedEngine& engine_;
  Notices& notices_;
  const ModelStatus& status_;
  WindowFeed& feed_;
  Delivery& delivery_;
  const PresentHits& present_;
  Flushes& flushes_;
  SidePads& side_pads_;
  IdleAudio& idle_audio_;
  AudioPath& audio_;
  LateEnd& late_end_;

  GstPad* const sink_;
  GstPad* const src_;
  VideoStream stream_;  // the pad's stream lock
  PictureWatch watch_;
  VideoEnd end_;
  std::atomic<uint64_t> n_frames_{0};
};

}  // namespace vidi
