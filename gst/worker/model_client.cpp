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

void ModelLink::start(const Door& door, const Settings& settings) {
  {
    std::lock_guard lock(mutex_);
    useless_ = stopping_ = false;
    counters_ = {};
    analysed_until_ = {};
    failures_in_a_row_ = 0;
    merger_.clear(), ranker_.clear();
  }
  set_limits(settings.max_pending_windows, settings.keep_windows);
  queue_.resume();
  const auto model = SharedModel::acquire(door, settings.model_key());
  {
    std::lock_guard lock(mutex_);
    model_ = model;
  }
  model->attach(this);
}

void ModelLink::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    count_drops(queue_.interrupt().size(), DropReason::kStopped);
    if (request_in_work_) request_in_work_->cancel();
    requests_.clear();
    foresight_.forget();
  }
  if (const auto in_use = model()) in_use->detach(this);
  foresight_.forget();  // what the worker still made of it
  std::lock_guard lock(mutex_);
  kept_.clear();
  model_.reset();
}

std::shared_ptr<SharedModel> ModelLink::model() const {
  std::lock_guard lock(mutex_);
  return model_;
}

void ModelLink::wake() {
  if (const auto in_use = model()) in_use->wake();
}

bool ModelLink::wait_until_loaded() {
  const auto in_use = model();
  return in_use && in_use->wait_until_loaded(this);
}

void ModelLink::set_limits(size_t max_pending, size_t keep_windows) {
  queue_.set_bound(max_pending);
  std::lock_guard lock(mutex_);
  keep_windows_ = keep_windows;
  while (kept_.size() > keep_windows_) kept_.pop_front();
}

void ModelLink::submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy) {
  std::vector<std::shared_ptr<AnalysisWindow>> dropped;
  DropReason reason = DropReason::kOverload;
  {
    std::lock_guard lock(mutex_);
    ++counters_.windows_submitted;
    if (stopping_ || window->epoch != epoch_) {
      return count_drops(1, stopping_ ? DropReason::kStopped : DropReason::kFlush);
    }
    if (useless_) {
      reason = DropReason::kModelFailed;
      dropped.push_back(std::move(window));
    } else {
      dropped = queue_.push(std::move(window), policy);
    }
    count_drops(dropped.size(), reason);
  }
  for (const auto& out : dropped) say_dropped(*out, reason);
  wake();
}

// A failed model cut it short, if there is one: its stream is no longer looked at.
void ModelLink::refuse_small(const AnalysisWindow& window) {
  DropReason reason;
  {
    std::lock_guard lock(mutex_);
    reason = useless_ ? DropReason::kModelFailed : DropReason::kTooFewFrames;
    ++counters_.windows_submitted;
    count_drops(1, reason);
  }
  host_.window_dropped(window, reason, "");
}

bool ModelLink::finish() {
  if (!queue_.wait_until_idle()) return false;
  std::vector<Finding> findings;
  {
    std::lock_guard lock(mutex_);
    findings = merger_.finish();
  }
  for (const Finding& finding : findings) delivery_.send(finding);
  return true;
}

void ModelLink::interrupt(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  count_drops(queue_.interrupt().size(), DropReason::kFlush);
  if (request_in_work_) request_in_work_->cancel();
  requests_.clear();
  foresight_.forget();
  kept_.clear();
  merger_.clear(), ranker_.clear();
  analysed_until_ = {};
}

bool ModelLink::is_of_use() const {
  std::lock_guard lock(mutex_);
  return !useless_ && model_;
}

void ModelLink::foresee(const std::shared_ptr<const SampledFrame>& picture) {
  if (!is_of_use()) return;
  foresight_.picture(picture);
  wake();
}

void ModelLink::foresee(const std::shared_ptr<const SoundChunk>& sound) {
  if (!is_of_use()) return;
  foresight_.sound(sound);
  wake();
}

void ModelLink::filling(std::shared_ptr<const FillingWindow> window) {
  if (!is_of_use()) return;
  foresight_.filling(std::move(window));
  wake();
}

void ModelLink::give_up() {
  std::vector<std::shared_ptr<AnalysisWindow>> windows;
  {
    std::lock_guard lock(mutex_);
    useless_ = true;
    requests_.clear();
    foresight_.forget();
    while (auto window = queue_.pop()) windows.push_back(std::move(window));
    count_drops(windows.size(), DropReason::kModelFailed);
  }
  // In work until it is told: an EOS that waits goes on behind that.
  for (const auto& window : windows) {
    say_dropped(*window, DropReason::kModelFailed);
    queue_.done();
  }
}

bool ModelLink::has_given_up() const {
  std::lock_guard lock(mutex_);
  return useless_;
}

void ModelLink::say_dropped(const AnalysisWindow& window, DropReason reason,
                            const std::string& error) {
  foresight_.drop(window);
  host_.window_dropped(window, reason, error);
}

