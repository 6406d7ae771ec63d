// Any order of frames, gaps, ends, jumps, sound and settings, at any times: windows come out in
// order, within their length, of pictures that were there, with the sound of their range and no
// more.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "gst/media/audio_track.h"
#include "gst/windows/frame_sampler.h"
#include "gst/windows/frame_times.h"
#include "gst/windows/window_builder.h"

namespace {

using vidi::Time;

constexpr int kMostEvents = 300;
constexpr size_t kMostPicks = 4000;
constexpr int64_t kMostSamples = 40 * vidi::kAudioRate;  // of the track
constexpr int64_t kChunk = 30 * vidi::kAudioRate;
constexpr Time kSecond = std::chrono::seconds(1);

void require(bool holds) {
  if (!holds) std::abort();
}

// What the element's feed does with the sampler's steps, with a PTS for a picture.
class Feed {
 public:
  explicit Feed(FuzzedDataProvider& data) : data_(data), sampler_(new_shape()) {}

  void run() {
    for (int i = 0; i < kMostEvents && data_.remaining_bytes() > 0; ++i) {
      one_event();
      if (too_long_) return;
      take_ready();
      require(track_.n_samples() <= kMostSamples);
    }
    step(sampler_.finish(new_time()));
    if (too_long_) return;
    track_.end();
    take_ready();
    require(!builder_.waiting());
    builder_.clear();
    require(builder_.n_bytes() == 0);
  }

 private:
  // Mostly steps as streams make them; sometimes anything at all.
  Time new_time() {
    const uint8_t kind = data_.ConsumeIntegral<uint8_t>();
    if (kind == 255) return Time(data_.ConsumeIntegral<int64_t>());
    const auto far = data_.ConsumeIntegral<uint8_t>();
    if (kind % 8 == 7) return now_ -= Time(far * std::chrono::milliseconds(100));
    if (kind % 8 == 6) return now_ += far * kSecond;
    if (kind % 8 == 5) return now_;
    return now_ += far * std::chrono::milliseconds(10);
  }

  vidi::SamplingShape new_shape() {
    vidi::SamplingShape shape;
    shape.rate_numerator = data_.ConsumeIntegralInRange(-1, 30);
    shape.rate_denominator = data_.ConsumeIntegralInRange(-1, 3);
    shape.duration = Time(data_.ConsumeIntegralInRange(-1, 40) * kSecond / 2);
    shape.stride = Time(data_.ConsumeIntegralInRange(-1, 40) * kSecond / 2);
    whole_stream_ = whole_stream_ || shape.duration <= Time(0);
    longest_ = std::max(longest_, shape.duration);
    return shape;
  }

  void one_event() {
    switch (data_.ConsumeIntegralInRange(0, 11)) {
      case 0:
        return step(sampler_.finish(new_time()));
      case 1:
        return sampler_.reshape(new_shape());
      case 2:
        return step(sampler_.advance(new_time()));
      case 3:
        return skip(new_time());
      case 4:
        return track_.advance(vidi::audio_position(new_time()));
      case 5:
        return track_.forget_before(vidi::audio_position(new_time()));
      case 6:
        return data_.ConsumeBool() ? track_.end() : track_.clear();
      case 7:
        return look_at_sound(vidi::audio_position(new_time()));
      case 8:
        return add_sound(vidi::audio_position(new_time()));
      case 9:
        return take_snapshot(new_time());
      default:
        return frame(new_time());
    }
  }

  // The element looks at possible times only; the sampler is given all.
  void frame(Time pts) {
    if (!vidi::is_possible(pts)) return step(sampler_.frame(pts, kSecond));
    if (times_.any() && times_.steps_back_at(pts)) {
      step(sampler_.finish(times_.last_end()));
      times_.forget();
    }
    const auto duration = data_.ConsumeBool() ? std::optional(kSecond / 25) : std::nullopt;
    const Time lead = data_.ConsumeIntegralInRange(0, 3) * kSecond;
    step(sampler_.frame(pts, times_.reach_after(pts, duration), lead), pts);
    if (pts >= Time(0)) times_.pass_frame(pts, times_.end_of(pts, duration));
  }

  void skip(Time pts) { step(sampler_.skip(pts)); }

