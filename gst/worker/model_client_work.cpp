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

}  // namespace

Offer ModelClient::offer(DeviceSeat& seat) {
  std::lock_guard lock(mutex_);
  Offer offer;
  if (!has_settled_ || seat.is_out()) return offer;
  offer.asks = seat.request ? !seat.request->is_asked : ready_request(seat) != requests_.end();
  offer.looks_ahead = seat.lookahead.has_work();
  offer.is_quiet = gate_.is_closed();
  // A device tells of its windows behind the answer to a question that came before.
  const Window window = next_for(seat);
  seat.offers_window = window != nullptr;
  if (!window) return offer;
  offer.has_window = true;
  offer.awaits_gate = awaits_gate(window);
  offer.deadline = window->deadline;
  offer.turn = window->turn;
  if (offer.is_live())
    offer.patience = std::chrono::duration_cast<Time>(window->deadline - window->closed_at);
  offer.n_frames = window->frames.size();
  for (const auto& chunk : window->audio)
    offer.n_samples += static_cast<int64_t>(chunk->samples.size());
  offer.has_pictures = seat.lookahead.has_begun(*window);
  return offer;
}

bool ModelClient::work(DeviceSeat& seat, Schedule::Kind kind, const Desk& desk) {
  if (kind == Schedule::Kind::kAsk) return begin_request(seat, desk);
  if (kind == Schedule::Kind::kGate) return judge_window(seat, desk);
  if (kind == Schedule::Kind::kWindow) return begin_window(seat, desk);
  if (!gate_.is_on()) return seat.lookahead.work(desk.session, {}, desk.pictures_of_others);
  return seat.lookahead.work(
      desk.session, [&](const OpenWindow& window) { return gate_.opens(desk.session, window); },
      desk.pictures_of_others);
}

// Others need its time.
void ModelClient::drop_next(DeviceSeat& seat) {
  std::shared_ptr<AnalysisWindow> window;
  {
    std::lock_guard lock(mutex_);
    if (!next_for(seat)) return;
    window = queue_.pop();
    counters_.count_drops(1, DropReason::kOverload);
  }
  tell_dropped(*window, DropReason::kOverload);
  queue_.done(*window);
  wake_those_with_work();  // a question may have waited for it
}

// They are to be looked at where the next window is made ahead.
void ModelClient::take_back(DeviceSeat& seat, Session& session, const SharedPictures& lent) {
  seat.lookahead.take_back(session, lent);
  std::lock_guard lock(mutex_);
  if (!seats_.empty() && &home() != &seat) seat.lookahead.move_to(home().lookahead);
}

std::shared_ptr<AnalysisWindow> ModelClient::next_window(DeviceSeat& seat) {
  std::shared_ptr<AnalysisWindow> window;
  {
    std::lock_guard lock(mutex_);
    if (!next_for(seat)) return nullptr;
    window = queue_.pop();
    seat.in_work = window;
    seat.began = std::chrono::steady_clock::now();
    seat.lookahead.hand_over(*window);  // before the others pass it over
    begin(window);
    find_home_after(seat, window->deadline != kNoDeadline);
  }
  wake_those_with_work();  // the one after it may be another device's
  return window;
}

// The window has left the queue, and is told of after those before it. Called with the lock.
void ModelClient::begin(const Window& window) {
  telling_.begin(window.get());
  begun_.push_back(window);
  for (const auto& seat : seats_) seat->lookahead.pass_over(*window);
}

// It is told of. Called with the lock.
void ModelClient::end(const AnalysisWindow& window) {
  std::erase_if(begun_, [&](const Window& begun) { return begun.get() == &window; });
}

// Called with the lock.
bool ModelClient::awaits_gate(const Window& window) const {
  return gate_.is_on() && judged_.lock() != window;
}

// It stays in the queue, where it may be dropped meanwhile.
ModelClient::Window ModelClient::window_to_judge(DeviceSeat& seat) {
  std::lock_guard lock(mutex_);
  const Window window = next_for(seat);
  if (!window || !awaits_gate(window)) return nullptr;
  find_home_after(seat, window->deadline != kNoDeadline);
  return window;
}

bool ModelClient::judge_window(DeviceSeat& seat, const Desk& desk) {
  const Window window = window_to_judge(seat);
  if (!window) return false;
  const auto plan = plan_for(desk.session, *window);
  const GateReading reading = gate_.judge(desk.session, *window, *plan);
  if (!reading.is_open) {
    if (take_gated(seat, window, plan)) {
      let_go(desk.session, *window);
      gated(seat, window, reading);
    }
    return true;
  }
  std::lock_guard lock(mutex_);
  if (queue_.front() == window) judged_ = window, reading_ = reading;
  return true;
}

// False when it was dropped meanwhile, or another device is to have it.
bool ModelClient::take_gated(DeviceSeat& seat, const Window& window,
                             const std::shared_ptr<const AskPlan>& plan) {
  std::lock_guard lock(mutex_);
  if (next_for(seat) != window || &seat != &home()) return false;
  queue_.pop()->plan = plan;
  begin(window);
  window->prepared = {};
  gate_.pass_by(*window);
  return true;
}

// Kept before anybody hears of it, as if it was analysed; a question about it encodes it.
void ModelClient::gated(DeviceSeat& seat, const Window& window, const GateReading& reading) {
  telling_.tell(window.get(), [this, &seat, window, reading] {
    Analysis analysis;
    analysis.window = window;
    hold(seat, analysis);
    keep(*window);
    {
      std::lock_guard lock(mutex_);
      end(*window);
      ++counters_.windows_gated;
    }
    listener_.window_gated(*window, reading);
    queue_.done(*window);
  });
}

