// The devices of an element: whether they are there, which is next, which is left out.
#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/worker/model_client.h"

namespace vidi {
namespace {

// Windows of each device that may have been begun and not told of, so that one that is slow does
// not let the others run far ahead of what is told.
constexpr size_t kMostUntold = 2;

// What a device takes for a window is half forgotten after 0.7 times so many of others.
constexpr int kFading = 64;

// Windows that take less are all the same.
constexpr Time kShort = std::chrono::milliseconds(50);

}  // namespace

void DeviceSeat::on_progress(double fraction) { client_.on_progress(*this, fraction); }
void DeviceSeat::on_ready(const ModelInfo& info) { client_.on_ready(*this, info); }
void DeviceSeat::on_failed(const Error& error) { client_.on_failed(*this, error); }
void DeviceSeat::on_unloaded(const Error* why) { client_.on_unloaded(*this, why); }
void DeviceSeat::on_loading() { client_.on_loading(*this); }
Offer DeviceSeat::offer() { return client_.offer(*this); }
bool DeviceSeat::work(Schedule::Kind kind, const Desk& desk) {
  return client_.work(*this, kind, desk);
}
void DeviceSeat::answered(bool is_request, Result<Analysis> analysis) {
  client_.answered(*this, is_request, std::move(analysis));
}
void DeviceSeat::drop_next() { client_.drop_next(*this); }
void DeviceSeat::must_wait() { client_.wake_those_with_work(); }
void DeviceSeat::take_back(Session& session, const SharedPictures& lent) {
  client_.take_back(*this, session, lent);
}

ModelClient::Seats ModelClient::seats() const {
  std::lock_guard lock(mutex_);
  return seats_;
}

size_t ModelClient::n_live() const {
  return static_cast<size_t>(std::count_if(seats_.begin(), seats_.end(),
                                           [](const auto& seat) { return !seat->is_out(); }));
}

// A device whose weights are away shall not load them for nothing. Called with the lock.
std::vector<std::shared_ptr<SharedModel>> ModelClient::with_work() {
  std::vector<std::shared_ptr<SharedModel>> models;
  for (const auto& seat : seats_) {
    if (next_for(*seat) || ready_request(*seat) != requests_.end()) models.push_back(seat->model);
  }
  return models;
}

void ModelClient::wake() {
  std::vector<std::shared_ptr<SharedModel>> models;
  {
    std::lock_guard lock(mutex_);
    if (seats_.empty()) return;
    models = seats_.size() > 1 ? with_work() : decltype(models){home().model};
  }
  for (const auto& model : models) model->wake();
}

// Something has ended, or was begun, on one device, which looks for more by itself.
void ModelClient::wake_those_with_work() {
  std::vector<std::shared_ptr<SharedModel>> models;
  {
    std::lock_guard lock(mutex_);
    if (seats_.size() > 1) models = with_work();
  }
  for (const auto& model : models) model->wake();
}

void ModelClient::wake_ahead() {
  std::shared_ptr<SharedModel> model;
  {
    std::lock_guard lock(mutex_);
    if (!seats_.empty()) model = home().model;
  }
  if (model) model->wake_ahead();
}

// The device that the fewest elements are at home with.
size_t ModelClient::least_wanted() const {
  size_t best = seats_.size();
  for (size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i]->is_out()) continue;
    if (best == seats_.size() || seats_[i]->model->n_homes() < seats_[best]->model->n_homes())
      best = i;
  }
  return best == seats_.size() ? 0 : best;
}

// What waits to be made ahead goes with it; the gate compares with features of the device before.
void ModelClient::set_home(size_t seat) {
  if (seat == home_) return;
  home().model->count_home(-1);
  home().lookahead.move_to(seats_[seat]->lookahead);
  home_ = seat;
  home().model->count_home(1);
  is_home_new_ = true;
  gate_.forget();
}

// Where the window after this one is made ahead: a camera's follows it, a file's next device that
// has nothing of it to do is soon free.
void ModelClient::find_home_after(const DeviceSeat& taker, bool is_live) {
  if (seats_.size() == 1) return;
  const size_t n = seats_.size();
  const auto at =
      static_cast<size_t>(std::find_if(seats_.begin(), seats_.end(),
                                       [&](const auto& seat) { return seat.get() == &taker; }) -
                          seats_.begin());
  if (is_live || gate_.is_on()) return set_home(at);
  size_t next = at;
  for (size_t i = 1; i < n; ++i) {
    const DeviceSeat& other = *seats_[(at + i) % n];
    if (other.is_out()) continue;
    const bool is_free = !other.is_engaged() && pays(other);
    if (next == at || is_free) next = (at + i) % n;
    if (is_free) break;
  }
  set_home(next);
}

// A device has nothing to do, for anybody.
bool ModelClient::one_is_free() const {
  return std::any_of(seats_.begin(), seats_.end(), [this](const auto& seat) {
    return !seat->is_out() && seat->state == ModelState::kReady && !seat->is_engaged() &&
           pays(*seat);
  });
}

// Whether a file's windows come sooner with this device's help. While it has one, the others may
// begin no more than kMostUntold each, since they are told of in order: where it takes longer than
// the quickest for all of these, that one is better alone.
bool ModelClient::pays(const DeviceSeat& seat) const {
  Time quickest = seat.took;
  for (const auto& each : seats_)
    if (!each->is_out() && each->took > Time(0)) quickest = std::min(quickest, each->took);
  return seat.took <= static_cast<Time::rep>(kMostUntold * n_live()) * quickest;
}

// It has answered. What the others are known to take fades, so that one that was slow is tried
// again.
void ModelClient::count_time(DeviceSeat& seat) {
  if (!std::exchange(seat.is_warm, true)) return;
  const auto took = std::max(kShort, Time(std::chrono::steady_clock::now() - seat.began));
  seat.took = seat.took > Time(0) ? (3 * seat.took + took) / 4 : took;
  for (const auto& other : seats_)
    if (other.get() != &seat) other->took -= other->took / kFading;
}

// Whether the device may begin that window, the next of the queue. With a gate each window is
// judged by the one before it, so there is one at a time.
bool ModelClient::may_take(const DeviceSeat& seat, const AnalysisWindow& window) const {
  if (seat.is_busy() || seat.is_out()) return false;
  if (seats_.size() == 1) return true;
  if (begun_.size() >= (gate_.is_on() ? 1 : kMostUntold * n_live())) return false;
  const DeviceSeat& at_home = home();
  const bool is_live = window.deadline != kNoDeadline;
  if (!is_live && (!pays(seat) || (seat.is_engaged() && one_is_free()))) return false;
  if (&seat == &at_home) return true;
  if (!is_live && !pays(at_home)) return true;  // which takes none, whether it is loaded or not
  if (at_home.state != ModelState::kReady) return seat.state == ModelState::kReady;
  if (!is_live && at_home.is_engaged()) return true;
  const Time stride = is_live ? window.stride() : Time(0);
  // Work of other elements counts, too: theirs is not seen in is_busy(). The window itself does
  // not, once it is offered there.
  const Time its = seat.offers_window ? seat.model->window_cost() : Time(0);
  return at_home.model->backlog() > std::max(Time(0), seat.model->backlog() - its) + stride;
}

ModelClient::Window ModelClient::next_for(const DeviceSeat& seat) const {
  if (!has_settled_) return nullptr;
  Window window = queue_.front();
  return window && may_take(seat, *window) ? window : nullptr;
}

}  // namespace vidi
