#include "gst/windows/window_builder.h"

#include <algorithm>
#include <set>
#include <utility>

namespace vidi {
namespace {

constexpr int64_t kChunkSamples = 30 * kAudioRate;     // what the model hears at once
constexpr uint64_t kLongestRange = uint64_t{1} << 36;  // 49 days; a longer range has no sound
constexpr int64_t kSilencePosition = INT64_MIN;        // where no sound is

bool has_two_pictures(const AnalysisWindow& window) {
  const auto& frames = window.frames;
  return std::any_of(frames.begin(), frames.end(),
                     [&](const auto& frame) { return frame->pts != frames.front()->pts; });
}

// `several`: the stream shows more than this one picture.
bool is_enough(const AnalysisWindow& window, bool several) {
  if (window.frames.empty()) return false;
  return !window.audio.empty() || has_two_pictures(window) ||
         (several && window.frames.size() >= 2);
}

std::shared_ptr<const SoundChunk> make_chunk(int64_t position, std::vector<float> samples) {
  auto chunk = std::make_shared<SoundChunk>();
  chunk->position = position;
  chunk->samples = std::move(samples);
  return chunk;
}

// What is missing at its end is zeros.
std::shared_ptr<const SoundChunk> make_padded_chunk(int64_t position, std::vector<float> samples,
                                                    int64_t length) {
  samples.resize(static_cast<size_t>(length), 0.0f);
  return make_chunk(position, std::move(samples));
}

}  // namespace

void WindowBuilder::add(const Pick& pick, std::shared_ptr<const SampledFrame> frame) {
  if (frame) {
    frames_[pick.window].push_back({pick.target, std::move(frame)});
  } else {
    ++n_missing_[pick.window];
  }
}

void WindowBuilder::close(const ClosedRange& range, std::optional<AudioRange> audio,
                          std::optional<Clock::time_point> deadline,
                          std::shared_ptr<const StreamOrigin> origin) {
  closed_.push_back({range, audio, deadline, std::move(origin), Clock::now()});
  if (range.last) forget_open_windows();
}

void WindowBuilder::set_deadline(Clock::time_point deadline) {
  for (Closed& closed : closed_) {
    if (!closed.deadline) closed.deadline = deadline;
  }
}

WindowBuilder::Ready WindowBuilder::take_ready(Clock::time_point now) {
  Ready ready;
  while (!closed_.empty() && is_ready(closed_.front(), now)) {
    const bool several = closed_.front().range.several;
    auto window = assemble(closed_.front());
    closed_.pop_front();
    const bool is_nothing = window->stop <= window->start && window->audio.empty();
    if (is_nothing) continue;
    (is_enough(*window, several) ? ready.windows : ready.too_small).push_back(std::move(window));
  }
  return ready;
}

std::vector<std::shared_ptr<const SampledFrame>> WindowBuilder::frames_of(uint64_t window) const {
  std::vector<std::shared_ptr<const SampledFrame>> frames;
  const auto found = frames_.find(window);
  if (found == frames_.end()) return frames;
  for (const Shown& shown : found->second) frames.push_back(shown.frame);
  return frames;
}

std::optional<WindowBuilder::Clock::time_point> WindowBuilder::next_deadline() const {
  return closed_.empty() ? std::nullopt : closed_.front().deadline;
}

void WindowBuilder::clear() {
  frames_.clear();
  n_missing_.clear();
  closed_.clear();
  chunks_.clear();
  early_.clear();
}

std::shared_ptr<AnalysisWindow> WindowBuilder::snapshot(Time start, Time stop,
                                                        std::optional<AudioRange> audio) const {
  std::map<Time, std::shared_ptr<const SampledFrame>> kept;  // by target
  for (const auto& [window, frames] : frames_) {
    for (const auto& [target, frame] : frames) {
      if (target >= start && target < stop) kept.emplace(target, frame);
    }
  }
  if (kept.size() < 2) return nullptr;

  auto window = std::make_shared<AnalysisWindow>();
  const Time first = kept.begin()->first, last = kept.rbegin()->first;
  const Time interval = (last - first) / static_cast<int64_t>(kept.size() - 1);
  window->start = first;
  window->stop = std::min(stop, last + interval);
  for (const auto& [target, frame] : kept) window->frames.push_back(frame);
  if (audio) {
    const int64_t from = audio->start + audio_position(first - std::max(start, -kForever / 4));
    const int64_t to = from + audio_position(window->stop - first);
    window->audio = cut_audio({from, std::min(to, audio->stop)});
  }
  window->closed_at = Clock::now();
  return is_enough(*window, false) ? window : nullptr;
}

int64_t WindowBuilder::audio_needed_from(int64_t open_start) const {
  int64_t earliest = open_start;
  for (const Closed& closed : closed_) {
    if (closed.audio) earliest = std::min(earliest, closed.audio->start);
  }
  return earliest;
}

size_t WindowBuilder::n_bytes() const {
  std::set<const SampledFrame*> pictures;
  for (const auto& [window, frames] : frames_) {
    for (const Shown& shown : frames) pictures.insert(shown.frame.get());
  }
  size_t n = 0;
  for (const SampledFrame* picture : pictures) n += picture->rgb.size();
  for (const auto& [position, chunk] : early_) n += chunk ? kChunkSamples * sizeof(float) : 0;
  return n;
}

bool WindowBuilder::is_ready(const Closed& closed, Clock::time_point now) const {
  return !closed.audio || audio_.complete_until(closed.audio->stop) ||
         (closed.deadline && now >= *closed.deadline);
}

std::shared_ptr<AnalysisWindow> WindowBuilder::assemble(Closed& closed) {
  auto window = std::make_shared<AnalysisWindow>();
  window->index = closed.range.window;
  Frames frames;
  if (auto found = frames_.extract(window->index)) frames = std::move(found.mapped());
  if (auto missing = n_missing_.extract(window->index)) window->dropped_frames = missing.mapped();
  if (closed.range.start < closed.range.first_frame) cut_lead(closed, frames);
  if (closed.audio) {
    window->audio = cut_audio(*closed.audio);
    remember(window->audio);
    forget_early(closed.audio->stop);
  }
  window->start = closed.range.start;
  window->stop = closed.range.stop;
  window->partial = closed.range.partial;
  window->next_start = window->needed_from = closed.range.next_start;
  window->first_frame = closed.range.first_frame;
  for (Shown& shown : frames) window->frames.push_back(std::move(shown.frame));
  window->n_stand_ins = std::count_if(frames.begin(), frames.end(), [&](const Shown& shown) {
    return shown.target < closed.range.first_frame;
  });
  if (window->frames.size() == 1 && !window->audio.empty()) {
    window->frames.push_back(window->frames.front());
    ++window->n_stand_ins;
  }
  window->origin = closed.origin;
  window->closed_at = closed.closed_at;
  return window;
}

// Up to the first sound, or to the first picture when none comes before that.
void WindowBuilder::cut_lead(Closed& closed, Frames& frames) const {
  const Time start = closed.range.start;
  const Time picture = std::min(closed.range.first_frame, closed.range.stop);
  std::optional<int64_t> sound;
  if (closed.audio) {
    const int64_t from = closed.audio->start;
    sound = audio_.first_in(from, from + audio_position(picture - start));
  }
  const Time needed_from = sound ? start + audio_time(*sound - closed.audio->start) : picture;
  size_t n = 0;  // targets that nothing needs
  while (n + 1 < frames.size() && frames[n + 1].target <= needed_from) ++n;
  const bool is_empty = needed_from >= closed.range.stop;
  const Time cut = is_empty ? closed.range.stop : n > 0 ? frames[n].target : start;
  frames.erase(frames.begin(), is_empty ? frames.end() : frames.begin() + static_cast<long>(n));
  closed.range.start = cut;
  closed.range.partial = closed.range.partial || cut > start;
  if (closed.audio) closed.audio->start += audio_position(cut - start);
}

// Reads chunk by chunk: the track's lock is then held shortly, and what another window has already
// is not held twice. Null stands for a chunk without a single sample. Nothing at all: no chunks.
WindowBuilder::Chunks WindowBuilder::read_chunks(AudioRange range) const {
  Chunks chunks;
  if (range.stop <= range.start) return chunks;
  const uint64_t length = static_cast<uint64_t>(range.stop) - static_cast<uint64_t>(range.start);
  if (length > kLongestRange || !audio_.first_in(range.start, range.stop)) return chunks;
  for (int64_t from = range.start; from < range.stop; from += kChunkSamples) {
    const int64_t stop = std::min(from + kChunkSamples, range.stop);
    auto stretch = audio_.read(from, stop);
    chunks.push_back(stretch.has_samples
                         ? shared(make_padded_chunk(from, std::move(stretch.samples), stop - from))
                         : nullptr);
  }
  return chunks;
}

// What is missing is zeros, up to the range's end.
WindowBuilder::Chunks WindowBuilder::cut_audio(AudioRange range) const {
  Chunks chunks = read_chunks(range);
  std::shared_ptr<const SoundChunk> silence;
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i]) continue;
    const int64_t from = range.start + static_cast<int64_t>(i) * kChunkSamples;
    const int64_t length = std::min(kChunkSamples, range.stop - from);
    if (length < kChunkSamples) {
      chunks[i] = make_padded_chunk(from, {}, length);
      continue;
    }
    if (!silence) silence = shared(make_padded_chunk(kSilencePosition, {}, kChunkSamples));
    chunks[i] = silence;
  }
  return chunks;
}

