// Which frames are looked at, and in which windows they lie. First step behind the video pad.
// Pure arithmetic on PTS: no pictures, no GStreamer, no threads (the caller's lock or thread).
//
// A *grid* starts at the first frame's PTS. Window n of a grid starts at the start of window n - 1
// plus its stride; its *targets* are start + k / rate, k = 0, 1, ..., below its end. The frame
// nearest to a target is its *pick*; of two equally near ones the earlier. Frames are never
// counted, so a variable or missing frame rate changes nothing.
//
//   sampler.frame(pts, reach)   for each frame, in order of PTS
//   sampler.finish(end)         at EOS, a jump, a new segment; the next frame starts a new grid
//
// Whether a frame is the pick of a target is known when the next one arrives, and by then its
// buffer is gone: a frame that may be picked is *grabbed* (copied) when it passes. At most one
// grabbed frame, the last, is kept.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gst/media_time.h"

namespace vidi {

struct SamplingShape {
  int rate_numerator = 1, rate_denominator = 1;  // targets per second
  Time duration = std::chrono::seconds(60);      // of a window; 0 = one window, the whole stream
  Time stride = std::chrono::seconds(30);        // taken as at most the duration, at least 1 ms
};

// A frame chosen for a target of a window.
struct Pick {
  uint64_t window = 0;  // index, counted over the life of the sampler
  Time target{}, pts{};
};

// A window whose frames are complete.
struct ClosedRange {
  uint64_t window = 0;
  Time start{}, stop{};
  bool partial = false;        // ended before its full length
  Time next_start = kForever;  // where the next window of this grid starts; kForever after finish()
};

struct SamplerStep {
  bool grab = false;                // copy this frame now: it is picked, or may be
  std::vector<Pick> picks;          // settled now, each by this frame or by the last grabbed one
  std::vector<ClosedRange> closed;  // in order of their start
};

class FrameSampler {
 public:
  explicit FrameSampler(SamplingShape shape) : shape_(shape) {}

  // Windows that have not started take the new duration and stride; the rate stays until finish().
  void reshape(SamplingShape shape);

  // `pts` must not be below that of the last frame. `reach`: the longest time that may pass before
  // the next frame (kForever when nothing is known, as with a variable rate: then every frame is
  // grabbed).
  SamplerStep frame(Time pts, Time reach);

  // Closes the earliest open window at `end` (of the last frame, PTS + duration), settling its last
  // targets with the last frame that is kept; windows behind it cover nothing new and are
  // forgotten.
  SamplerStep finish(Time end);

  bool running() const { return !windows_.empty(); }
  Time last_pts() const { return last_pts_; }

 private:
  struct Open {
    uint64_t index = 0;
    Time start{}, stop{};      // stop = kForever for the whole stream
    uint64_t next_target = 0;  // k
  };

  Time target_of(const Open& window, uint64_t k) const;
  void plan_next_window();
  void settle(Open& window, Time up_to, Time pts, SamplerStep& step);

  SamplingShape shape_;
  std::deque<Open> windows_;  // by start; the last one has not started yet
  uint64_t next_index_ = 0;
  Time last_pts_{};
  std::optional<Time> grabbed_;
};

}  // namespace vidi
