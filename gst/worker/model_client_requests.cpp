// Questions about windows: which device has them, which is next, and what comes of it.
#include <algorithm>
#include <utility>

#include "gst/worker/model_client.h"

namespace vidi {
namespace {

constexpr size_t kMostRequests = 1000;  // that wait

}  // namespace

ModelClient::Asked ModelClient::ask(std::shared_ptr<const AskPlan> plan, Time start, Time stop,
                                    std::shared_ptr<AnalysisWindow> window) {
  {
    std::lock_guard lock(mutex_);
    if (useless_ || stopping_ || seats_.empty()) return Asked::kNothing;
    if (!window && !is_kept(start, stop) && !comes(start, stop))
      return gave_way(start, stop) ? Asked::kGaveWay : Asked::kNothing;
    if (requests_.size() >= kMostRequests) return Asked::kTooMany;
    requests_.push_back(
        {std::move(plan), start, stop, std::move(window), std::make_shared<Cancel>()});
  }
  wake();
  return Asked::kYes;
}

// Called with the lock, as what follows.
bool ModelClient::is_kept(Time start, Time stop) const {
  return std::any_of(seats_.begin(), seats_.end(), [&](const auto& seat) {
    return !seat->model->kept().overlapping(this, start, stop).empty();
  });
}

bool ModelClient::gave_way(Time start, Time stop) const {
  return std::any_of(seats_.begin(), seats_.end(), [&](const auto& seat) {
    return seat->model->kept().gave_way(this, start, stop);
  });
}

// Whether a window of that time waits, or is in work.
bool ModelClient::comes(Time start, Time stop) const {
  return queue_.waits_for(start, stop) ||
         std::any_of(begun_.begin(), begun_.end(), [&](const Window& window) {
           return window->start < stop && start < window->stop;
         });
}

// From one window to the next, wherever that is.
bool ModelClient::covers(Time start, Time stop) const {
  std::lock_guard lock(mutex_);
  for (Time before = start; start < stop; before = start) {
    for (const auto& seat : seats_) start = seat->model->kept().covered_until(this, start);
    if (start == before) return false;
  }
  return !seats_.empty();
}

// Those whose windows are there go to the devices that hold them, as one question each; without
// any it is home that says so. One whose window is still to come stays.
void ModelClient::place_requests() {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i].seat) continue;
    const Request request = requests_[i];
    std::vector<const DeviceSeat*> holders;
    if (!request.window) {
      for (const auto& seat : seats_)
        if (!seat->model->kept().overlapping(this, request.start, request.stop).empty())
          holders.push_back(seat.get());
      if (holders.empty() && comes(request.start, request.stop)) continue;
    }
    requests_[i].seat = holders.empty() ? &home() : holders.front();
    for (size_t more = 1; more < holders.size(); ++more) {
      const auto next = requests_.begin() + static_cast<std::ptrdiff_t>(++i);
      requests_.insert(next, request)->seat = holders[more];
    }
  }
}

std::deque<Request>::iterator ModelClient::ready_request(const DeviceSeat& seat) {
  if (!has_settled_ || seat.is_out()) return requests_.end();
  place_requests();
  return std::find_if(requests_.begin(), requests_.end(),
                      [&](const Request& request) { return request.seat == &seat; });
}

// The one in work goes on with its next window.
bool ModelClient::take_request(DeviceSeat& seat) {
  std::lock_guard lock(mutex_);
  if (seat.request) return !std::exchange(seat.request->is_asked, true);
  const auto ready = ready_request(seat);
  if (ready == requests_.end()) return false;
  seat.request = std::move(*ready);
  requests_.erase(ready);
  Request& request = *seat.request;
  request.encoded = seat.model->kept().overlapping(this, request.start, request.stop);
  request.is_asked = true;
  return true;
}

bool ModelClient::begin_request(DeviceSeat& seat, const Desk& desk) {
  if (!take_request(seat)) return false;
  Request request;  // the worker's copy
  {
    std::lock_guard lock(mutex_);
    if (!seat.request) return true;
    request = *seat.request;
    if (!request.encoded.empty()) seat.request->encoded.erase(seat.request->encoded.begin());
  }
  if (request.window) {
    request.window->plan = request.plan;
    request.window->cancel = request.cancel;
    encode_request(seat, desk, request.window);
  } else if (request.encoded.empty()) {
    const bool went = seat.model->kept().gave_way(this, request.start, request.stop);
    request_answered(seat, Error{ErrorCode::kNotFound,
                                 went ? "its window is kept no longer: its memory was needed"
                                      : "its window was dropped or failed"});
  } else {
    auto kept = with_questions(request.encoded.front(), request.plan, request.cancel);
    if (kept.encoded)
      desk.answer(std::move(kept), true);
    else
      encode_request(seat, desk, kept.window);
  }
  return true;
}

void ModelClient::encode_request(DeviceSeat& seat, const Desk& desk, Window window) {
  auto encoded = encode_window(desk.session, window, [&] { return find_room(seat); });
  if (encoded)
    desk.answer(std::move(*encoded), true);
  else
    request_answered(seat, encoded.error());
}

void ModelClient::end_request(DeviceSeat& seat) {
  std::lock_guard lock(mutex_);
  seat.request.reset();
}

// One of its windows; those that are left follow unless there is no answer.
void ModelClient::request_answered(DeviceSeat& seat, Result<Analysis> analysis) {
  Request request;
  {
    std::lock_guard lock(mutex_);
    if (!seat.request) return;
    request = *seat.request;
    seat.request->is_asked = false;
  }
  const bool is_refused = analysis && !analysis->refusals.front().empty();
  if (request.encoded.empty() || !analysis || is_refused) end_request(seat);
  if (!analysis) return request_failed(request, analysis.error());
  if (is_refused)
    return request_failed(request, {ErrorCode::kBadInput, analysis->refusals.front()});
  telling_.say([this, answered = std::make_shared<Analysis>(std::move(*analysis))] {
    listener_.request_answered(*answered);
  });
  refuse_rest(seat);
}

// The device was left out while it was at it.
void ModelClient::refuse_rest(DeviceSeat& seat) {
  std::optional<Request> rest;
  Error why;
  {
    std::lock_guard lock(mutex_);
    rest = rest_of_request(seat);
    if (rest) why = *seat.why_out;
  }
  if (rest) request_failed(*rest, why);
}

// Of one that is in work on a device that does nothing more, what nobody is at. Called with the
// lock.
std::optional<Request> ModelClient::rest_of_request(DeviceSeat& seat) {
  if (!seat.is_out() || !seat.request || seat.request->is_asked) return std::nullopt;
  return std::exchange(seat.request, std::nullopt);
}

void ModelClient::request_failed(const Request& request, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;
  telling_.say([this, id = request.plan->questions.front().id, why = error.message] {
    listener_.request_failed(id, why);
  });
}

}  // namespace vidi
