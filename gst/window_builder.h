// Collects the pictures of each window, waits for its sound, and hands it over when both are there.
// Fifth step of the pads' side: sampler > (grab, convert) > window builder > queue. No GStreamer,
// no threads of its own: the element's analysis thread is the only caller, AudioTrack locks itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/analysis_window.h"
#include "gst/audio_track.h"
#include "gst/frame_sampler.h"

namespace vidi {

class WindowBuilder {
 public:
  using Clock = std::chrono::steady_clock;

  explicit WindowBuilder(const AudioTrack& audio) : audio_(audio) {}

  // A picked frame; null when the picture could not be had (counted as dropped).
  void add(const Pick& pick, std::shared_ptr<const SampledFrame> frame);

  // The window's frames are complete. `audio_start`/`audio_stop`: its range as positions of the
  // audio track, nothing when there is no audio pad. `deadline`: sound that is not there by then is
  // left out; nothing = wait until it is there or the track has ended.
  struct AudioRange {
    int64_t start = 0, stop = 0;
  };
  void close(const ClosedRange& range, std::optional<AudioRange> audio,
             std::optional<Clock::time_point> deadline, std::shared_ptr<const void> origin);

  // At video EOS: windows that wait without a deadline get this one.
  void set_deadline(Clock::time_point deadline);

  // Windows whose sound is complete or whose deadline has passed, in order; a later window never
  // overtakes an earlier one. `plan` is not filled in. A window with fewer than two different
  // frames goes to `too_small` instead.
  struct Ready {
    std::vector<std::shared_ptr<AnalysisWindow>> windows, too_small;
  };
  Ready take_ready(Clock::time_point now);

  std::optional<Clock::time_point> next_deadline() const;  // of the first waiting window
  bool waiting() const { return !closed_.empty(); }
  void clear();  // flush

  // Everything that is kept now, for a question about [start, stop): a window from open and waiting
  // ones, or null when fewer than two frames of that range are kept.
  std::shared_ptr<AnalysisWindow> snapshot(Time start, Time stop,
                                           std::optional<AudioRange> audio) const;

  // Earliest position of the track that an open or waiting window still needs, given the position
  // of the earliest open window's start.
  size_t n_bytes() const;  // pictures and sound kept by open and waiting windows, shared ones once

 private:
  struct Closed {
    ClosedRange range;
    std::optional<AudioRange> audio;
    std::optional<Clock::time_point> deadline;
    std::shared_ptr<const void> origin;
    Clock::time_point closed_at;
  };
  using Frames = std::vector<std::shared_ptr<const SampledFrame>>;

  std::vector<std::shared_ptr<const SoundChunk>> cut_audio(const AudioRange& range);

  const AudioTrack& audio_;
  std::map<uint64_t, Frames> frames_;                          // of open and waiting windows
  std::map<uint64_t, uint64_t> n_missing_;                     // targets without a picture
  std::deque<Closed> closed_;                                  // wait for their sound
  std::map<int64_t, std::weak_ptr<const SoundChunk>> chunks_;  // full ones, for overlapping windows
};

}  // namespace vidi
