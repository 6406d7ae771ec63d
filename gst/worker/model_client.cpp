#include "gst/worker/model_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/worker/analysis.h"

namespace vidi {
namespace {

constexpr size_t kMostRequests = 1000;  // that wait

Time since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - then);
}

// Reports the window's end of work, also when something throws.
struct WorkDone {
  WindowQueue& queue;
  ~WorkDone() { queue.done(); }
};

}  // namespace

void ModelClient::start(const EngineApi& api, const ModelKey& key) {
  {
    std::lock_guard lock(mutex_);
    useless_ = stopping_ = false;
    counters_ = {};
    analysed_until_ = {};
    failures_in_a_row_ = 0;
  }
  queue_.resume();
  const auto model = SharedModel::acquire(api, key);
  {
    std::lock_guard lock(mutex_);
    model_ = model;
  }
  model->attach(this);
}

void ModelClient::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    counters_.count_drops(queue_.interrupt().size(), DropReason::kStopped);
    if (request_in_work_) request_in_work_->cancel();
    requests_.clear();
    lookahead_.forget();
  }
  if (const auto in_use = model()) in_use->detach(this);
  lookahead_.forget();  // what the worker still made of it
  std::lock_guard lock(mutex_);
  kept_.take_all();
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
  kept_.set_bound(keep_windows);
}

void ModelClient::submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy) {
  std::vector<std::shared_ptr<AnalysisWindow>> dropped;
  DropReason reason = DropReason::kOverload;
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
  if (request_in_work_) request_in_work_->cancel();
  requests_.clear();
  lookahead_.forget();
  kept_.take_all();
  analysed_until_ = {};
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
    if (useless_ || !model_) return Asked::kNothing;
    if (!window && kept_.overlapping(start, stop).empty() && !comes(start, stop))
      return Asked::kNothing;
    if (requests_.size() >= kMostRequests) return Asked::kTooMany;
    requests_.push_back(
        {std::move(plan), start, stop, std::move(window), std::make_shared<Cancel>(), {}});
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
  return kept_.cover(start, stop);
}

Counters ModelClient::counters() const {
  std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.pending = queue_.n_waiting() + (in_work_ ? 1 : 0);
  counters.device_bytes = model_ ? model_->device_memory_bytes() : 0;
  return counters;
}

// One that has given up hears no more of the model.
void ModelClient::on_unloaded(const Error* why) {
  if (!has_given_up()) listener_.model_unloaded(why);
}

void ModelClient::on_loading() {
  if (!has_given_up()) listener_.model_loading();
}

void ModelClient::on_ready(const ModelInfo& info) {
  {
    std::lock_guard lock(mutex_);
    if (useless_) return;
    counters_.device = info.device;
    counters_.precision = info.precision;
    counters_.weights = info.weights;
    counters_.keys = info.keys;
    counters_.plan = info.plan;
    counters_.why_no_gpu = info.why_no_gpu;
  }
  listener_.model_ready(info);
}

void ModelClient::on_failed(const Error& error) {
  give_up();
  listener_.model_failed(error);
}

bool ModelClient::has_work() {
  std::lock_guard lock(mutex_);
  return !requests_.empty() || queue_.n_waiting() > 0;
}

// Requests first: somebody waits for them.
bool ModelClient::work(Session& session) {
  if (auto request = next_request()) {
    answer(session, *request);
    return true;
  }
  const auto window = next_window();
  if (!window) return lookahead_.work(session);
  WorkDone done{queue_};
  analyse(session, window);
  return true;
}

// The first request whose window is there. One whose window is still to come stays.
std::optional<ModelClient::Request> ModelClient::next_request() {
  std::lock_guard lock(mutex_);
  request_in_work_.reset();
  in_work_.reset();
  for (auto it = requests_.begin(); it != requests_.end(); ++it) {
    it->encoded = kept_.overlapping(it->start, it->stop);
    if (!it->window && it->encoded.empty() && comes(it->start, it->stop)) continue;
    Request request = std::move(*it);
    requests_.erase(it);
    request_in_work_ = request.cancel;
    return request;
  }
  return std::nullopt;
}

std::shared_ptr<AnalysisWindow> ModelClient::next_window() {
  std::lock_guard lock(mutex_);
  auto window = queue_.pop();
  in_work_ = window;
  if (window) lookahead_.hand_over(*window);
  return window;
}

