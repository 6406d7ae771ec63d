#include "gst/worker/shared_model.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vidi {
namespace {

// Every model in use. Never destroyed: an element may be freed while the process ends.
struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<SharedModel>> models;
};
Registry& registry() {
  static Registry& all = *new Registry;
  return all;
}

}  // namespace

std::shared_ptr<SharedModel> SharedModel::acquire(const EngineApi& api, const ModelKey& key) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::erase_if(all.models, [](const auto& model) { return model.expired(); });
  for (const auto& weak : all.models) {
    std::shared_ptr<SharedModel> model = weak.lock();
    if (model && &model->api_ == &api && model->key_ == key) return model;
  }
  auto model = std::make_shared<SharedModel>(api, key);
  all.models.push_back(model);
  return model;
}

SharedModel::SharedModel(const EngineApi& api, ModelKey key) : api_(api), key_(std::move(key)) {}

SharedModel::~SharedModel() {
  std::unique_lock lock(mutex_);
  if (thread_.joinable()) end_thread(lock);
}

void SharedModel::attach(WorkSource* client) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !stopping_; });  // the thread before this one is on its way out
  if (seated(client)) return;
  seats_.push_back({client, ++last_id_});
  changed_.notify_all();
  if (thread_.joinable()) return;

  state_ = ModelState::kLoading;
  cancel_load_.reset();
  error_.reset();
  try {
    thread_ = std::thread([this] { run(); });
    worker_ = thread_.get_id();
  } catch (const std::exception& e) {
    const Error error{ErrorCode::kInternal,
                      std::string("The model's thread could not be started: ") + e.what() + "."};
    state_ = ModelState::kFailed;
    leave_seat(client);
    lock.unlock();
    client->on_failed(error);  // there is no worker that could say it
  }
}

void SharedModel::detach(WorkSource* client) {
  std::unique_lock lock(mutex_);
  leave_seat(client);
  if (std::this_thread::get_id() == worker_) {
    // Waiting would be for ever. The thread stays until the next detach, or the model's end.
    std::fputs("vidi: SharedModel::detach must not be called from the model's thread\n", stderr);
    return;
  }
  if (seats_.empty() && thread_.joinable() && !stopping_) {
    end_thread(lock);
  } else {
    changed_.wait(lock, [&] { return !is_called(client); });
  }
}

// The lock is free while the thread ends: attach() waits for that. Calls into clients end before
// it.
void SharedModel::end_thread(std::unique_lock<std::mutex>& lock) {
  stopping_ = true;
  cancel_load_.cancel();
  cancel_pass_.cancel();
  changed_.notify_all();
  std::thread ending = std::move(thread_);
  lock.unlock();
  ending.join();
  lock.lock();
  stopping_ = false;
  worker_ = {};
  state_ = ModelState::kUnloaded;
  memory_ = 0;
  changed_.notify_all();
}

bool SharedModel::seated(const WorkSource* client) const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [&](const Seat& seat) { return seat.client == client; });
}

bool SharedModel::was_told(const WorkSource* client) const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [&](const Seat& seat) { return seat.client == client && seat.told; });
}

void SharedModel::leave_seat(const WorkSource* client) {
  for (size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].client != client) continue;
    seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  changed_.notify_all();  // whoever waits for this client's model stops waiting
}

void SharedModel::wake() {
  std::lock_guard lock(mutex_);
  work_waits_ = true;
  changed_.notify_all();
}

void SharedModel::wake_ahead() {
  std::lock_guard lock(mutex_);
  if (unloaded_ && !could_load_) return;
  work_waits_ = true;
  changed_.notify_all();
}

bool SharedModel::wait_until_loaded(const WorkSource* client) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !seated(client) || (was_told(client) && !is_called(client)); });
  return std::any_of(seats_.begin(), seats_.end(), [&](const Seat& seat) {
    return seat.client == client && seat.told && !seat.failed;  // it may be unloaded again by now
  });
}

ModelState SharedModel::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

int64_t SharedModel::device_memory_bytes() const {
  std::lock_guard lock(mutex_);
  return memory_;
}

const SharedModel::Seat* SharedModel::seat_of(ClientId id) const {
  const auto found = std::find_if(seats_.begin(), seats_.end(),
                                  [id](const Seat& seat) { return seat.id == id && seat.told; });
  return found == seats_.end() ? nullptr : &*found;
}

bool SharedModel::is_called(const WorkSource* client) const {
  return std::find(calls_.begin(), calls_.end(), client) != calls_.end();
}

// Calls into a client without the lock; detach() waits for it.
void SharedModel::call(std::unique_lock<std::mutex>& lock, WorkSource* client,
                       const std::function<void()>& what) {
  calls_.push_back(client);
  lock.unlock();
  try {
    what();
  } catch (...) {
    // A client's exception must not end the process; it counts as no work.
  }
  lock.lock();
  calls_.erase(std::find(calls_.begin(), calls_.end(), client));
  changed_.notify_all();
}

std::vector<std::shared_ptr<SharedModel>> SharedModel::others_in_use() const {
  std::vector<std::shared_ptr<SharedModel>> others;
  std::lock_guard lock(registry().mutex);
  for (const auto& weak : registry().models) {
    if (auto model = weak.lock(); model && model.get() != this) others.push_back(model);
  }
  return others;
}

}  // namespace vidi