bool ModelClient::begin_window(DeviceSeat& seat, const Desk& desk) {
  const auto window = next_window(seat);
  if (!window) return false;
  window->plan = plan_for(desk.session, *window);
  const Time needed_from = window->needed_from;
  const bool has_gate = gate_.is_on();
  // The gate compares with its last picture.
  if (has_gate && !window->frames.empty())
    window->needed_from = std::min(needed_from, window->frames.back()->pts);
  Result<Analysis> encoded = encode_window(desk.session, window, [&] { return find_room(seat); });
  if (!encoded) return answered(seat, false, encoded.error()), true;
  if (has_gate) {
    encoded->gate = reading_of(*window);
    gate_.analysed(desk.session, *window);
    window->needed_from = needed_from;
    let_go(desk.session, *window);
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

// The device is free for the next one, also when others have to be told of before this one.
void ModelClient::answered(DeviceSeat& seat, bool is_request, Result<Analysis> analysis) {
  if (is_request) return request_answered(seat, std::move(analysis));
  Window window;
  Failures failures;
  {
    std::lock_guard lock(mutex_);
    window = std::exchange(seat.in_work, nullptr);
    if (!window) return;
    if (analysis) count_time(seat);
    failures = count_failures(seat, analysis);
  }
  for (const Request& request : failures.refused) request_failed(request, analysis.error());
  if (analysis) hold(seat, *analysis);
  const auto outcome = std::make_shared<Result<Analysis>>(std::move(analysis));
  telling_.tell(window.get(), [this, &seat, window, outcome, failures] {
    window_answered(seat, *window, *outcome, failures);
    queue_.done(*window);
    wake_those_with_work();  // questions may have waited for it
  });
}

void ModelClient::window_answered(DeviceSeat& seat, const AnalysisWindow& window,
                                  const Result<Analysis>& analysis, const Failures& failures) {
  if (is_flushed(window) || (!analysis && analysis.error().code == ErrorCode::kCancelled)) {
    cancelled(window);
  } else if (analysis) {
    analysed(seat, *analysis);
  } else if (analysis.error().code == ErrorCode::kOutOfMemory) {
    out_of_memory(window, analysis.error());
  } else {
    failed(seat, window, analysis.error(), failures);
  }
}

// The next window may find what this one did not: other programs come and go.
void ModelClient::out_of_memory(const AnalysisWindow& window, const Error& error) {
  gate_.forget();
  {
    std::lock_guard lock(mutex_);
    end(window);
    counters_.count_drops(1, DropReason::kOutOfMemory);
  }
  tell_dropped(window, DropReason::kOutOfMemory, error.message);
}

// While others had to be told of before it, too.
bool ModelClient::is_flushed(const AnalysisWindow& window) const {
  std::lock_guard lock(mutex_);
  return window.epoch != epoch_;
}

void ModelClient::cancelled(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  end(window);
  const bool flushed = window.epoch != epoch_;
  counters_.count_drops(1, flushed ? DropReason::kFlush : DropReason::kStopped);
}

// Kept before anybody hears of the window: who does may ask about it.
void ModelClient::analysed(DeviceSeat& seat, const Analysis& analysis) {
  keep(*analysis.window);
  count(seat, analysis);
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

// For `ask`. What is encoded belongs to its device's kept windows as soon as it is answered, not
// only when its turn comes to be told of: it has memory that the next window may want.
void ModelClient::hold(DeviceSeat& seat, Analysis& analysis) {
  {
    std::lock_guard lock(mutex_);
    if (analysis.window->epoch == epoch_ && !seat.is_out()) seat.model->kept().add(this, analysis);
  }
  analysis.encoded = nullptr;
}

// From now on it counts among those that are kept.
void ModelClient::keep(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  if (window.epoch != epoch_) return;
  kept_.push_back(window.start);
  keep_no_more();
}

// Each device keeps as many as are wanted, and all of them together no more. Called with the lock.
void ModelClient::keep_no_more() {
  while (kept_.size() > std::max<size_t>(keep_windows_, 1)) kept_.pop_front();
  if (seats_.size() < 2 || kept_.empty()) return;
  for (const auto& seat : seats_) seat->model->kept().forget_before(this, kept_.front());
}

// On the worker, for a window in work: memory of windows that were begun and of those that are
// kept, its own element's, then those of others; false when nobody has any to give.
bool ModelClient::find_room(DeviceSeat& seat) {
  const bool freed = seat.lookahead.free_room();
  return seat.model->take_room() || freed;
}

void ModelClient::count(DeviceSeat& seat, const Analysis& analysis) {
  const AnalysisWindow& window = *analysis.window;
  std::lock_guard lock(mutex_);
  end(window);
  ++seat.n_completed;
  counters_.count_completed(analysis.inference_time, since(window.closed_at));
  counters_.analysed += std::max(Time(0), window.stop - std::max(window.start, analysed_until_));
  if (window.epoch == epoch_) analysed_until_ = window.stop;  // else a flush came meanwhile
}

void ModelClient::failed(DeviceSeat& seat, const AnalysisWindow& window, const Error& error,
                         const Failures& failures) {
  gate_.forget();
  {
    std::lock_guard lock(mutex_);
    end(window);
    ++seat.n_failed;
    ++counters_.windows_failed;
  }
  listener_.window_failed(window, error, failures.in_a_row);
  if (!failures.left_out.empty()) listener_.device_left_out(failures.left_out, error);
}

}  // namespace vidi