ModelLink::Asked ModelLink::ask(std::shared_ptr<const AskPlan> plan, Time start, Time stop,
                                std::shared_ptr<AnalysisWindow> window) {
  {
    std::lock_guard lock(mutex_);
    if (useless_ || !model_) return Asked::kNothing;
    if (!window && kept_of(start, stop).empty() && !comes(start, stop)) return Asked::kNothing;
    if (requests_.size() >= kMostRequests) return Asked::kTooMany;
    requests_.push_back(
        {std::move(plan), start, stop, std::move(window), std::make_shared<Cancel>(), {}});
  }
  wake();
  return Asked::kYes;
}

// The next two are called with the lock.
std::vector<Analysis> ModelLink::kept_of(Time start, Time stop) const {
  std::vector<Analysis> found;
  for (const Analysis& kept : kept_) {
    if (kept.window->start < stop && start < kept.window->stop) found.push_back(kept);
  }
  return found;
}

// Whether a window of that time waits, or is in work.
bool ModelLink::comes(Time start, Time stop) const {
  const bool in_work = in_work_ && in_work_->start < stop && start < in_work_->stop;
  return in_work || queue_.waits_for(start, stop);
}

bool ModelLink::covers(Time start, Time stop) const {
  std::lock_guard lock(mutex_);
  for (const Analysis& kept : kept_) {  // by start
    if (kept.window->start <= start && start < kept.window->stop) start = kept.window->stop;
  }
  return start >= stop;
}

Counters ModelLink::counters() const {
  std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.pending = queue_.n_waiting() + (in_work_ ? 1 : 0);
  counters.device_bytes = model_ ? model_->device_memory_bytes() : 0;
  return counters;
}

void ModelLink::on_ready(const ModelInfo& info) {
  {
    std::lock_guard lock(mutex_);
    counters_.device = info.device;
    counters_.precision = info.precision;
    counters_.why_no_gpu = info.why_no_gpu;
  }
  host_.model_ready(info);
}

void ModelLink::on_failed(const Error& error) {
  give_up();
  host_.model_failed(error);
}

// Requests first: somebody waits for them.
bool ModelLink::work(Session& session) {
  if (auto request = next_request()) {
    answer(session, *request);
    return true;
  }
  const auto window = next_window();
  if (!window) return foresight_.work(session);
  WorkDone done{queue_};
  analyse(session, window);
  return true;
}

// The first request whose window is there. One whose window is still to come stays.
std::optional<ModelLink::Request> ModelLink::next_request() {
  std::lock_guard lock(mutex_);
  request_in_work_.reset();
  in_work_.reset();
  for (auto it = requests_.begin(); it != requests_.end(); ++it) {
    it->encoded = kept_of(it->start, it->stop);
    if (!it->window && it->encoded.empty() && comes(it->start, it->stop)) continue;
    Request request = std::move(*it);
    requests_.erase(it);
    request_in_work_ = request.cancel;
    return request;
  }
  return std::nullopt;
}

std::shared_ptr<AnalysisWindow> ModelLink::next_window() {
  std::lock_guard lock(mutex_);
  auto window = queue_.pop();
  in_work_ = window;
  if (window) foresight_.leave(*window);
  return window;
}

void ModelLink::answer(Session& session, Request& request) {
  if (request.window) {
    request.window->plan = request.plan;
    request.window->cancel = request.cancel;
    const auto analysis = analyze(session, request.window, [this] { return find_room(true); });
    if (!analysis) return answer_failed(request, analysis.error());
    send_answer(request, *analysis);
    return;
  }
  if (request.encoded.empty()) {
    return answer_failed(request, {ErrorCode::kNotFound, "its window was dropped or failed"});
  }
  for (const Analysis& before : request.encoded) {
    const auto again = ask_again(session, before, request.plan, request.cancel,
                                 [this] { return find_room(false); });
    if (!again) return answer_failed(request, again.error());
    if (!send_answer(request, *again)) return;
  }
}

void ModelLink::answer_failed(const Request& request, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  host_.request_failed(request.plan->questions.front().id, error.message);
}

// False when the model refuses the question.
bool ModelLink::send_answer(const Request& request, const Analysis& analysis) {
  const std::string& refusal = analysis.refusals.front();
  if (!refusal.empty()) {
    answer_failed(request, {ErrorCode::kBadInput, refusal});
    return false;
  }
  HitMerger alone;
  auto findings = alone.add(findings_of(analysis), kForever, Time(0), false);
  {
    std::lock_guard lock(mutex_);
    uint64_t id = merger_.take_ids(findings.size());
    for (Finding& finding : findings) finding.result_id = id++;
  }
  for (const Finding& finding : findings) delivery_.send(finding);
  const AnalysisWindow& window = *analysis.window;
  delivery_.send(window_structure(window, &analysis, findings.size(), 0, nullptr), &window);
  return true;
}

void ModelLink::analyse(Session& session, const std::shared_ptr<AnalysisWindow>& window) {
  if (!session.info().has_highlight_prompt && window->plan_without_prompt) {
    window->plan = window->plan_without_prompt;
  }
  const Result<Analysis> analysis = analyze(session, window, [this] { return find_room(true); });
  if (analysis) {
    analysed(*analysis);
  } else if (analysis.error().code == ErrorCode::kCancelled) {
    count_cancelled(*window);
  } else if (analysis.error().code == ErrorCode::kOutOfMemory) {
    out_of_memory(*window, analysis.error());
  } else {
    failed(*window, analysis.error());
  }
}

