#include "examples/batch/batch_task.h"

void BatchJob::begin_file(double timeout_s, const BegunMarker* marker) {
  std::lock_guard lock(mutex_);
  has_file_ = true;
  marker_ = marker;
  stop = timed_out_ = false;
  const std::chrono::duration<double> patience(timeout_s);
  deadline_ = timeout_s > 0 ? Clock::now() + std::chrono::duration_cast<Clock::duration>(patience)
                            : Clock::time_point::max();
}

void BatchJob::end_file() {
  std::lock_guard lock(mutex_);
  has_file_ = false;
  marker_ = nullptr;
}

void BatchJob::blame_file() {
  std::lock_guard lock(mutex_);
  if (marker_) marker_->blame();
}

bool BatchJob::watch(bool ends, double grace_s) {
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (has_file_ && !stop && now > deadline_) timed_out_ = true;
  if ((timed_out_ || ends) && has_file_ && !stop.exchange(true)) stopped_at_ = now;
  return !has_file_ || !stop || now - stopped_at_ < std::chrono::duration<double>(grace_s);
}
