// Questions about windows: which is next, and what comes of it.
#include <algorithm>
#include <utility>

#include "gst/worker/model_client.h"

namespace vidi {

// The first request whose window is there. One whose window is still to come stays. Called with the
// lock.
std::deque<ModelClient::Request>::iterator ModelClient::ready_request() {
  return std::find_if(requests_.begin(), requests_.end(), [this](const Request& request) {
    return request.window || !comes(request.start, request.stop) ||
           !model_->kept().overlapping(this, request.start, request.stop).empty();
  });
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

}  // namespace vidi