// The chunk that another window has already, when it holds the same. Samples that came late, or a
// track that was cleared, make a difference; then it is a chunk of its own.
std::shared_ptr<const SoundChunk> WindowBuilder::shared(
    std::shared_ptr<const SoundChunk> chunk) const {
  const auto found = chunks_.find(chunk->position);
  if (found == chunks_.end()) return chunk;
  const auto known = found->second.lock();
  return known && known->samples == chunk->samples ? known : chunk;
}

void WindowBuilder::remember(const Chunks& chunks) {
  std::erase_if(chunks_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& chunk : chunks) {
    if (chunk->samples.size() == kChunkSamples) chunks_[chunk->position] = chunk;
  }
}

std::shared_ptr<const SoundChunk> WindowBuilder::next_sound(int64_t start, int64_t stop) {
  for (int64_t at = start; at < stop && audio_.complete_until(at + kChunkSamples);
       at += kChunkSamples) {
    const auto known = chunks_.find(at);
    const bool is_known = known != chunks_.end() && !known->second.expired();
    if (is_known || early_.contains(at)) continue;
    if (at + kChunkSamples > audio_.end_position()) return nullptr;  // the track has ended
    auto stretch = audio_.read(at, at + kChunkSamples);
    auto& chunk = early_[at];
    if (!stretch.has_samples) continue;
    chunk = make_padded_chunk(at, std::move(stretch.samples), kChunkSamples);
    chunks_[at] = chunk;
    return chunk;
  }
  return nullptr;
}

// A window that takes them has them by now.
void WindowBuilder::forget_early(int64_t stop) {
  std::erase_if(early_, [&](const auto& entry) { return entry.first < stop; });
}

// The grid is over. What is kept of windows that do not wait will never be asked for.
void WindowBuilder::forget_open_windows() {
  std::set<uint64_t> waiting;
  for (const Closed& closed : closed_) waiting.insert(closed.range.window);
  const auto is_open = [&](const auto& entry) { return !waiting.contains(entry.first); };
  std::erase_if(frames_, is_open);
  std::erase_if(n_missing_, is_open);
}

}  // namespace vidi
