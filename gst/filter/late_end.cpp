#include "gst/filter/late_end.h"

#include <utility>

#include "gst/thread_name.h"

namespace vidi {

LateEnd::LateEnd(std::function<Sound()> ask, std::function<void(GstEvent*)> finish)
    : ask_(std::move(ask)), finish_(std::move(finish)) {}

void LateEnd::begin(GstEvent* eos, Patience until_first_news, Patience between_news) {
  cancel();
  Lock lock(mutex_);
  eos_ = eos;
  pending_ = true, cancelled_ = false;
  thread_ = std::thread([=, this] {
    name_thread("vidi-late-end");
    run(until_first_news, between_news);
  });
}

void LateEnd::sound_changed() {
  Lock lock(mutex_);
  if (!pending_) return;
  ++n_changes_;
  changed_.notify_all();
}

void LateEnd::cancel() {
  {
    Lock lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  Lock lock(mutex_);
  gst_clear_event(&eos_);
  pending_ = false;
}

bool LateEnd::pending() const {
  Lock lock(mutex_);
  return pending_;
}

void LateEnd::run(Patience until_first_news, Patience between_news) {
  if (!wait_for_sound(until_first_news, between_news)) return;
  GstEvent* eos;
  {
    Lock lock(mutex_);
    eos = std::exchange(eos_, nullptr);
  }
  finish_(eos);
  Lock lock(mutex_);
  pending_ = false;
}

// False when cancelled.
bool LateEnd::wait_for_sound(Patience until_first_news, Patience between_news) {
  Sound before = ask_();
  const bool has_begun = before.n_news > 0;
  Patience patience = has_begun ? between_news : until_first_news;
  auto last_news = Clock::now();
  Lock lock(mutex_);
  while (!cancelled_) {
    const uint64_t seen = n_changes_;
    lock.unlock();
    const Sound now = ask_();
    lock.lock();
    if (now.ended) return !cancelled_;
    if (now.n_news != before.n_news) {
      before = now;
      patience = between_news;
      last_news = Clock::now();
    }
    const auto changed = [&] { return cancelled_ || n_changes_ != seen; };
    if (!patience) {
      changed_.wait(lock, changed);
    } else if (!changed_.wait_until(lock, last_news + *patience, changed)) {
      return true;
    }
  }
  return false;
}

}  // namespace vidi
