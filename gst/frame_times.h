// How the frames of a stream follow each other in time: where one ends, how far away the next may
// be, and where time jumps. The element and the decoder before it (vididecode) ask this the same
// way, so that both choose the same pictures. Pure arithmetic: no GStreamer, no threads.
#pragma once

#include <optional>

#include "gst/media_time.h"

namespace vidi {

class FrameTimes {
 public:
  void set_frame_length(Time length) { frame_length_ = length; }  // from caps; 0 = not known

  // The longest time until the frame that follows this one, as far as the stream tells (see
  // FrameSampler); kForever without a frame length.
  Time reach_after(Time pts, std::optional<Time> duration) const;
  // `sampling_interval` is the length of a frame of which nothing else is known.
  Time end_of(Time pts, std::optional<Time> duration, Time sampling_interval) const;
  // Before it and behind it are two stories: it goes back, or far ahead of where the last one
  // ended.
  bool jumps_at(Time pts, Time stride) const;

  void pass_frame(Time pts, Time end);
  void pass_gap(Time end);
  void forget();  // the next frame is the first one

  bool any() const { return last_pts_ >= Time(0); }
  Time last_pts() const { return last_pts_; }
  Time last_end() const { return last_end_; }

 private:
  Time frame_length_{};
  Time last_pts_{-1}, last_end_{-1}, last_interval_{0};
};

// How far ahead a frame may be and still belong to the same story.
inline constexpr Time kShortestJump = std::chrono::seconds(5);

}  // namespace vidi
