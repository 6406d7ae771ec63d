#include "gst/media/audio_track.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

constexpr int64_t kFarthest = int64_t{1} << 60;
constexpr int64_t kBlockSamples = kAudioRate;  // what one cut or move may have to copy at most
constexpr int64_t kShortestLeap = 2 * kAudioRate;
constexpr size_t kMostLeaps = 16;
constexpr size_t kMostBlocks = 1 << 16;  // of single samples with holes between, 5 MB

}  // namespace

int64_t audio_position(Time running_time) {
  const __int128 scaled = static_cast<__int128>(running_time.count()) * kAudioRate;
  const __int128 half = running_time.count() < 0 ? -500'000'000 : 500'000'000;
  return static_cast<int64_t>((scaled + half) / 1'000'000'000);
}

Time audio_time(int64_t position) {
  const __int128 scaled = static_cast<__int128>(position) * 1'000'000'000;
  const __int128 rounded =
      (scaled + (position < 0 ? -kAudioRate / 2 : kAudioRate / 2)) / kAudioRate;
  const __int128 farthest = kForever.count();
  return Time(static_cast<int64_t>(std::clamp(rounded, -farthest, farthest)));
}

void AudioTrack::append(int64_t position, const float* samples, int64_t n) {
  if (n <= 0 || !samples || position < -kFarthest || position > kFarthest || n > kFarthest) return;
  const std::lock_guard lock(mutex_);
  received_ += static_cast<uint64_t>(n);
  if (began_at_ == INT64_MIN) began_at_ = position;
  if (reached_ != INT64_MIN && position - reached_ > kShortestLeap) {
    leaps_.push_back({reached_, position});
    if (leaps_.size() > kMostLeaps) leaps_.pop_front();
  }
  reached_ = std::max(reached_, position + n);
  ended_ = false;
  const int64_t skipped = std::max<int64_t>(n - max_samples_, 0);
  cut_out(position, position + n);
  for (int64_t i = skipped; i < n; i += kBlockSamples) {
    insert(position + i, samples + i, std::min(kBlockSamples, n - i));
  }
  drop_surplus();
}

void AudioTrack::advance(int64_t position) {
  const std::lock_guard lock(mutex_);
  reached_ = std::max(reached_, position);
}

void AudioTrack::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

void AudioTrack::clear() {
  const std::lock_guard lock(mutex_);
  blocks_.clear();
  leaps_.clear();
  reached_ = began_at_ = INT64_MIN;
  kept_ = 0;
  ended_ = false;
}

void AudioTrack::forget_before(int64_t position) {
  const std::lock_guard lock(mutex_);
  drop_before(position);
}

bool AudioTrack::complete_until(int64_t position) const {
  const std::lock_guard lock(mutex_);
  return ended_ || reached_ >= position;
}

AudioTrack::Stretch AudioTrack::read(int64_t start, int64_t stop) const {
  const std::lock_guard lock(mutex_);
  Stretch stretch;
  if (start > kFarthest || stop <= start) return stretch;
  stop = std::min(stop, start + std::min(max_samples_, kFarthest));
  for (size_t i = first_block_behind(start); i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    const int64_t from = std::max(block.position, start), to = std::min(block.stop(), stop);
    if (from >= to) break;
    stretch.samples.resize(to - start, 0.0f);
    std::copy_n(block.samples.begin() + (from - block.position), to - from,
                stretch.samples.begin() + (from - start));
    stretch.has_samples = true;
  }
  return stretch;
}

int64_t AudioTrack::end_position() const {
  const std::lock_guard lock(mutex_);
  return blocks_.empty() ? INT64_MIN : blocks_.back().stop();
}

std::optional<int64_t> AudioTrack::first_in(int64_t start, int64_t stop) const {
  const std::lock_guard lock(mutex_);
  const size_t i = first_block_behind(start);
  if (i == blocks_.size() || blocks_[i].position >= stop || start >= stop) return std::nullopt;
  return std::max(start, blocks_[i].position);
}

int64_t AudioTrack::reached() const {
  const std::lock_guard lock(mutex_);
  return reached_;
}

int64_t AudioTrack::began_at() const {
  const std::lock_guard lock(mutex_);
  return began_at_;
}

bool AudioTrack::has_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool AudioTrack::leaps_over(int64_t start, int64_t stop) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(leaps_.begin(), leaps_.end(), [&](const Leap& leap) {
    return std::min(leap.to, stop) - std::max(leap.from, start) > (stop - start) / 4 * 3;
  });
}

int64_t AudioTrack::n_samples() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

uint64_t AudioTrack::n_received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

size_t AudioTrack::first_block_behind(int64_t position) const {
  const auto found = std::partition_point(
      blocks_.begin(), blocks_.end(), [&](const Block& block) { return block.stop() <= position; });
  return static_cast<size_t>(found - blocks_.begin());
}

// Makes [start, stop) a hole.
void AudioTrack::cut_out(int64_t start, int64_t stop) {
  const auto first = blocks_.begin() + first_block_behind(start);
  std::vector<Block> rests;
  auto behind = first;
  for (; behind != blocks_.end() && behind->position < stop; ++behind) {
    const auto begin = behind->samples.begin(), end = behind->samples.end();
    kept_ -= end - begin;
    if (behind->position < start) {
      rests.push_back({behind->position, {begin, begin + (start - behind->position)}});
    }
    if (behind->stop() > stop) rests.push_back({stop, {end - (behind->stop() - stop), end}});
  }
  for (const Block& rest : rests) kept_ += static_cast<int64_t>(rest.samples.size());
  const auto place = blocks_.erase(first, behind);
  if (rests.empty()) return;  // a deque that inserts nothing moves its elements onto themselves
  blocks_.insert(place, std::make_move_iterator(rests.begin()),
                 std::make_move_iterator(rests.end()));
}

// Into a hole. Small buffers that follow each other share a block.
void AudioTrack::insert(int64_t position, const float* samples, int64_t n) {
  kept_ += n;
  const size_t place = first_block_behind(position);
  if (place > 0) {
    Block& before = blocks_[place - 1];
    const bool fits = static_cast<int64_t>(before.samples.size()) + n <= kBlockSamples;
    if (before.stop() == position && fits) {
      before.samples.insert(before.samples.end(), samples, samples + n);
      return;
    }
  }
  blocks_.insert(blocks_.begin() + place, Block{position, {samples, samples + n}});
}

void AudioTrack::drop_before(int64_t position) {
  while (!blocks_.empty() && blocks_.front().position < position) {
    Block& block = blocks_.front();
    const int64_t n = std::min(block.stop(), position) - block.position;
    kept_ -= n;
    if (block.stop() <= position) {
      blocks_.pop_front();
      continue;
    }
    block.samples.erase(block.samples.begin(), block.samples.begin() + n);
    block.position = position;
  }
}

void AudioTrack::drop_surplus() {
  while (kept_ > max_samples_ || blocks_.size() > kMostBlocks) {
    const Block& block = blocks_.front();
    const int64_t surplus =
        blocks_.size() > kMostBlocks ? block.stop() - block.position : kept_ - max_samples_;
    drop_before(std::min(block.stop(), block.position + surplus));
  }
}

}  // namespace vidi
