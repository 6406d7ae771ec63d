// The feed's own thread: takes the items in order, copies and converts pictures, hands windows
// over.
#include <exception>
#include <utility>

#include "gst/thread_name.h"
#include "gst/thread_priority.h"
#include "gst/windows/window_feed.h"

namespace vidi {
namespace {

constexpr int kNice = 2;  // before the model's thread, behind the stream

// A file whose sound never comes must not keep its pictures for ever.
constexpr size_t kMaxWaitingWindows = 16;

}  // namespace

// Every round: tasks, one item, and what has become complete meanwhile.
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

std::shared_ptr<AnalysisWindow> WindowFeed::kept_of(Time start, Time stop) {
  auto window = builder_.snapshot(start, stop, audio_range(start, stop, last_origin_.get()));
  if (window) window->origin = last_origin_, window->epoch = built_epoch_;
  return window;
}

}  // namespace vidi