void ModelClient::answer(Session& session, Request& request) {
  if (request.window) {
    request.window->plan = request.plan;
    request.window->cancel = request.cancel;
    const auto analysis = analyze(session, request.window, [this] { return find_room(true); });
    if (!analysis) return answer_failed(request, analysis.error());
    tell_answer(request, *analysis);
    return;
  }
  if (request.encoded.empty()) {
    return answer_failed(request, {ErrorCode::kNotFound, "its window was dropped or failed"});
  }
  for (const Analysis& before : request.encoded) {
    const auto again = ask_again(session, before, request.plan, request.cancel,
                                 [this] { return find_room(false); });
    if (!again) return answer_failed(request, again.error());
    if (!tell_answer(request, *again)) return;
  }
}

void ModelClient::answer_failed(const Request& request, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  listener_.request_failed(request.plan->questions.front().id, error.message);
}

// False when the model refuses the question.
bool ModelClient::tell_answer(const Request& request, const Analysis& analysis) {
  const std::string& refusal = analysis.refusals.front();
  if (!refusal.empty()) {
    answer_failed(request, {ErrorCode::kBadInput, refusal});
    return false;
  }
  listener_.request_answered(analysis);
  return true;
}

void ModelClient::analyse(Session& session, const std::shared_ptr<AnalysisWindow>& window) {
  if (!session.info().has_highlight_prompt && window->plan_without_prompt) {
    window->plan = window->plan_without_prompt;
  }
  const Result<Analysis> analysis = analyze(session, window, [this] { return find_room(true); });
  if (analysis) {
    analysed(*analysis);
  } else if (analysis.error().code == ErrorCode::kCancelled) {
    cancelled(*window);
  } else if (analysis.error().code == ErrorCode::kOutOfMemory) {
    out_of_memory(*window, analysis.error());
  } else {
    failed(*window, analysis.error());
  }
}

// The next window may find what this one did not: other programs come and go.
void ModelClient::out_of_memory(const AnalysisWindow& window, const Error& error) {
  {
    std::lock_guard lock(mutex_);
    in_work_.reset();
    counters_.count_drops(1, DropReason::kOutOfMemory);
  }
  tell_dropped(window, DropReason::kOutOfMemory, error.message);
}

void ModelClient::cancelled(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  in_work_.reset();
  const bool flushed = window.epoch != epoch_;
  counters_.count_drops(1, flushed ? DropReason::kFlush : DropReason::kStopped);
}

// Kept before anybody hears of the window: who does may ask about it.
void ModelClient::analysed(const Analysis& analysis) {
  keep(analysis);
  count(analysis);
  listener_.window_analysed(analysis);
  tell_refusals(analysis);
}

void ModelClient::tell_refusals(const Analysis& analysis) {
  const std::vector<Question>& questions = analysis.window->plan->questions;
  for (size_t i = 0; i < analysis.refusals.size() && i < questions.size(); ++i) {
    if (!analysis.refusals[i].empty())
      listener_.question_refused(questions[i], analysis.refusals[i]);
  }
}

// For `ask`. Pictures' features serve later windows only: the others free the device's memory now.
void ModelClient::keep(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  for (const auto& frame : window.frames) {
    if (frame->pts < window.next_start) frame->features.reset();
  }
  std::lock_guard lock(mutex_);
  if (window.epoch != epoch_) return;
  kept_.add(analysis);
}

// Frees what the window in work needs the memory of: later windows that were begun, and those kept
// for questions; false when there are none.
bool ModelClient::forget_others() {
  const bool freed = lookahead_.free_room();
  return give_room() || freed;
}

// On the worker: memory for what is in work, from this element if `own`, then from those that share
// its model, then from other models of the process; false when nobody has any to give.
bool ModelClient::find_room(bool own) {
  if (own && forget_others()) return true;
  const auto in_use = model();
  return in_use && in_use->take_room(this);
}

// Only what is kept for questions: the worker may be at work on anything else.
bool ModelClient::give_room() {
  std::deque<Analysis> kept;  // freed without the lock
  std::lock_guard lock(mutex_);
  kept = kept_.take_all();
  return !kept.empty();
}

void ModelClient::count(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  std::lock_guard lock(mutex_);
  in_work_.reset();
  failures_in_a_row_ = 0;
  counters_.count_completed(analysis.inference_time, since(window.closed_at));
  counters_.analysed += std::max(Time(0), window.stop - std::max(window.start, analysed_until_));
  analysed_until_ = window.stop;
}

void ModelClient::failed(const AnalysisWindow& window, const Error& error) {
  int in_a_row;
  {
    std::lock_guard lock(mutex_);
    in_work_.reset();
    ++counters_.windows_failed;
    in_a_row = ++failures_in_a_row_;
  }
  listener_.window_failed(window, error, in_a_row);
}

}  // namespace vidi
