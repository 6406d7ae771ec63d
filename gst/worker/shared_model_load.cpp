// The worker's thread: the model is loaded, leaves its device and comes back, and clients hear of
// it.
#include <algorithm>
#include <utility>

#include "gst/worker/shared_model.h"

namespace vidi {

void SharedModel::unload(std::unique_lock<std::mutex>& lock) {
  unloaded_ = true;
  tell(lock, false, [](WorkSource& client) { client.free_ahead(); });
  lock.unlock();
  session_->unload();
  const int64_t memory = session_->device_memory_bytes();
  lock.lock();
  memory_ = memory;
  state_ = ModelState::kUnloaded;
  tell(lock, false, [](WorkSource& client) { client.on_unloaded(nullptr); });
}

// Where they cannot be loaded, one piece of what waits for them fails; the next is another try.
void SharedModel::load_for_work(std::unique_lock<std::mutex>& lock) {
  if (!work_waits_) return;
  load_again(lock);
  if (!unloaded_ || stopping_) return;
  serve_next(lock);
  if (anybody_has_work(lock)) work_waits_ = true;
}

bool SharedModel::anybody_has_work(std::unique_lock<std::mutex>& lock) {
  const Schedule::Offers offers = ask_for_offers(lock);
  return std::any_of(offers.begin(), offers.end(), [](const auto& client) {
    return client.second.asks || client.second.has_window;
  });
}

// Everybody hears that it is ready, as at first.
void SharedModel::load_again(std::unique_lock<std::mutex>& lock) {
  state_ = ModelState::kLoading;
  tell(lock, false, [](WorkSource& client) { client.on_loading(); });
  lock.unlock();
  const Result<bool> loaded = session_->load(cancel_load_);
  const ModelInfo info = session_->info();
  const int64_t memory = session_->device_memory_bytes();
  lock.lock();
  memory_ = memory;
  if (!loaded) {
    state_ = ModelState::kUnloaded;
    could_load_ = false;
    return tell(lock, false, [&](WorkSource& client) { client.on_unloaded(&loaded.error()); });
  }
  info_ = info;
  state_ = ModelState::kReady;
  unloaded_ = false, could_load_ = true;
  for (Seat& seat : seats_) seat.told = seat.failed;
  last_work_ = std::chrono::steady_clock::now();
}

void SharedModel::load() {
  Result<std::unique_ptr<Session>> opened = open_session();
  std::lock_guard lock(mutex_);
  if (opened) {
    session_ = std::move(*opened);
    info_ = session_->info();
    memory_ = session_->device_memory_bytes();
    state_ = ModelState::kReady;
  } else {
    error_ = opened.error();
    state_ = ModelState::kFailed;
  }
  changed_.notify_all();
}

Result<std::unique_ptr<Session>> SharedModel::open_session() {
  try {
    OpenOptions options;
    options.folder = key_.folder;
    options.device = key_.device;
    options.split_windows = key_.split_windows;
    options.precision = key_.precision;
    options.memory_limit = key_.memory_limit;
    options.weights = key_.weights;
    options.keys = key_.keys;
    options.window_seconds = key_.longest.seconds;
    options.window_frames = key_.longest.frames;
    options.window_shared_frames = key_.longest.shared_frames;
    options.progress = [this](double fraction) { tell_progress(fraction); };
    Result<std::unique_ptr<Session>> opened = api_.open(options, cancel_load_);
    if (opened && !*opened) return Error{ErrorCode::kInternal, "The engine opened no session."};
    return opened;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kOutOfMemory,
                 std::string("The model could not be loaded: ") + e.what() + "."};
  }
}

void SharedModel::tell_progress(double fraction) {
  std::unique_lock lock(mutex_);
  tell(lock, true, [fraction](WorkSource& client) { client.on_progress(fraction); });
}

// Those who have heard that it is ready, or `all`. They may come and go while one is called.
void SharedModel::tell(std::unique_lock<std::mutex>& lock, bool all,
                       const std::function<void(WorkSource&)>& what) {
  const std::vector<Seat> seats = seats_;
  for (const Seat& seat : seats) {
    const bool hears = all ? seated(seat.client) : was_told(seat.client);
    if (stopping_ || !hears || seat.failed) continue;
    call(lock, seat.client, [&] { what(*seat.client); });
  }
}

bool SharedModel::has_newcomer() const {
  return std::any_of(seats_.begin(), seats_.end(), [](const Seat& seat) { return !seat.told; });
}

// Weights that are away come back with the first work.
void SharedModel::tell_newcomers(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const auto seat =
        std::find_if(seats_.begin(), seats_.end(), [](const Seat& s) { return !s.told; });
    if (seat == seats_.end()) return;
    seat->told = true, seat->failed = error_.has_value();
    WorkSource* client = seat->client;
    const bool unloaded = unloaded_;
    call(lock, client, [&] {
      if (error_) return client->on_failed(*error_);
      client->on_ready(info_);
      if (unloaded) client->on_unloaded(nullptr);
    });
  }
}

}  // namespace vidi
