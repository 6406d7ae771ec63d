#include "gst/worker/model_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vidi {
namespace {

// Unless it is told, a window's results are of use until the next one's come: a stride after its
// end.
Moment deadline_of(const AnalysisWindow& window, Time max_delay) {
  const Time delay = max_delay > Time(0) ? max_delay : window.stride();
  return window.closed_at + std::chrono::duration_cast<Moment::duration>(delay);
}

}  // namespace

void ModelClient::start_on(const EngineApi& api, const ModelKey& key,
                           const std::vector<std::string>& devices) {
  Seats seats;
  for (const std::string& device : devices) {
    ModelKey its = key;
    its.device = device;
    its.split_windows = key.split_windows && device.find(',') != std::string::npos;
    its.copy = static_cast<int>(std::count_if(
        seats.begin(), seats.end(), [&](const auto& seat) { return seat->device == device; }));
    seats.push_back(
        std::make_shared<DeviceSeat>(*this, device, SharedModel::acquire(api, std::move(its))));
  }
  gate_.forget();
  queue_.resume();
  {
    std::lock_guard lock(mutex_);
    useless_ = stopping_ = has_settled_ = is_home_new_ = false;
    told_ = ModelState::kLoading;
    counters_ = {};
    analysed_until_ = {};
    seats_ = seats;
    home_ = least_wanted();
    home().model->count_home(1);
    for (const auto& seat : seats_) seat->model->kept().set_bound(this, keep_windows_);
  }
  for (const auto& seat : seats) seat->model->attach(seat.get());
}

void ModelClient::stop() {
  const Seats leaving = seats();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    counters_.count_drops(queue_.interrupt().size(), DropReason::kStopped);
    for (const auto& seat : leaving) {
      if (seat->request) seat->request->cancel->cancel();
      seat->lookahead.forget();
    }
    requests_.clear();
  }
  for (const auto& seat : leaving) seat->model->look_for_cancelled();
  for (const auto& seat : leaving) seat->model->detach(seat.get());
  gate_.forget();
  telling_.forget();
  std::lock_guard lock(mutex_);
  judged_.reset();
  for (const Window& window : begun_) {  // nobody tells of them any more
    counters_.count_drops(1, DropReason::kStopped);
    queue_.done(*window);
  }
  begun_.clear();
  kept_.clear();
  if (!seats_.empty()) home().model->count_home(-1);
  for (const auto& seat : seats_) seat->model->kept().remove(this);
  seats_.clear();  // they go with `leaving`, without the lock
}

bool ModelClient::wait_until_loaded() {
  bool any = false;
  for (const auto& seat : seats()) any = seat->model->wait_until_loaded(seat.get()) || any;
  return any;
}

void ModelClient::set_limits(size_t max_pending, size_t keep_windows) {
  queue_.set_bound(max_pending);
  std::lock_guard lock(mutex_);
  keep_windows_ = keep_windows;
  for (const auto& seat : seats_) seat->model->kept().set_bound(this, keep_windows);
  keep_no_more();
}

void ModelClient::submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy) {
  std::vector<std::shared_ptr<AnalysisWindow>> dropped;
  DropReason reason = DropReason::kOverload;
  if (policy != OverloadPolicy::kBlock)
    window->turn = window->deadline = deadline_of(*window, Time(max_delay_));
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
  for (const auto& seat : seats_) {
    if (seat->request) seat->request->cancel->cancel();
    seat->lookahead.forget();
    seat->model->kept().forget(this);
  }
  requests_.clear();
  kept_.clear();
  gate_.forget();
  judged_.reset();
  analysed_until_ = {};
  for (const auto& seat : seats_) seat->model->look_for_cancelled();
}

bool ModelClient::is_of_use() const { return !useless_ && !seats_.empty(); }

void ModelClient::look_ahead(const std::shared_ptr<const SampledFrame>& picture) {
  {
    std::lock_guard lock(mutex_);
    if (!is_of_use()) return;
    home().lookahead.picture(picture);
  }
  wake_ahead();
}

void ModelClient::look_ahead(const std::shared_ptr<const SoundChunk>& sound) {
  {
    std::lock_guard lock(mutex_);
    if (!is_of_use()) return;
    home().lookahead.sound(sound);
  }
  wake_ahead();
}

// A device that was not its home until now has looked at none of its pictures.
void ModelClient::set_open_window(std::shared_ptr<const OpenWindow> window) {
  {
    std::lock_guard lock(mutex_);
    if (!is_of_use()) return;
    if (std::exchange(is_home_new_, false)) home().lookahead.pictures_of(*window);
    home().lookahead.set_open_window(std::move(window));
  }
  wake_ahead();
}

void ModelClient::give_up() {
  std::vector<std::shared_ptr<AnalysisWindow>> windows;
  {
    std::lock_guard lock(mutex_);
    useless_ = true;
    requests_.clear();
    for (const auto& seat : seats_) seat->lookahead.forget();
    while (auto window = queue_.pop()) windows.push_back(std::move(window));
    counters_.count_drops(windows.size(), DropReason::kModelFailed);
  }
  // In work until it is told: an EOS that waits goes on behind that.
  for (const auto& window : windows) {
    tell_dropped(*window, DropReason::kModelFailed);
    queue_.done(*window);
  }
}

bool ModelClient::has_given_up() const {
  std::lock_guard lock(mutex_);
  return useless_;
}

void ModelClient::tell_dropped(const AnalysisWindow& window, DropReason reason,
                               const std::string& error) {
  for (const auto& seat : seats()) seat->lookahead.drop(window);
  listener_.window_dropped(window, reason, error);
}

Counters ModelClient::counters() const {
  std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.pending = queue_.n_waiting() + begun_.size();
  for (const auto& seat : seats_) {
    const int64_t bytes = seat->model->device_memory_bytes();
    counters.device_bytes += static_cast<uint64_t>(std::max<int64_t>(bytes, 0));
    counters.devices.push_back({seat->device, seat->n_completed, seat->n_failed,
                                static_cast<uint64_t>(std::max<int64_t>(bytes, 0)),
                                seat->why_out ? seat->why_out->message : ""});
  }
  return counters;
}

}  // namespace vidi
