// Which frames are looked at, and in which windows they lie. First step behind the video pad.
// Pure arithmetic on PTS: no pictures, no GStreamer, no threads (the caller's lock or thread).
//
// A *grid* starts at the first frame's PTS, or before it (see frame()). Window n of a grid starts
// at the start of window n - 1 plus its stride; its *targets* are start + k / rate, k = 0, 1, ...,
// below its end. The *pick* of a target is what is on show then: where the two frames around it are
// at most 1 / rate apart, the nearer, of two equally near ones the earlier; where they are further
// apart (slides, a camera that pauses), the earlier, because that one *stands*; before the first
// frame, the first. Frames are never counted, so a variable or missing frame rate changes nothing.
//
//   sampler.frame(pts, reach)   for each frame, in order of PTS
//   sampler.skip(pts)           for one that did not come because nobody needs it (vididecode)
//   sampler.advance(now)        when it is known that none comes before `now`
//   sampler.finish(end)         at EOS, a jump, a new segment; the next frame starts a new grid
//
// Whether a frame is the pick of a target is known when the next one arrives, and by then its
// buffer is gone: a frame that may be picked is *grabbed* (copied) when it passes. At most one
// grabbed frame, the last, is kept. A frame that stands although nothing announced it (`reach`) may
// not have been grabbed: then the one that was stands for it, at most 1 / rate older.
//
// Limits, so that no settings and no stream can eat time or memory: the rate is at most 1000/s; a
// stride is at least 1 ms and 1/64 of the duration, so about 66 windows are open at once; a frame
// so far ahead that it would settle a million targets is taken as a jump that the caller missed: it
// ends the grid and is not looked at. Frames before the last one and impossible times are ignored.
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
  Time stride = std::chrono::seconds(30);        // at most the duration, at least 1/64 of it, 1 ms
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
  Time next_start = kForever;  // where the next window starts that may see the same; kForever: none
  bool last = false;           // of its grid
  Time first_frame{};          // PTS of the grid's first frame: before it, that one is shown
  bool several = false;        // the grid has had frames of different PTS
};

struct SamplerStep {
  bool grab = false;                // copy this frame now: it is picked, or may be
  std::vector<Pick> picks;          // settled now, each by this frame or by the last grabbed one
  std::vector<ClosedRange> closed;  // in order of their start
};

class FrameSampler {
 public:
  explicit FrameSampler(SamplingShape shape) : shape_(shape) {}

  // Windows that have not started take the new duration and stride, the next one as soon as the new
  // stride allows (a short one may then lie inside a long one). The rate stays until finish(), and
  // a window over the whole stream does as well.
  void reshape(SamplingShape shape);

  // `pts` must not be below that of the last frame. `reach`: the longest time that may pass before
  // the next frame (kForever when nothing is known, as with a variable rate: then every frame is
  // grabbed). A frame that starts a grid starts it `lead` before itself.
  SamplerStep frame(Time pts, Time reach, Time lead = Time(0));

  // A frame that was left out because it is nobody's pick: it counts as a neighbour. Where it would
  // have been picked after all (the windows were changed meanwhile), the nearest that comes is.
  SamplerStep skip(Time pts);

  // The stream has passed `now`, and no frame came behind the last: that one stands. Frames that
  // come late all the same are taken, and change nothing before `now`.
  SamplerStep advance(Time now);

  // Closes the earliest open window at `end` (of the last frame, PTS + duration, or of as long as
  // it stands), settling its last targets with the last frame that is kept; windows behind it cover
  // nothing new and are forgotten. So is that one, when a closed window has covered all up to
  // `end`. Windows that end before it are closed whole. `next_start`: of the next grid, where that
  // is known.
  SamplerStep finish(Time end, Time next_start = kForever);

  bool running() const { return !windows_.empty(); }
  Time first_pts() const { return first_pts_; }  // of this grid
  Time last_pts() const { return last_pts_; }
  Time interval() const;  // between targets, 1 / rate of this grid
  // Where the earliest open window starts: nothing before is needed any more. Only while running().
  Time earliest_start() const { return windows_.front().start; }
  uint64_t earliest_index() const { return windows_.front().index; }
  // Where the one behind it starts, or is to start; kForever: there is none. Likewise.
  Time next_start() const { return windows_.size() > 1 ? windows_[1].start : kForever; }
  // Targets of the earliest open window when the stream ends at `end` (kForever: not known); 0 when
  // that cannot be said. Only while running().
  uint64_t targets_of_earliest(Time end) const;

 private:
  struct Open {
    uint64_t index = 0;
    Time start{}, stop{};      // stop = kForever for the whole stream
    uint64_t next_target = 0;  // k
  };
  struct Range {
    Time start{}, stop{};
  };

  struct Neighbours {             // around a target
    std::optional<Time> at_hand;  // the later one, when it can be had
    Time before{}, behind = kForever;
  };

  Time target_of(const Open& window, uint64_t k) const;
  Time length() const;  // of a window; kForever for the whole stream
  Time stride() const;
  double rate() const;
  Open planned_at(Time start);
  bool is_missed_jump(Time pts) const;
  void start_windows(Time pts, Time lead = Time(0));
  void settle(Time up_to, const Neighbours& around, SamplerStep& step);
  std::optional<Time> pick_for(Time target, const Neighbours& around) const;
  std::optional<Time> nearest_that_is_there(Time target, const Neighbours& around) const;
  bool may_be_picked(Time pts, Time reach) const;
  void close_passed(Time pts, SamplerStep& step);

  SamplingShape shape_;
  int64_t rate_numerator_ = 1, rate_denominator_ = 1;  // of this grid
  // By start. All have started but the last, which is planned (the whole stream has none planned).
  std::deque<Open> windows_;
  bool next_frame_starts_ = false;  // the planned window starts at the next frame, wherever that is
  uint64_t next_index_ = 0;
  Time first_pts_{}, last_pts_{};
  Time reached_{};  // the last frame's PTS, or as far as it stands
  std::optional<Time> grabbed_;
  std::optional<Range> covered_;  // of the closed window that reached furthest
};

}  // namespace vidi
