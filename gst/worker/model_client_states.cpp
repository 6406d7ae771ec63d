// What the devices of an element say of themselves, told as of one: loading, ready, failed, left
// out.
#include <algorithm>
#include <utility>

#include "gst/worker/model_client.h"

namespace vidi {
namespace {

void add_to(std::string& list, const std::string& what) {
  list += (list.empty() ? "" : ",") + what;
}

// "fp16", or "fp16,fp32" where devices differ.
void add_other(std::string& list, const std::string& what) {
  if (list.empty()) list = what;
  if (list != what) add_to(list, what);
}

}  // namespace

// Of several devices as of one: their names, the slowest to load, the weights of all.
ModelInfo ModelClient::joint_info() const {
  ModelInfo joint;
  bool is_first = true;
  for (const auto& seat : seats_) {
    if (seat->is_out()) continue;
    if (std::exchange(is_first, false)) {
      joint = seat->info;
      continue;
    }
    add_to(joint.device, seat->info.device);
    add_other(joint.precision, seat->info.precision);
    add_other(joint.weights, seat->info.weights);
    add_other(joint.keys, seat->info.keys);
    if (joint.plan.empty()) joint.plan = seat->info.plan;
    joint.weight_bytes += seat->info.weight_bytes;
    joint.load_seconds = std::max(joint.load_seconds, seat->info.load_seconds);
  }
  return joint;
}

void ModelClient::on_progress(DeviceSeat& seat, double fraction) {
  double sum = 0, n = 0;
  {
    std::lock_guard lock(mutex_);
    seat.progress = fraction;
    for (const auto& each : seats_) sum += each->progress, ++n;
  }
  if (n > 0) listener_.model_progress(sum / n);
}

// One that has given up hears no more of the model.
void ModelClient::on_ready(DeviceSeat& seat, const ModelInfo& info) {
  std::unique_lock lock(mutex_);
  if (useless_) return;
  seat.info = info, seat.device = info.device;
  seat.state = ModelState::kReady;
  seat.has_settled = true;
  if (!has_settled_) return settle(lock);
  if (told_ == ModelState::kReady || seat.is_out()) return;
  told_ = ModelState::kReady;
  const ModelInfo joint = joint_info();
  lock.unlock();
  telling_.say([this, joint] { listener_.model_ready(joint); });
  wake_those_with_work();
}

void ModelClient::on_failed(DeviceSeat& seat, const Error& error) {
  std::unique_lock lock(mutex_);
  seat.state = ModelState::kFailed;
  seat.has_settled = true;
  seat.why_out = error;
  settle(lock);
}

// Once it is known of each: they begin together, without those that failed, unless all did. Called
// with the lock, which it gives back.
void ModelClient::settle(std::unique_lock<std::mutex>& lock) {
  const auto has_settled = [](const auto& seat) { return seat->has_settled; };
  if (!std::all_of(seats_.begin(), seats_.end(), has_settled)) return lock.unlock();
  std::vector<std::pair<std::string, Error>> left_out;
  for (const auto& seat : seats_)
    if (seat->is_out()) left_out.emplace_back(seat->device, *seat->why_out);
  if (left_out.size() == seats_.size()) {
    lock.unlock();
    give_up();
    return telling_.say([this, error = left_out.front().second] { listener_.model_failed(error); });
  }
  if (home().is_out()) set_home(least_wanted());
  has_settled_ = true;
  told_ = ModelState::kReady;
  const ModelInfo info = joint_info();
  counters_.device = info.device;
  counters_.precision = info.precision;
  counters_.weights = info.weights;
  counters_.keys = info.keys;
  counters_.plan = info.plan;
  counters_.why_no_gpu = info.why_no_gpu;
  lock.unlock();
  for (const auto& out : left_out)
    telling_.say([this, out] { listener_.device_left_out(out.first, out.second); });
  telling_.say([this, info] { listener_.model_ready(info); });
  wake_those_with_work();
}

// Said when it is the last whose weights were there. A device whose weights had left it before the
// others were loaded is told of with the next one.
void ModelClient::on_unloaded(DeviceSeat& seat, const Error* why) {
  {
    std::lock_guard lock(mutex_);
    seat.state = ModelState::kUnloaded;
    const bool one_is_there = std::any_of(seats_.begin(), seats_.end(), [](const auto& each) {
      return !each->is_out() && each->state != ModelState::kUnloaded;
    });
    if (useless_ || !has_settled_ || seat.is_out() || one_is_there) return;
    told_ = ModelState::kUnloaded;
  }
  telling_.say([this, error = why ? std::optional(*why) : std::nullopt] {
    listener_.model_unloaded(error ? &*error : nullptr);
  });
}

void ModelClient::on_loading(DeviceSeat& seat) {
  {
    std::lock_guard lock(mutex_);
    seat.state = ModelState::kLoading;
    if (useless_ || seat.is_out() || told_ != ModelState::kUnloaded) return;
    told_ = ModelState::kLoading;
  }
  telling_.say([this] { listener_.model_loading(); });
}

// While one device works the others' failures are theirs: what is told is how many there are in a
// row on the device that has the fewest. Called with the lock.
ModelClient::Failures ModelClient::count_failures(DeviceSeat& seat,
                                                  const Result<Analysis>& analysis) {
  Failures failures;
  if (analysis) seat.failures_in_a_row = 0;
  if (analysis || analysis.error().code == ErrorCode::kCancelled ||
      analysis.error().code == ErrorCode::kOutOfMemory)
    return failures;
  if (++seat.failures_in_a_row >= kFailuresUntilBroken && n_live() > 1 && !seat.is_out()) {
    failures.refused = leave(seat, analysis.error());
    failures.left_out = seat.device;
  }
  failures.in_a_row = seat.failures_in_a_row;
  for (const auto& other : seats_)
    if (!other->is_out()) failures.in_a_row = std::min(failures.in_a_row, other->failures_in_a_row);
  failures.in_a_row = std::max(failures.in_a_row, 1);
  return failures;
}

// What it holds goes, and nothing more is asked of it. Its thread goes when the element stops.
// Questions about what it held are returned, to be refused: the windows that other devices hold are
// asked about there already. Called with the lock.
std::vector<Request> ModelClient::leave(DeviceSeat& seat, const Error& error) {
  seat.why_out = error;
  seat.model->kept().forget(this);
  std::vector<Request> refused;
  if (auto rest = rest_of_request(seat)) refused.push_back(std::move(*rest));
  std::erase_if(requests_, [&](Request& request) {
    if (request.seat != &seat) return false;
    request.seat = nullptr;
    if (!request.window) refused.push_back(request);
    return !request.window;
  });
  if (&home() == &seat) set_home(least_wanted());
  seat.lookahead.forget();
  counters_.device = joint_info().device;
  return refused;
}

}  // namespace vidi
