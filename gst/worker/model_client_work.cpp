// What the model's thread does for an element: windows, and what comes of them.
#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/worker/model_client.h"
#include "gst/worker/window_features.h"

namespace vidi {
namespace {

Time since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - then);
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

std::shared_ptr<AnalysisWindow> ModelClient::next_window() {
  std::lock_guard lock(mutex_);
  if (in_work_) return nullptr;
  auto window = queue_.pop();
  in_work_ = window;
  if (window) lookahead_.hand_over(*window);
  return window;
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
