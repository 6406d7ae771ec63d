#include "gst/worker/model_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/worker/analysis.h"
#include "gst/worker/window_features.h"

namespace vidi {
namespace {

constexpr size_t kMostRequests = 1000;  // that wait

Time since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - then);
}

// A window's results are of use until the next one's come: a stride after its end.
Moment deadline_of(const AnalysisWindow& window) {
  const bool has_next = window.next_start != kForever && window.next_start > window.start;
  const Time stride = (has_next ? window.next_start : window.stop) - window.start;
  return window.closed_at + std::chrono::duration_cast<Moment::duration>(stride);
}

// What this model is to be asked about the window.
std::shared_ptr<const AskPlan> plan_for(const Session& session, const AnalysisWindow& window) {
  const bool is_other = !session.info().has_highlight_prompt && window.plan_without_prompt;
  return is_other ? window.plan_without_prompt : window.plan;
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

Offer ModelClient::offer() {
  std::lock_guard lock(mutex_);
  Offer offer;
  offer.asks = request_in_work_ ? !request_in_work_->is_asked : ready_request() != requests_.end();
  offer.looks_ahead = lookahead_.has_work();
  offer.is_quiet = gate_.is_closed();
  // Windows are told of in their order, and behind the answer to a question that came before.
  const auto window = in_work_ || request_in_work_ ? nullptr : queue_.front();
  if (!window) return offer;
  offer.has_window = true;
  offer.awaits_gate = awaits_gate(window);
  offer.deadline = window->deadline;
  if (offer.is_live())
    offer.patience = std::chrono::duration_cast<Time>(window->deadline - window->closed_at);
  offer.n_frames = window->frames.size();
  for (const auto& chunk : window->audio)
    offer.n_samples += static_cast<int64_t>(chunk->samples.size());
  offer.has_pictures = lookahead_.has_begun(*window);
  return offer;
}

bool ModelClient::work(Schedule::Kind kind, const Desk& desk) {
  if (kind == Schedule::Kind::kAsk) return begin_request(desk);
  if (kind == Schedule::Kind::kGate) return judge_window(desk);
  if (kind == Schedule::Kind::kWindow) return begin_window(desk);
  if (!gate_.is_on()) return lookahead_.work(desk.session);
  return lookahead_.work(
      desk.session, [&](const OpenWindow& window) { return gate_.opens(desk.session, window); });
}

// Others need its time.
void ModelClient::drop_next() {
  std::shared_ptr<AnalysisWindow> window;
  {
    std::lock_guard lock(mutex_);
    if (in_work_) return;
    window = queue_.pop();
    if (!window) return;
    counters_.count_drops(1, DropReason::kOverload);
  }
  const WorkDone done{queue_};
  tell_dropped(*window, DropReason::kOverload);
}

// The first request whose window is there. One whose window is still to come stays. Called with the
// lock.
std::deque<ModelClient::Request>::iterator ModelClient::ready_request() {
  return std::find_if(requests_.begin(), requests_.end(), [this](const Request& request) {
    return request.window || !comes(request.start, request.stop) ||
           !model_->kept().overlapping(this, request.start, request.stop).empty();
  });
}

std::shared_ptr<AnalysisWindow> ModelClient::next_window() {
  std::lock_guard lock(mutex_);
  if (in_work_) return nullptr;
  auto window = queue_.pop();
  in_work_ = window;
  if (window) lookahead_.hand_over(*window);
  return window;
}

// The one in work goes on with its next window.
bool ModelClient::take_request() {
  std::lock_guard lock(mutex_);
  if (request_in_work_) return !std::exchange(request_in_work_->is_asked, true);
  const auto ready = ready_request();
  if (ready == requests_.end()) return false;
  request_in_work_ = std::move(*ready);
  requests_.erase(ready);
  Request& request = *request_in_work_;
  request.encoded = model_->kept().overlapping(this, request.start, request.stop);
  request.is_asked = true;
  return true;
}

bool ModelClient::begin_request(const Desk& desk) {
  if (!take_request()) return false;
  Request request;  // the worker's copy
  {
    std::lock_guard lock(mutex_);
    if (!request_in_work_) return true;
    request = *request_in_work_;
    if (!request.encoded.empty())
      request_in_work_->encoded.erase(request_in_work_->encoded.begin());
  }
  if (request.window) {
    request.window->plan = request.plan;
    request.window->cancel = request.cancel;
    encode_request(desk, request.window);
  } else if (request.encoded.empty()) {
    const auto in_use = model();
    const bool gave_way = in_use && in_use->kept().gave_way(this, request.start, request.stop);
    request_answered(
        Error{ErrorCode::kNotFound, gave_way ? "its window is kept no longer: its memory was needed"
                                             : "its window was dropped or failed"});
  } else {
    auto kept = with_questions(request.encoded.front(), request.plan, request.cancel);
    if (kept.encoded)
      desk.answer(std::move(kept), true);
    else
      encode_request(desk, kept.window);
  }
  return true;
}

void ModelClient::encode_request(const Desk& desk, std::shared_ptr<const AnalysisWindow> window) {
  auto encoded = encode_window(desk.session, window, [this] { return find_room(); });
  if (encoded)
    desk.answer(std::move(*encoded), true);
  else
    request_answered(encoded.error());
}

void ModelClient::end_request() {
  std::lock_guard lock(mutex_);
  request_in_work_.reset();
}

// One of its windows; those that are left follow unless there is no answer.
void ModelClient::request_answered(Result<Analysis> analysis) {
  Request request;
  {
    std::lock_guard lock(mutex_);
    if (!request_in_work_) return;
    request = *request_in_work_;
    request_in_work_->is_asked = false;
  }
  const bool is_refused = analysis && !analysis->refusals.front().empty();
  if (request.encoded.empty() || !analysis || is_refused) end_request();
  if (!analysis) return request_failed(request, analysis.error());
  if (is_refused)
    return request_failed(request, {ErrorCode::kBadInput, analysis->refusals.front()});
  listener_.request_answered(*analysis);
}

void ModelClient::request_failed(const Request& request, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  listener_.request_failed(request.plan->questions.front().id, error.message);
}

// Called with the lock.
bool ModelClient::awaits_gate(const std::shared_ptr<const AnalysisWindow>& window) const {
  return gate_.is_on() && judged_.lock() != window;
}

// It stays in the queue, where it may be dropped meanwhile.
std::shared_ptr<const AnalysisWindow> ModelClient::window_to_judge() const {
  std::lock_guard lock(mutex_);
  const auto window = in_work_ || request_in_work_ ? nullptr : queue_.front();
  return window && awaits_gate(window) ? window : nullptr;
}

bool ModelClient::judge_window(const Desk& desk) {
  const auto window = window_to_judge();
  if (!window) return false;
  const auto plan = plan_for(desk.session, *window);
  const GateReading reading = gate_.judge(desk.session, *window, *plan);
  if (!reading.is_open) {
    if (take_gated(window, plan)) gated(window, reading);
    return true;
  }
  std::lock_guard lock(mutex_);
  if (queue_.front() == window) judged_ = window, reading_ = reading;
  return true;
}

// False when it was dropped meanwhile.
bool ModelClient::take_gated(const std::shared_ptr<const AnalysisWindow>& window,
                             const std::shared_ptr<const AskPlan>& plan) {
  std::lock_guard lock(mutex_);
  if (queue_.front() != window) return false;
  queue_.pop()->plan = plan;
  lookahead_.hand_over(*window);
  window->prepared = {};
  ++counters_.windows_gated;
  gate_.pass_by(*window);
  return true;
}

// Kept before anybody hears of it, as if it was analysed; a question about it encodes it.
void ModelClient::gated(const std::shared_ptr<const AnalysisWindow>& window,
                        const GateReading& reading) {
  const WorkDone done{queue_};
  let_go(*window);
  Analysis analysis;
  analysis.window = window;
  keep(analysis);
  listener_.window_gated(*window, reading);
}

bool ModelClient::begin_window(const Desk& desk) {
  const auto window = next_window();
  if (!window) return false;
  window->plan = plan_for(desk.session, *window);
  const Time needed_from = window->needed_from;
  // The gate compares with its last picture.
  if (gate_.is_on() && !window->frames.empty())
    window->needed_from = std::min(needed_from, window->frames.back()->pts);
  Result<Analysis> encoded = encode_window(desk.session, window, [this] { return find_room(); });
  if (!encoded) return answered(false, encoded.error()), true;
  if (gate_.is_on()) {
    encoded->gate = reading_of(*window);
    gate_.analysed(*window);
    window->needed_from = needed_from;
    let_go(*window);
  }
  desk.answer(std::move(*encoded), false);
  return true;
}

// Without one: the gate was turned on after the window had its turn.
GateReading ModelClient::reading_of(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  const auto judged = std::exchange(judged_, {}).lock();
  return judged.get() == &window ? reading_ : GateReading();
}

void ModelClient::answered(bool is_request, Result<Analysis> analysis) {
  if (is_request) return request_answered(std::move(analysis));
  std::shared_ptr<const AnalysisWindow> window;
  {
    std::lock_guard lock(mutex_);
    window = in_work_;
  }
  if (!window) return;
  const WorkDone done{queue_};
  window_answered(*window, analysis);
}

void ModelClient::window_answered(const AnalysisWindow& window, const Result<Analysis>& analysis) {
  if (analysis) {
    analysed(*analysis);
  } else if (analysis.error().code == ErrorCode::kCancelled) {
    cancelled(window);
  } else if (analysis.error().code == ErrorCode::kOutOfMemory) {
    out_of_memory(window, analysis.error());
  } else {
    failed(window, analysis.error());
  }
}

// The next window may find what this one did not: other programs come and go.
void ModelClient::out_of_memory(const AnalysisWindow& window, const Error& error) {
  gate_.forget();
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

// For `ask`.
void ModelClient::keep(const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  std::lock_guard lock(mutex_);
  if (window.epoch != epoch_ || !model_) return;
  model_->kept().add(this, analysis);
}

// On the worker, for a window in work: memory of windows that were begun and of those that are
// kept, its own element's, then those of others; false when nobody has any to give.
bool ModelClient::find_room() {
  const auto in_use = model();
  const bool freed = lookahead_.free_room();
  return (in_use && in_use->take_room()) || freed;
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
  gate_.forget();
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
