#include "gst/worker/model_client.h"

#include <chrono>
#include <utility>

namespace vidi {
namespace {

constexpr size_t kMostRequests = 1000;  // that wait

// A window's results are of use until the next one's come: a stride after its end.
Moment deadline_of(const AnalysisWindow& window) {
  const bool has_next = window.next_start != kForever && window.next_start > window.start;
  const Time stride = (has_next ? window.next_start : window.stop) - window.start;
  return window.closed_at + std::chrono::duration_cast<Moment::duration>(stride);
}

}  // namespace

void ModelClient::start(const EngineApi& api, const ModelKey& key) {
  {
    std::lock_guard lock(mutex_);
    useless_ = stopping_ = false;
    counters_ = {};
    analysed_until_ = {};
    failures_in_a_row_ = 0;
  }
  gate_.forget();
  queue_.resume();
  const auto model = SharedModel::acquire(api, key);
  {
    std::lock_guard lock(mutex_);
    model_ = model;
    model->kept().set_bound(this, keep_windows_);
  }
  model->attach(this);
}

void ModelClient::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    counters_.count_drops(queue_.interrupt().size(), DropReason::kStopped);
    if (request_in_work_) request_in_work_->cancel->cancel();
    requests_.clear();
    lookahead_.forget();
  }
  if (const auto in_use = model()) {
    in_use->look_for_cancelled();
    in_use->detach(this);
  }
  lookahead_.forget();  // what the worker still made of it
  gate_.forget();
  std::lock_guard lock(mutex_);
  request_in_work_.reset();
  judged_.reset();
  if (in_work_) {  // nobody tells of it any more
    in_work_.reset();
    counters_.count_drops(1, DropReason::kStopped);
    queue_.done();
  }
  if (model_) model_->kept().remove(this);
  model_.reset();
}

std::shared_ptr<SharedModel> ModelClient::model() const {
  std::lock_guard lock(mutex_);
  return model_;
}

void ModelClient::wake_ahead() {
  if (const auto in_use = model()) in_use->wake_ahead();
}

void ModelClient::wake() {
  if (const auto in_use = model()) in_use->wake();
}

bool ModelClient::wait_until_loaded() {
  const auto in_use = model();
  return in_use && in_use->wait_until_loaded(this);
}

void ModelClient::set_limits(size_t max_pending, size_t keep_windows) {
  queue_.set_bound(max_pending);
  std::lock_guard lock(mutex_);
  keep_windows_ = keep_windows;
  if (model_) model_->kept().set_bound(this, keep_windows);
}

void ModelClient::submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy) {
  std::vector<std::shared_ptr<AnalysisWindow>> dropped;
  DropReason reason = DropReason::kOverload;
  if (policy != OverloadPolicy::kBlock) window->deadline = deadline_of(*window);
  {
    std::lock_guard lock(mutex_);
    ++counters_.windows_submitted;
    if (stopping_ || window->epoch != epoch_) {
      return counters_.count_drops(1, stopping_ ? DropReason::kStopped : DropReason::kFlush);
    }
    if (useless_) {
      reason = DropReason::kModelFailed;
      dropped.push_back(std::move(window));
    } else {
      dropped = queue_.push(std::move(window), policy);
    }
    counters_.count_drops(dropped.size(), reason);
  }
  for (const auto& out : dropped) tell_dropped(*out, reason);
  if (reason != DropReason::kModelFailed) wake();
}

// A failed model cut it short, if there is one: its stream is no longer looked at.
void ModelClient::refuse_small(const AnalysisWindow& window) {
  DropReason reason;
  {
    std::lock_guard lock(mutex_);
    reason = useless_ ? DropReason::kModelFailed : DropReason::kTooFewFrames;
    ++counters_.windows_submitted;
    counters_.count_drops(1, reason);
  }
  listener_.window_dropped(window, reason, "");
}

void ModelClient::interrupt(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  counters_.count_drops(queue_.interrupt().size(), DropReason::kFlush);
  if (request_in_work_) request_in_work_->cancel->cancel();
  requests_.clear();
  lookahead_.forget();
  gate_.forget();
  judged_.reset();
  analysed_until_ = {};
  if (!model_) return;
  model_->kept().forget(this);
  model_->look_for_cancelled();
}

bool ModelClient::is_of_use() const {
  std::lock_guard lock(mutex_);
  return !useless_ && model_;
}

void ModelClient::look_ahead(const std::shared_ptr<const SampledFrame>& picture) {
  if (!is_of_use()) return;
  lookahead_.picture(picture);
  wake_ahead();
}

void ModelClient::look_ahead(const std::shared_ptr<const SoundChunk>& sound) {
  if (!is_of_use()) return;
  lookahead_.sound(sound);
  wake_ahead();
}

void ModelClient::set_open_window(std::shared_ptr<const OpenWindow> window) {
  if (!is_of_use()) return;
  lookahead_.set_open_window(std::move(window));
  wake_ahead();
}

void ModelClient::give_up() {
  std::vector<std::shared_ptr<AnalysisWindow>> windows;
  {
    std::lock_guard lock(mutex_);
    useless_ = true;
    requests_.clear();
    lookahead_.forget();
    while (auto window = queue_.pop()) windows.push_back(std::move(window));
    counters_.count_drops(windows.size(), DropReason::kModelFailed);
  }
  // In work until it is told: an EOS that waits goes on behind that.
  for (const auto& window : windows) {
    tell_dropped(*window, DropReason::kModelFailed);
    queue_.done();
  }
}

bool ModelClient::has_given_up() const {
  std::lock_guard lock(mutex_);
  return useless_;
}

void ModelClient::tell_dropped(const AnalysisWindow& window, DropReason reason,
                               const std::string& error) {
  lookahead_.drop(window);
  listener_.window_dropped(window, reason, error);
}

ModelClient::Asked ModelClient::ask(std::shared_ptr<const AskPlan> plan, Time start, Time stop,
                                    std::shared_ptr<AnalysisWindow> window) {
  {
    std::lock_guard lock(mutex_);
    if (useless_ || stopping_ || !model_) return Asked::kNothing;
    if (!window && model_->kept().overlapping(this, start, stop).empty() && !comes(start, stop))
      return model_->kept().gave_way(this, start, stop) ? Asked::kGaveWay : Asked::kNothing;
    if (requests_.size() >= kMostRequests) return Asked::kTooMany;
    requests_.push_back(
        {std::move(plan), start, stop, std::move(window), std::make_shared<Cancel>()});
  }
  wake();
  return Asked::kYes;
}

// Whether a window of that time waits, or is in work. Called with the lock.
bool ModelClient::comes(Time start, Time stop) const {
  const bool in_work = in_work_ && in_work_->start < stop && start < in_work_->stop;
  return in_work || queue_.waits_for(start, stop);
}

bool ModelClient::covers(Time start, Time stop) const {
  std::lock_guard lock(mutex_);
  return model_ && model_->kept().cover(this, start, stop);
}

Counters ModelClient::counters() const {
  std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.pending = queue_.n_waiting() + (in_work_ ? 1 : 0);
  counters.device_bytes = model_ ? model_->device_memory_bytes() : 0;
  return counters;
}

}  // namespace vidi
