// The stream's sound, 16 kHz mono, by running time. Written by the audio pad's thread, read by the
// analysis thread; thread-safe. No GStreamer.
//
// Positions are samples since running time 0: position = round(running time * 16000 / s). Blocks
// may leave holes (read as zeros) and may overlap what is there (the newer wins).
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "gst/media_time.h"

namespace vidi {

inline constexpr int64_t kAudioRate = 16000;

// Nearest sample position of a running time, and back.
int64_t audio_position(Time running_time);
Time audio_time(int64_t position);

class AudioTrack {
 public:
  // Adds `n` samples, -1..1. What would make the track longer than `max_samples` loses its oldest
  // samples: a video that stands still must not eat the memory. So does a track in more than 65536
  // pieces.
  void append(int64_t position, const float* samples, int64_t n);
  void advance(int64_t position);  // a GAP: nothing before `position` will come any more
  void end();                      // EOS: nothing will come, unless append() begins anew
  void clear();                    // flush or new stream: empty, open again, not ended
  void forget_before(int64_t position);

  // Whether all that [.., position) will ever hold is there: the track has passed it, or has ended.
  bool complete_until(int64_t position) const;

  struct Stretch {
    std::vector<float> samples;  // holes are zeros; cut behind the last sample that is there
    bool has_samples = false;    // false: nothing of [start, stop) is there, samples is empty
  };
  // At most `max_samples` from `start` on are looked at.
  Stretch read(int64_t start, int64_t stop) const;
  int64_t end_position()
      const;  // behind the last sample that is kept; INT64_MIN when there is none
  // Of the first sample in [start, stop) that is kept; nothing when there is none.
  std::optional<int64_t> first_in(int64_t start, int64_t stop) const;

  // Where sound or a GAP has come to, and of the first sample since clear(); INT64_MIN when there
  // was none.
  int64_t reached() const;
  int64_t began_at() const;
  bool has_ended() const;
  // Whether the sound went over most of [start, stop) in one leap, without a GAP for it.
  bool leaps_over(int64_t start, int64_t stop) const;

  int64_t n_samples() const;    // kept now
  uint64_t n_received() const;  // over the track's life
  explicit AudioTrack(int64_t max_samples = 3600 * kAudioRate)
      : max_samples_(max_samples < 0 ? 0 : max_samples) {}

 private:
  struct Block {
    int64_t position = 0;
    std::vector<float> samples;
    int64_t stop() const { return position + static_cast<int64_t>(samples.size()); }
  };

  // Called with the lock.
  void cut_out(int64_t start, int64_t stop);
  void insert(int64_t position, const float* samples, int64_t n);
  void drop_before(int64_t position);
  void drop_surplus();
  size_t first_block_behind(int64_t position) const;

  mutable std::mutex mutex_;
  std::deque<Block> blocks_;  // by position, not overlapping, up to 1 s each
  int64_t reached_ = INT64_MIN, began_at_ = INT64_MIN;
  struct Leap {
    int64_t from = 0, to = 0;
  };
  std::deque<Leap> leaps_;  // the last few
  int64_t kept_ = 0;
  uint64_t received_ = 0;
  bool ended_ = false;
  const int64_t max_samples_;
};

}  // namespace vidi