// The next window may find what this one did not: other programs come and go.
void ModelLink::out_of_memory(const AnalysisWindow& window, const Error& error) {
  std::vector<Finding> findings;
  {
    std::lock_guard lock(mutex_);
    in_work_.reset();
    count_drops(1, DropReason::kOutOfMemory);
    if (window.epoch == epoch_) {
      findings = merger_.pass(window.next_start, window.plan->merge_gap);
    }
  }
  for (const Finding& finding : findings) delivery_.send(finding);
  say_dropped(window, DropReason::kOutOfMemory, error.message);
}

void ModelLink::count_cancelled(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  in_work_.reset();
  const bool flushed = window.epoch != epoch_;
  count_drops(1, flushed ? DropReason::kFlush : DropReason::kStopped);
}

void ModelLink::analysed(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  size_t n_found = 0;
  const std::vector<Finding> findings = settle(analysis, &n_found);
  keep(analysis);  // before anybody hears of the window: who does may ask about it
  count_analysis(analysis);
  for (const Finding& finding : findings) delivery_.send(finding);

  const Time delay = since(window.closed_at);
  delivery_.send(window_structure(window, &analysis, n_found, delay.count(), nullptr), &window);
  tell_refusals(analysis);
}

void ModelLink::tell_refusals(const Analysis& analysis) {
  const std::vector<Question>& questions = analysis.window->plan->questions;
  for (size_t i = 0; i < analysis.refusals.size() && i < questions.size(); ++i) {
    if (!analysis.refusals[i].empty()) host_.question_refused(questions[i], analysis.refusals[i]);
  }
}

// Ranks, counts and merges, and says what is to be sent now; nothing when a flush came meanwhile.
std::vector<Finding> ModelLink::settle(const Analysis& analysis, size_t* n_found) {
  const AskPlan& plan = *analysis.window->plan;
  std::vector<Finding> found = findings_of(analysis);
  std::lock_guard lock(mutex_);
  if (analysis.window->epoch != epoch_) return {};
  if (plan.ranked || plan.task == "highlight")
    found = ranker_.keep_best(std::move(found), plan.max_highlights);
  *n_found = found.size();
  return merger_.add(std::move(found), analysis.window->next_start, plan.merge_gap, plan.merge);
}

// For `ask`. Pictures' features serve later windows only: the others free the device's memory now.
void ModelLink::keep(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  for (const auto& frame : window.frames) {
    if (frame->pts < window.next_start) frame->features.reset();
  }
  std::lock_guard lock(mutex_);
  if (window.epoch != epoch_) return;
  kept_.push_back(analysis);
  while (kept_.size() > keep_windows_) kept_.pop_front();
}

// Frees what the window in work needs the memory of: later windows that were begun, and those kept
// for questions; false when there are none.
bool ModelLink::forget_others() {
  const bool freed = foresight_.free_room();
  std::lock_guard lock(mutex_);
  if (kept_.empty()) return freed;
  kept_.clear();
  return true;
}

// On the worker: memory for what is in work, from this element if `own`, then from those that share
// its model, then from other models of the process; false when nobody has any to give.
bool ModelLink::find_room(bool own) {
  if (own && forget_others()) return true;
  const auto in_use = model();
  return in_use && in_use->take_room(this);
}

// Only what is kept for questions: the worker may be at work on anything else.
bool ModelLink::give_room() {
  std::deque<Analysis> kept;
  std::lock_guard lock(mutex_);
  kept.swap(kept_);
  return !kept.empty();
}

void ModelLink::count_analysis(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  const Time delay = since(window.closed_at);
  std::lock_guard lock(mutex_);
  in_work_.reset();
  failures_in_a_row_ = 0;
  Counters& c = counters_;
  ++c.windows_completed;
  c.inference_last = analysis.inference_time;
  c.inference_sum += analysis.inference_time;
  c.inference_max = std::max(c.inference_max, analysis.inference_time);
  c.delay_last = delay;
  c.delay_sum += delay;
  c.delay_max = std::max(c.delay_max, delay);
  c.analysed += std::max(Time(0), window.stop - std::max(window.start, analysed_until_));
  analysed_until_ = window.stop;
}

void ModelLink::failed(const AnalysisWindow& window, const Error& error) {
  int in_a_row;
  std::vector<Finding> findings;
  {
    std::lock_guard lock(mutex_);
    in_work_.reset();
    ++counters_.windows_failed;
    in_a_row = ++failures_in_a_row_;
    if (window.epoch == epoch_) {
      findings = merger_.pass(window.next_start, window.plan->merge_gap);
    }
  }
  for (const Finding& finding : findings) delivery_.send(finding);
  const Time delay = since(window.closed_at);
  delivery_.send(window_structure(window, nullptr, 0, delay.count(), error.message.c_str()),
                 &window);
  host_.analysis_failed(error, in_a_row);
}

}  // namespace vidi