  void step(const vidi::SamplerStep& step, Time pts = {}) {
    require(step.picks.size() <= 1 << 20);
    too_long_ = step.picks.size() > kMostPicks;  // right, and nothing new: a picture stands
    if (too_long_) return;
    if (step.grab) now_grabbed_ = make_picture(pts);
    for (const vidi::Pick& pick : step.picks) add(pick);
    for (const vidi::ClosedRange& range : step.closed) close(range);
    if (step.grab) before_ = now_grabbed_;
  }

  void add(const vidi::Pick& pick) {
    const auto [last, is_new] = last_target_.emplace(pick.window, pick.target);
    require(is_new || last->second < pick.target);
    last->second = pick.target;
    const bool is_now = now_grabbed_ && now_grabbed_->pts == pick.pts;
    const bool is_before = before_ && before_->pts == pick.pts;
    require(is_now || is_before);  // else its buffer would be gone
    builder_.add(pick, is_now ? now_grabbed_ : before_);
  }

  void close(const vidi::ClosedRange& range) {
    require(range.start <= range.stop);
    require(closed_.emplace(range.window).second);
    const bool has_length = !whole_stream_ && range.stop < vidi::kForever;
    require(!has_length || range.stop - range.start <= std::max(longest_, kSecond / 1000));
    std::optional<vidi::WindowBuilder::AudioRange> audio;
    if (data_.ConsumeBool()) {
      const int64_t start = vidi::audio_position(range.start);
      audio = {start, start + vidi::audio_position(range.stop - range.start)};
    }
    std::optional<Clock::time_point> deadline;
    if (data_.ConsumeBool()) deadline = Clock::now();
    builder_.close(range, audio, deadline, nullptr);
  }

  void take_ready() {
    auto ready = builder_.take_ready(Clock::now());
    for (const auto& window : ready.windows) check(*window);
    for (const auto& window : ready.too_small) require(window->audio.size() <= 4096);
  }

  void check(const vidi::AnalysisWindow& window) {
    require(window.start <= window.stop && !window.frames.empty());
    int64_t n = 0;
    for (size_t i = 0; i < window.audio.size(); ++i) {
      const auto size = static_cast<int64_t>(window.audio[i]->samples.size());
      require(i + 1 == window.audio.size() ? size <= kChunk : size == kChunk);
      n += size;
    }
    require(n <= vidi::audio_position(window.stop - window.start) + 1);
  }

  void take_snapshot(Time start) {
    if (!vidi::is_possible(start)) return;
    const Time stop = start + data_.ConsumeIntegralInRange(0, 60) * kSecond;
    const auto window = builder_.snapshot(start, stop, std::nullopt);
    if (window) require(window->start <= window->stop && !window->frames.empty());
  }

  void look_at_sound(int64_t position) {
    const int64_t stop = position + data_.ConsumeIntegralInRange<int64_t>(-5, 100000);
    const auto stretch = track_.read(position, stop);
    require(static_cast<int64_t>(stretch.samples.size()) <= std::max<int64_t>(stop - position, 0));
    require(stretch.has_samples == !stretch.samples.empty());
    while (const auto chunk = builder_.next_sound(position, position + 2 * kChunk))
      require(static_cast<int64_t>(chunk->samples.size()) == kChunk);
  }

  void add_sound(int64_t position) {
    const int64_t n = data_.ConsumeIntegralInRange<int64_t>(-1, 4 * vidi::kAudioRate);
    static const std::vector<float> samples(4 * vidi::kAudioRate, 0.5f);
    track_.append(position, samples.data(), n);
    if (n > 0 && n <= kMostSamples && !track_.has_ended()) require(track_.n_received() > 0);
  }

  std::shared_ptr<const vidi::SampledFrame> make_picture(Time pts) {
    auto picture = std::make_shared<vidi::SampledFrame>();
    picture->pts = pts;
    picture->rgb.resize(3);
    return picture;
  }

  using Clock = vidi::WindowBuilder::Clock;
  FuzzedDataProvider& data_;
  Time now_ = kSecond;
  Time longest_{0};
  bool whole_stream_ = false, too_long_ = false;
  vidi::AudioTrack track_{kMostSamples};
  vidi::WindowBuilder builder_{track_};
  vidi::FrameTimes times_;
  vidi::FrameSampler sampler_;
  std::shared_ptr<const vidi::SampledFrame> now_grabbed_, before_;
  std::map<uint64_t, Time> last_target_;
  std::set<uint64_t> closed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider provider(data, size);
  Feed(provider).run();
  return 0;
}
