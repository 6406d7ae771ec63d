// Keeps sound audible whose channels cancel each other in the mix: a microphone wired upside down,
// a widened music track, one inverted channel of many. Then the loudest channel is heard instead.
// No GStreamer, no threads.
//
// The measure is how much power the mix has, as a part of what it would have if the channels had
// nothing to do with each other, each weighted as in the mix: about 1 for independent channels and
// exactly 1 for one channel alone, more for common sound, next to 0 for sound that cancels.
//   below 1/10 (-10 dB): the loudest channel is heard. Codecs leave a rest of -20 to -30 dB of what
//     cancels, a microphone's own noise about as much. Taken over the last 100 ms, so that channels
//     which have nothing to do with each other never come near it, and for 30 ms on end, since the
//     first sound after silence is no measure yet.
//   above 1/4 (-6 dB): the mix again. Taken over about a second, so that the noise in a pause,
//   which
//     does not cancel, outweighs nothing; common sound of the same loudness takes 0.13 s.
// Between the two nothing changes, so that nothing flutters. From one to the other it fades, over
// 20 ms. What is never below the threshold stays bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vidi {

class AudibleMix {
 public:
  // `weights`: of every channel in the mix.
  AudibleMix(int rate, std::vector<float> weights);

  // The next `n` frames. Sample i of channel c is channels[i * frame_step + c * channel_step];
  // `mono` is their mix, and becomes what is to be heard. Buffers of any length give the same.
  void apply(const float* channels, size_t frame_step, size_t channel_step, float* mono, size_t n);
  void forget();  // as if nothing had been before

 private:
  static constexpr int kMix = -1;  // instead of a channel
  struct Block {                   // powers: sums of squares
    double mix = 0;
    std::vector<double> channels;
  };

  void measure(const float* channels, size_t frame_step, size_t channel_step, const float* mono,
               size_t n);
  void decide();
  void fade_to(int source);

  const std::vector<double> power_weights_;  // squares of the weights
  const size_t block_frames_, fade_frames_;
  std::vector<Block> blocks_;  // a ring; the one at `at_` is being filled
  size_t at_ = 0, filled_ = 0;
  double slow_mix_ = 0, slow_independent_ = 0;  // powers over about a second
  int n_cancelling_ = 0;                        // blocks one after another
  int heard_ = kMix, before_ = kMix;            // fades from `before_` to `heard_`
  size_t faded_;                                // frames of the fade that are done
};

}  // namespace vidi
