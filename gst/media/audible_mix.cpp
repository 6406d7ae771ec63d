#include "gst/media/audible_mix.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

constexpr int kBlocksPerSecond = 100;
constexpr size_t kBlocks = 10;  // that are looked at
constexpr double kCancels = 0.1, kSounds = 0.25;
constexpr int kUntilSure = 3;      // blocks
constexpr double kRemains = 0.99;  // of the slow powers, from block to block
// Of two channels that are much alike the one that is heard stays.
constexpr double kMuchLouder = 4;
// Of a mean square; below it is silence, however it cancels: -100 dB.
constexpr double kInaudible = 1e-10;

std::vector<double> squares(const std::vector<float>& values) {
  std::vector<double> squares(values.begin(), values.end());
  for (double& value : squares) value *= value;
  return squares;
}

}  // namespace

AudibleMix::AudibleMix(int rate, std::vector<float> weights)
    : power_weights_(squares(weights)),
      block_frames_(static_cast<size_t>(std::max(rate / kBlocksPerSecond, 1))),
      fade_frames_(2 * block_frames_),
      blocks_(kBlocks) {
  forget();
}

void AudibleMix::forget() {
  for (Block& block : blocks_) block = {0, std::vector<double>(power_weights_.size())};
  at_ = filled_ = 0;
  n_cancelling_ = 0;
  slow_mix_ = slow_independent_ = 0;
  heard_ = before_ = kMix;
  faded_ = fade_frames_;
}

void AudibleMix::apply(const float* channels, size_t frame_step, size_t channel_step, float* mono,
                       size_t n) {
  while (n > 0) {
    const size_t step = std::min(n, block_frames_ - filled_);
    measure(channels, frame_step, channel_step, mono, step);
    if (heard_ != kMix || faded_ < fade_frames_) {
      const auto sample = [&](int source, size_t i) {
        return source == kMix ? mono[i] : channels[i * frame_step + source * channel_step];
      };
      for (size_t i = 0; i < step; ++i) {
        const float now = sample(heard_, i);
        if (faded_ == fade_frames_) {
          mono[i] = now;
          continue;
        }
        const float part = static_cast<float>(++faded_) / static_cast<float>(fade_frames_);
        const float old = sample(before_, i);
        mono[i] = old + part * (now - old);
      }
    }
    filled_ += step;
    if (filled_ == block_frames_) decide();
    channels += step * frame_step, mono += step, n -= step;
  }
}

void AudibleMix::measure(const float* channels, size_t frame_step, size_t channel_step,
                         const float* mono, size_t n) {
  Block& block = blocks_[at_];
  const auto power = [n](const float* samples, size_t step) {
    float sum = 0;
    for (size_t i = 0; i < n; ++i) sum += samples[i * step] * samples[i * step];
    return sum;
  };
  block.mix += power(mono, 1);
  for (size_t c = 0; c < block.channels.size(); ++c)
    block.channels[c] += power(channels + c * channel_step, frame_step);
}

// At the end of every block, for what comes behind it.
void AudibleMix::decide() {
  double mix = 0, independent = 0;
  std::vector<double> power(power_weights_.size());
  for (const Block& block : blocks_) {
    mix += block.mix;
    for (size_t c = 0; c < power.size(); ++c) power[c] += power_weights_[c] * block.channels[c];
  }
  for (const double p : power) independent += p;
  slow_mix_ = kRemains * slow_mix_ + blocks_[at_].mix;
  slow_independent_ *= kRemains;
  for (size_t c = 0; c < power.size(); ++c)
    slow_independent_ += power_weights_[c] * blocks_[at_].channels[c];

  at_ = (at_ + 1) % kBlocks, filled_ = 0;
  blocks_[at_].mix = 0;
  std::fill(blocks_[at_].channels.begin(), blocks_[at_].channels.end(), 0.0);

  const bool silent = independent < kInaudible * static_cast<double>(kBlocks * block_frames_);
  n_cancelling_ = !silent && mix < kCancels * independent ? n_cancelling_ + 1 : 0;
  if (silent || faded_ < fade_frames_) return;
  const int loudest =
      static_cast<int>(std::max_element(power.begin(), power.end()) - power.begin());
  const bool cancels = n_cancelling_ >= kUntilSure;
  if (heard_ == kMix) {
    if (!cancels) return;
    slow_mix_ = mix, slow_independent_ = independent;  // what was before counts no more
    fade_to(loudest);
  } else if (slow_mix_ > kSounds * slow_independent_) {
    fade_to(kMix);
  } else if (cancels && power[loudest] > kMuchLouder * power[heard_]) {
    fade_to(loudest);
  }
}

void AudibleMix::fade_to(int source) {
  before_ = std::exchange(heard_, source);
  faded_ = 0;
}

}  // namespace vidi
