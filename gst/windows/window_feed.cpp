#include "gst/windows/window_feed.h"

#include <algorithm>
#include <future>
#include <utility>

#include "gst/thread_name.h"
#include "gst/thread_priority.h"

namespace vidi {
namespace {

constexpr int kNice = 2;  // before the model's thread, behind the stream

// Upstream buffers that wait to be copied while a picture is converted. They come back in any case,
// so a small pool is slowed down at worst.
constexpr size_t kMaxPassing = 4;
// A file whose sound never comes must not keep its pictures for ever.
constexpr size_t kMaxWaitingWindows = 16;
// The pictures wait for the sound from here on, if that comes at all.
constexpr size_t kManyWaitingWindows = 2;
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

// The thread. Every round: tasks, one item, and what has become complete meanwhile.
void WindowFeed::run() {
  name_thread("vidi-windows");
  yield_to_streaming_threads(kNice);
  Lock lock(mutex_);
  own_thread_ = std::this_thread::get_id();
  while (!stopping_) {
    wait_for_news(lock);
    if (stopping_) break;
    if (built_epoch_ != epoch_) {
      forget_everything();
      built_epoch_ = epoch_;
    }
    busy_ = true;
    seen_news_ = news_;
    std::optional<FeedItem> item;
    if (!items_.empty()) {
      item = std::move(items_.front());
      items_.pop_front();
      ++n_handled_;
    }
    const auto tasks = take_tasks();
    const auto drain_deadline = drain_deadline_;
    lock.unlock();

    try {
      if (item) handle(*item);
      for (const FeedTask& task : tasks) task.run();
      if (drain_deadline) builder_.set_deadline(*drain_deadline);
      hand_over();
      if (item) tell_sound(*item), forget_old_audio(*item);
      n_bytes_ = builder_.n_bytes() + audio_.n_samples() * sizeof(float);
    } catch (const std::exception& e) {  // out of memory: this picture is lost, the stream is not
      callbacks_.warn(std::string("a sampled frame is lost: ") + e.what());
    }

    lock.lock();
    busy_ = false;
    n_windows_wait_ = builder_.n_waiting();
    if (n_windows_wait_ <= kManyWaitingWindows) n_in_vain_ = 0;
    changed_.notify_all();
  }
  for (const FeedTask& task : tasks_) task.run();
}

std::deque<WindowFeed::FeedTask> WindowFeed::take_tasks() {
  std::deque<FeedTask> ready;
  for (; !tasks_.empty() && tasks_.front().n_before <= n_handled_; tasks_.pop_front())
    ready.push_back(std::move(tasks_.front()));
  return ready;
}

void WindowFeed::wait_for_news(Lock& lock) {
  const auto news = [&] {
    return stopping_ || !items_.empty() || !tasks_.empty() || built_epoch_ != epoch_ ||
           news_ != seen_news_;
  };
  const auto deadline = builder_.next_deadline();
  if (deadline) {
    changed_.wait_until(lock, *deadline, news);
  } else {
    changed_.wait(lock, news);
  }
}

void WindowFeed::handle(FeedItem& item) {
  if (item.picture) grab(item);
  for (const Pick& pick : item.step.picks) {
    builder_.add(pick, picked(pick.pts));
    ++n_sampled_;
  }
  for (const ClosedRange& range : item.step.closed) {
    close_window(range, item);
    if (builder_.n_waiting() > kMaxWaitingWindows) hand_over();
    if (builder_.n_waiting() > kMaxWaitingWindows) wait_no_longer();
  }
  tell_open_window(item);
  if (item.step.grab) before_ = std::exchange(now_, {});
  last_origin_ = item.origin;
}

void WindowFeed::tell_open_window(const FeedItem& item) {
  if (item.open_targets < 2 || (item.step.picks.empty() && item.step.closed.empty())) return;
  auto open = std::make_shared<OpenWindow>();
  open->index = item.open_index;
  open->epoch = built_epoch_;
  open->n_frames = item.open_targets;
  open->needed_from = item.next_from;
  open->frames = builder_.frames_of(item.open_index);
  if (!open->frames.empty()) callbacks_.open_window(std::move(open));
}

// The upstream buffer is given back here, whatever becomes of the copy.
void WindowFeed::grab(FeedItem& item) {
  now_ = {item.pts, item.utc, nullptr, nullptr};
  const GivesBack gives_back{*this, item};
  auto copy = item.picture->grab();
  if (copy) {
    now_.picture = std::move(*copy);
  } else {
    callbacks_.warn(copy.error().message);
  }
}

WindowFeed::GivesBack::~GivesBack() {
  item.picture.reset();
  Lock lock(feed.mutex_);
  if (feed.n_passing_ > 0) --feed.n_passing_;
  feed.changed_.notify_all();
}

std::shared_ptr<const SampledFrame> WindowFeed::picked(Time pts) {
  if (now_.pts == pts && (now_.picture || now_.frame)) return convert(now_);
  if (before_.pts == pts) return convert(before_);
  return nullptr;
}

std::shared_ptr<const SampledFrame> WindowFeed::convert(Candidate& candidate) {
  if (candidate.frame || !candidate.picture) return candidate.frame;
  if (side_ == 0) side_ = callbacks_.picture_side();
  auto frame = candidate.picture->finish(side_);
  candidate.picture.reset();
  if (!frame) {
    callbacks_.warn(frame.error().message);
    return nullptr;
  }
  (*frame)->pts = candidate.pts;
  (*frame)->utc = candidate.utc;
  candidate.frame = *frame;
  callbacks_.sampled(candidate.frame);
  return candidate.frame;
}

std::optional<WindowBuilder::AudioRange> WindowFeed::audio_range(Time start, Time stop,
                                                                 const StreamOrigin* origin) const {
  if (!origin) return std::nullopt;
  const auto first = origin->running_time_at(start);
  if (!first) return std::nullopt;
  const int64_t position = audio_position(*first);
  // A last frame may reach beyond the segment, so the length is the window's, not the segment's.
  return WindowBuilder::AudioRange{position, position + audio_position(stop - start)};
}

void WindowFeed::close_window(const ClosedRange& range, const FeedItem& item) {
  SoundShape sound;
  {
    Lock lock(mutex_);
    sound = sound_;
  }
  std::optional<Clock::time_point> deadline;
  if (sound.wait != kForever) deadline = Clock::now() + sound.wait;
  builder_.close(
      range, sound.present ? audio_range(range.start, range.stop, item.origin.get()) : std::nullopt,
      deadline, item.origin);
}

void WindowFeed::wait_no_longer() {
  callbacks_.warn("the sound of " + std::to_string(builder_.n_waiting()) +
                  " complete windows has not come; they are analysed with what is there");
  builder_.set_deadline(Clock::now());
}

void WindowFeed::hand_over() {
  WindowBuilder::Ready ready = builder_.take_ready(Clock::now());
  for (auto& window : ready.too_small) {
    window->epoch = built_epoch_;
    callbacks_.too_small(std::move(window));
  }
  for (auto& window : ready.windows) {
    window->epoch = built_epoch_;
    check_sound(*window);
    callbacks_.submit(std::move(window));
  }
}

// A file's sound may well end early; a camera's microphone does not without a reason.
void WindowFeed::check_sound(const AnalysisWindow& window) {
  const StreamOrigin* origin = window.origin.get();
  if (!origin || !origin->live || !window.audio.empty()) return;
  const auto range = audio_range(window.start, window.stop, origin);
  const int64_t reached = audio_.reached();
  if (range && audio_.began_at() != INT64_MIN && reached < range->stop) callbacks_.sound_stopped();
}

void WindowFeed::tell_sound(const FeedItem& item) {
  if (!item.open_from) return;
  const auto range = audio_range(*item.open_from, *item.open_from, item.origin.get());
  if (!range) return;
  Time length;
  {
    Lock lock(mutex_);
    length = shape_.duration;
  }
  const int64_t stop =
      length > Time::zero() ? range->start + audio_position(length) : WindowBuilder::kNoStop;
  while (const auto chunk = builder_.next_sound(range->start, stop)) callbacks_.sound(chunk);
}

// Sound before every open window serves nobody any more, but for those that still wait.
void WindowFeed::forget_old_audio(const FeedItem& item) {
  if (!item.open_from) return;
  const auto range = audio_range(*item.open_from, *item.open_from, item.origin.get());
  if (range) audio_.forget_before(builder_.audio_needed_from(range->start));
}

void WindowFeed::forget_everything() {
  builder_.clear();
  now_ = {};
  before_ = {};
  n_bytes_ = 0;
  last_origin_.reset();
}

// On the thread.
std::shared_ptr<AnalysisWindow> WindowFeed::kept_of(Time start, Time stop) {
  auto window = builder_.snapshot(start, stop, audio_range(start, stop, last_origin_.get()));
  if (window) window->origin = last_origin_, window->epoch = built_epoch_;
  return window;
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
