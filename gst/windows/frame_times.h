// How the frames of a stream follow each other in time: where one ends, how far away the next may
// be, and where time jumps. The element and the decoder before it (vididecode) ask this the same
// way, so that both choose the same pictures. Pure arithmetic: no GStreamer, no threads.
#pragma once

#include <optional>

#include "gst/media_time.h"

namespace vidi {

// What a frame that comes late brings with it, or what else is known then.
struct HoleSigns {
  bool discont = false;  // upstream says that the stream is broken before it
  bool live = false;
  bool sound_leaps = false;         // the sound has the same hole
  std::optional<Time> alive_until;  // as far as sound went on, as PTS of the video
};

class FrameTimes {
 public:
  void set_frame_length(Time length) { frame_length_ = length; }  // from caps; 0 = not known
  void set_sampling_interval(Time interval) { sampling_interval_ = interval; }

  // The longest time until the frame that follows this one, as far as the stream tells (see
  // FrameSampler); kForever without a frame length. Where a frame stood for longer than a sampling
  // interval within the last minute, another may.
  Time reach_after(Time pts, std::optional<Time> duration) const;
  // A frame of which nothing else is known is as long as a sampling interval.
  Time end_of(Time pts, std::optional<Time> duration) const;

  // Before it and behind it are two stories: it goes back by a sampling interval or more. (A little
  // less, as where recordings were joined, and the frames up to where the first one ended are told
  // twice.)
  bool steps_back_at(Time pts) const;
  // It comes late enough to ask whether the last frame stands, or time has jumped.
  bool is_late(Time pts, Time stride) const;
  // The answer. A file's picture may stand for ever, unless something else says that time jumped; a
  // camera's for as long as its sound goes on, else for a minute.
  bool has_jumped(Time pts, Time stride, const HoleSigns& signs) const;

  void pass_frame(Time pts, Time end);
  void pass_gap(Time end);
  void forget();  // the next frame is the first one

  bool any() const { return last_pts_ >= Time(0); }
  Time last_pts() const { return last_pts_; }
  Time last_end() const { return last_end_; }

 private:
  Time frame_length_{}, sampling_interval_ = std::chrono::seconds(1);
  Time last_pts_{-1}, last_end_{-1}, last_interval_{0};
  Time stood_for_{0}, stood_until_{0};
};

// How far ahead a frame may be and still belong to the same story, whatever else is said.
inline constexpr Time kShortestJump = std::chrono::seconds(5);

}  // namespace vidi
