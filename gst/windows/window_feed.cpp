// What streaming threads call; the thread itself is in window_feed_thread.cpp.
#include "gst/windows/window_feed.h"

#include <algorithm>
#include <future>
#include <utility>

namespace vidi {
namespace {

// Upstream buffers that wait to be copied while a picture is converted. They come back in any case,
// so a small pool is slowed down at worst.
constexpr size_t kMaxPassing = 4;
// After so long the other one is taken to stand still.
constexpr auto kStands = std::chrono::seconds(1);

}  // namespace

void WindowFeed::start(const SamplingShape& shape) {
  stop();
  Lock lock(mutex_);
  shape_ = shape;
  sampler_ = FrameSampler(shape);
  running_ = true, stopping_ = interrupted_ = false;
  thread_ = std::thread([this] { run(); });
}

void WindowFeed::stop() {
  {
    Lock lock(mutex_);
    stopping_ = interrupted_ = true;
    drop_items();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  Lock lock(mutex_);
  running_ = false;
  own_thread_ = {};  // ids are used again
  tasks_.clear();
  origin_.reset();
  forget_everything();
  audio_.clear();
}

void WindowFeed::set_origin(std::shared_ptr<const StreamOrigin> origin) {
  Lock lock(mutex_);
  origin_ = std::move(origin);
}

void WindowFeed::reshape(const SamplingShape& shape) {
  Lock lock(mutex_);
  shape_ = shape;
  sampler_.reshape(shape);
}

void WindowFeed::set_audio(const SoundShape& shape) {
  Lock lock(mutex_);
  sound_ = shape;
  if (sound_waits_) changed_.notify_all();
}

void WindowFeed::drop_items() {
  n_handled_ += items_.size();
  items_.clear();
  n_passing_ = 0;
  drain_deadline_.reset();
  last_picture_.reset();
  sound_ahead_ = kSoundAhead;
  sampler_ = FrameSampler(shape_);
}

// Called with the lock; gives it up while two copies are under way already.
void WindowFeed::post(FeedItem item, Lock& lock) {
  if (item.picture) changed_.wait(lock, [&] { return interrupted_ || n_passing_ < kMaxPassing; });
  if (interrupted_ || !running_) return;
  if (item.picture) ++n_passing_;
  item.origin = origin_;
  if (sampler_.running()) {
    item.open_from = sampler_.earliest_start();
    item.open_index = sampler_.earliest_index();
    item.next_from = sampler_.next_start();
    // Before the first picture it is not known yet where the window will begin.
    const bool is_known = sampler_.earliest_start() >= sampler_.first_pts();
    const Time end = origin_ && is_known ? origin_->expected_end : kForever;
    item.open_targets = is_known ? sampler_.targets_of_earliest(end) : 0;
  }
  items_.push_back(std::move(item));
  ++n_posted_;
  changed_.notify_all();
}

// Steps of nothing are not worth a round of the thread.
void WindowFeed::post(SamplerStep step, Lock& lock) {
  if (step.picks.empty() && step.closed.empty()) return;
  FeedItem item;
  item.step = std::move(step);
  post(std::move(item), lock);
}

void WindowFeed::frame(const TakePassing& take, Time pts, Time reach, std::optional<Time> utc,
                       Time lead) {
  Lock lock(mutex_);
  if (interrupted_ || !running_) return;
  pictures_came(pts);
  FeedItem item;
  item.step = sampler_.frame(pts, reach, lead);
  if (!item.step.grab && item.step.picks.empty() && item.step.closed.empty()) return;
  if (item.step.grab) item.picture = take();
  item.pts = pts;
  item.utc = utc;
  post(std::move(item), lock);
}

void WindowFeed::skip(Time pts) {
  Lock lock(mutex_);
  if (interrupted_ || !running_) return;
  pictures_came(pts);
  post(sampler_.skip(pts), lock);
}

void WindowFeed::advance(Time now, Time lag) {
  Lock lock(mutex_);
  if (interrupted_ || !running_) return;
  pictures_came(now);
  post(sampler_.advance(now - lag), lock);
}

void WindowFeed::close(Time end, Time next_start) {
  Lock lock(mutex_);
  if (interrupted_ || !sampler_.running()) return;
  FeedItem item;
  item.step = sampler_.finish(end, next_start);
  post(std::move(item), lock);
}

bool WindowFeed::drain(Time end, Time audio_wait) {
  close(end);
  Lock lock(mutex_);
  last_picture_.reset();
  drain_deadline_ = Clock::now() + audio_wait;
  ++news_;
  changed_.notify_all();
  changed_.wait(lock, [&] {
    return interrupted_ || !running_ || (items_.empty() && !busy_ && n_windows_wait_ == 0);
  });
  drain_deadline_.reset();
  return !interrupted_ && running_;
}

void WindowFeed::wait_for_sound() {
  Lock lock(mutex_);
  const auto may_go_on = [this] {
    return interrupted_ || !running_ ||
           n_windows_wait_ <= std::max(kManyWaitingWindows, n_in_vain_);
  };
  while (!may_go_on()) {
    const uint64_t before = n_sounds_;
    changed_.wait_for(lock, kStands, [&] { return may_go_on() || n_sounds_ != before; });
    if (n_sounds_ == before) n_in_vain_ = n_windows_wait_;  // one more, until it has caught up
  }
}

void WindowFeed::wait_for_pictures(Time running_time) {
  Lock lock(mutex_);
  const auto may_go_on = [&] {
    const bool waits = sound_.present && sound_.wait == kForever && sound_.lead > Time(0);
    if (interrupted_ || !running_ || !waits || !last_picture_ || !origin_) return true;
    const auto at = origin_->running_time_at(*last_picture_);
    return !at || running_time - *at <= sound_ahead_;
  };
  sound_waits_ = true;
  while (!may_go_on()) {
    const auto before = last_picture_;
    const auto goes_on = [&] { return may_go_on() || last_picture_ != before; };
    const bool in_vain = !changed_.wait_for(lock, kStands, goes_on);
    // Twice as far each time, and from then on: hours of sound under one picture cost seconds, and
    // so do streams whose times are hours apart.
    if (in_vain && !pictures_are_held_) sound_ahead_ *= 2;
  }
  sound_waits_ = false;
}

// Called with the lock.
void WindowFeed::pictures_came(Time pts) {
  last_picture_ = pts;
  if (sound_waits_) changed_.notify_all();
}

void WindowFeed::hold_pictures(bool held) {
  Lock lock(mutex_);
  pictures_are_held_ = held;
}

void WindowFeed::audio_changed() {
  Lock lock(mutex_);
  ++news_, ++n_sounds_;
  if (!interrupted_ && sampler_.running() && sound_.lead != kForever) {
    const auto now = sound_position();
    if (now && *now > sampler_.last_pts()) post(sampler_.advance(*now - sound_.lead), lock);
  }
  if (n_windows_wait_ > 0) changed_.notify_all();
}

// Called with the lock. As PTS of the video, which like the sound runs at rate 1.
std::optional<Time> WindowFeed::sound_position() const {
  const int64_t reached = audio_.reached();
  if (!origin_ || reached == INT64_MIN) return std::nullopt;
  const auto last = origin_->running_time_at(sampler_.last_pts());
  if (!last) return std::nullopt;
  return sampler_.last_pts() + (audio_time(reached) - *last);
}

void WindowFeed::wait_until_handled() {
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return interrupted_ || !running_ || (items_.empty() && !busy_); });
}

void WindowFeed::interrupt(uint64_t epoch) {
  Lock lock(mutex_);
  epoch_ = epoch;
  interrupted_ = true;
  drop_items();
  changed_.notify_all();
}

void WindowFeed::resume() {
  Lock lock(mutex_);
  interrupted_ = stopping_;
}

std::shared_ptr<AnalysisWindow> WindowFeed::snapshot(Time start, Time stop) {
  auto promise = std::make_shared<std::promise<std::shared_ptr<AnalysisWindow>>>();
  const auto task = [this, start, stop, promise] {
    try {
      promise->set_value(kept_of(start, stop));
    } catch (const std::exception&) {  // out of memory: the question is refused
      promise->set_value(nullptr);
    }
  };
  Lock lock(mutex_);
  if (!running_ || stopping_) return nullptr;
  const bool is_inside = std::this_thread::get_id() == own_thread_;
  if (!is_inside) tasks_.push_back({n_posted_, task});
  changed_.notify_all();
  lock.unlock();
  if (is_inside) task();  // who hears a message on the thread may ask
  return promise->get_future().get();
}

}  // namespace vidi
