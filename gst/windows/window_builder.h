// Collects the pictures of each window, waits for its sound, and hands it over when both are there.
// Fifth step of the pads' side: sampler > (grab, convert) > window builder > queue. No GStreamer,
// no threads of its own: the element's analysis thread is the only caller, AudioTrack locks itself.
//
// Sound is cut into chunks of 30 s from the window's start to its stop; the last may be shorter.
// Where there is none it is silence, because the model counts samples: a second that is left out
// would move all that comes behind it. Full chunks of the same position and the same samples are
// one object, so that the model hears them once. Full chunks in which nothing is there are one
// object too (silence, at INT64_MIN). A window in which no sound is at all has no chunks.
//
// A grid may begin before its first picture, for the sake of sound that came earlier. Its windows
// are cut at their start to where that sound begins: that is known only now.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/media/audio_track.h"
#include "gst/windows/analysis_window.h"
#include "gst/windows/frame_sampler.h"

namespace vidi {

class WindowBuilder {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int64_t kNoStop = INT64_MAX;

  explicit WindowBuilder(const AudioTrack& audio) : audio_(audio) {}

  // A picked frame; null when the picture could not be had (counted as dropped). A frame that is
  // picked for several targets comes as often.
  void add(const Pick& pick, std::shared_ptr<const SampledFrame> frame);

  // The window's frames are complete. `audio_start`/`audio_stop`: its range as positions of the
  // audio track, nothing when there is no audio pad. `deadline`: sound that is not there by then is
  // left out; nothing = wait until it is there or the track has ended. The last window of a grid
  // makes all others of it that are still open forgotten.
  struct AudioRange {
    int64_t start = 0, stop = 0;
  };
  void close(const ClosedRange& range, std::optional<AudioRange> audio,
             std::optional<Clock::time_point> deadline, std::shared_ptr<const StreamOrigin> origin);

  // At video EOS: windows that wait without a deadline get this one.
  void set_deadline(Clock::time_point deadline);

  // Windows whose sound is complete or whose deadline has passed, in order; a later window never
  // overtakes an earlier one. `plan` is not filled in. A window needs a picture, and sound or a
  // second picture: others go to `too_small` instead. (One that stands all the time will do when
  // the grid has had another.) A window without any of both is nothing and is left out.
  struct Ready {
    std::vector<std::shared_ptr<AnalysisWindow>> windows, too_small;
  };
  Ready take_ready(Clock::time_point now);

  // The next full chunk of an open window's sound ([start, stop) of the track), as soon as all of
  // it is there, so that it can be heard before the window is complete; null when there is none.
  // Each comes once. What comes behind the window has time: it would be kept twice until then.
  std::shared_ptr<const SoundChunk> next_sound(int64_t start, int64_t stop = kNoStop);

  // The pictures of an open window until now, one a target.
  std::vector<std::shared_ptr<const SampledFrame>> frames_of(uint64_t window) const;

  std::optional<Clock::time_point> next_deadline() const;  // of the first waiting window
  bool waiting() const { return !closed_.empty(); }
  size_t n_waiting() const { return closed_.size(); }
  void clear();  // flush

  // Everything that is kept now, for a question about [start, stop): a window from open and waiting
  // ones, or null when fewer than two targets of that range are settled, or all have one picture
  // and there is no sound. The window's start and stop are those of what is kept, and each target
  // is in it once. `audio`: positions of [start, stop).
  std::shared_ptr<AnalysisWindow> snapshot(Time start, Time stop,
                                           std::optional<AudioRange> audio) const;

  // Earliest position of the track that a waiting window still needs, or `open_start` (that of the
  // earliest open window's start) when none needs an earlier one.
  int64_t audio_needed_from(int64_t open_start) const;
  // Pictures of open and waiting windows, shared ones once. Their sound is still the track's.
  size_t n_bytes() const;

 private:
  struct Closed {
    ClosedRange range;
    std::optional<AudioRange> audio;
    std::optional<Clock::time_point> deadline;
    std::shared_ptr<const StreamOrigin> origin;
    Clock::time_point closed_at;
  };
  struct Shown {
    Time target{};
    std::shared_ptr<const SampledFrame> frame;
  };
  using Frames = std::vector<Shown>;

  using Chunks = std::vector<std::shared_ptr<const SoundChunk>>;

  bool is_ready(const Closed& closed, Clock::time_point now) const;
  std::shared_ptr<AnalysisWindow> assemble(Closed& closed);
  void cut_lead(Closed& closed, Frames& frames) const;
  Chunks read_chunks(AudioRange range) const;
  Chunks cut_audio(AudioRange range) const;
  std::shared_ptr<const SoundChunk> shared(std::shared_ptr<const SoundChunk> chunk) const;
  void remember(const Chunks& chunks);
  void forget_early(int64_t stop);
  void forget_open_windows();

  const AudioTrack& audio_;
  std::map<uint64_t, Frames> frames_;       // of open and waiting windows
  std::map<uint64_t, uint64_t> n_missing_;  // targets without a picture
  std::deque<Closed> closed_;               // wait for their sound
  // Full chunks of windows that are on their way, by position: overlapping windows share them.
  std::map<int64_t, std::weak_ptr<const SoundChunk>> chunks_;
  // What next_sound() gave, until a window has it; null: nothing is there.
  std::map<int64_t, std::shared_ptr<const SoundChunk>> early_;
};

}  // namespace vidi
