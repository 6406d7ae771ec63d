#include "gst/worker/shared_model.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

#include "gst/thread_priority.h"
#include "gst/worker/device_list.h"

namespace vidi {
namespace {

constexpr uint64_t kLongestPatience = 86'400'000'000'000;  // ns, a day

constexpr int kNice = 5;  // the model computes on the processor that the stream needs

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

// The worker's thread, from here on.

void SharedModel::run() {
  if (may_be_cpu(key_.device)) yield_to_streaming_threads(kNice);
  load();
  std::unique_lock lock(mutex_);
  last_work_ = std::chrono::steady_clock::now();
  while (!stopping_) {
    if (unloaded_) load_for_work(lock);
    tell_newcomers(lock);
    if (!unloaded_ && serve_next(lock)) {
      last_work_ = std::chrono::steady_clock::now();
    } else {
      wait_for_work(lock);
    }
  }
  unloaded_ = false, could_load_ = true;
  lock.unlock();
  answering_.forget_all();
  session_.reset();  // slow: without the lock, which state() needs
}

void SharedModel::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto comes = [&] { return stopping_ || work_waits_ || has_newcomer(); };
  if (key_.unload_after == 0 || unloaded_ || !session_) return changed_.wait(lock, comes);
  const std::chrono::nanoseconds patience(std::min(key_.unload_after, kLongestPatience));
  if (!changed_.wait_until(lock, last_work_ + patience, comes)) unload(lock);
}

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
template <class Call>
void SharedModel::tell(std::unique_lock<std::mutex>& lock, bool all, Call what) {
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

const SharedModel::Seat* SharedModel::seat_of(ClientId id) const {
  const auto found = std::find_if(seats_.begin(), seats_.end(),
                                  [id](const Seat& seat) { return seat.id == id && seat.told; });
  return found == seats_.end() ? nullptr : &*found;
}

Schedule::Offers SharedModel::ask_for_offers(std::unique_lock<std::mutex>& lock) {
  Schedule::Offers offers;
  const std::vector<Seat> seats = seats_;
  for (const Seat& seat : seats) {
    if (stopping_ || !seat.told || !seat_of(seat.id)) continue;
    call(lock, seat.client, [&] { offers[seat.id] = seat.client->offer(); });
  }
  schedule_.forget_all_but(offers);
  return offers;
}

// One piece of work; false when there is none that can be done.
bool SharedModel::serve_next(std::unique_lock<std::mutex>& lock) {
  work_waits_ = false;
  if (!session_) return false;
  const bool told = tell_outcomes(lock);
  const Schedule::Offers offers = ask_for_offers(lock);
  estimate_backlog(offers);
  if (drop_one(lock, offers)) return true;
  const auto now = std::chrono::steady_clock::now();
  bool has_room = true;  // the first window that has none keeps the later ones waiting
  for (const Schedule::Turn& turn : schedule_.order(offers, answering_.under_way(), now)) {
    if (stopping_) break;
    const bool is_window = turn.kind == Schedule::Kind::kWindow;
    if (is_window && !has_room) continue;
    const auto offer = offers.find(turn.client);
    if (is_window && !admit(lock, turn.client, offer->second)) {
      has_room = false;
      continue;
    }
    if (serve(lock, turn, offer == offers.end() ? Offer() : offer->second)) return true;
  }
  return told;
}

void SharedModel::estimate_backlog(const Schedule::Offers& offers) {
  const auto n_waiting = std::count_if(offers.begin(), offers.end(),
                                       [](const auto& client) { return client.second.has_window; });
  backlog_ =
      (static_cast<Time::rep>(answering_.n_windows()) + n_waiting) * schedule_.cost().count();
}

bool SharedModel::serve(std::unique_lock<std::mutex>& lock, const Schedule::Turn& turn,
                        const Offer& offer) {
  const bool is_pass = turn.kind == Schedule::Kind::kPass;
  const bool is_live =
      is_pass ? answering_.under_way().live : offer.is_live() || turn.kind == Schedule::Kind::kAsk;
  const auto begin = std::chrono::steady_clock::now();
  if (!(is_pass ? pass(lock) : let_work(lock, turn, offer))) return false;
  schedule_.did(turn, is_live,
                std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - begin));
  return true;
}

bool SharedModel::let_work(std::unique_lock<std::mutex>& lock, const Schedule::Turn& turn,
                           const Offer& offer) {
  const Seat* seat = seat_of(turn.client);
  if (!seat) return false;
  WorkSource* client = seat->client;
  const auto begin = std::chrono::steady_clock::now();
  const Desk desk{*session_,
                  [&](Analysis analysis, bool is_request) {
                    const bool is_live = is_request || offer.is_live();
                    answering_.join(*session_,
                                    {turn.client, is_request, is_live, begin,
                                     is_request ? kNoDeadline : offer.deadline},
                                    std::move(analysis));
                  },
                  [&](size_t most) { return borrow_pictures(turn.client, most); }};
  bool had_work = false;
  int64_t memory = memory_;
  call(lock, client, [&] {
    had_work = client->work(turn.kind, desk);
    memory = session_->device_memory_bytes();
  });
  memory_ = memory;
  give_back_pictures(lock);
  return had_work;
}

// What is waiting now, of those that follow this client, each in its turn. Without the lock, from
// within a client's work.
SharedPictures SharedModel::borrow_pictures(ClientId but, size_t most) {
  SharedPictures all;
  std::unique_lock lock(mutex_);
  std::vector<Seat> seats = seats_;
  const auto own =
      std::find_if(seats.begin(), seats.end(), [but](const Seat& seat) { return seat.id == but; });
  std::rotate(seats.begin(), own, seats.end());
  for (const Seat& each : seats) {
    const Seat* seat = each.id == but ? nullptr : seat_of(each.id);
    if (!seat || seat->failed || all.size() >= most) continue;
    SharedPictures lent;
    WorkSource* client = seat->client;
    call(lock, client, [&] { lent = client->lend_pictures(*session_, most - all.size()); });
    all.insert(all.end(), lent.begin(), lent.end());
    if (!lent.empty()) borrowed_.emplace_back(each.id, std::move(lent));
  }
  return all;
}

void SharedModel::give_back_pictures(std::unique_lock<std::mutex>& lock) {
  const auto borrowed = std::exchange(borrowed_, {});
  for (const auto& [id, pictures] : borrowed) {
    const Seat* seat = seat_of(id);
    if (!seat) continue;
    WorkSource* client = seat->client;
    call(lock, client, [&, &lent = pictures] { client->take_back(*session_, lent); });
  }
}

bool SharedModel::pass(std::unique_lock<std::mutex>& lock) {
  if (answering_.empty() || stopping_) return false;
  cancel_pass_.reset();
  in_pass_ = answering_.cancels();
  cancel_unwanted_pass();
  lock.unlock();
  answering_.pass(
      *session_, [this] { return take_room(); }, cancel_pass_);
  const int64_t memory = session_->device_memory_bytes();
  lock.lock();
  in_pass_.clear();
  memory_ = memory;
  return true;
}

// When nobody wants what a pass is made for, it ends. Called with the lock.
void SharedModel::cancel_unwanted_pass() {
  const auto is_cancelled = [](const auto& cancel) { return cancel->cancelled(); };
  if (!in_pass_.empty() && std::all_of(in_pass_.begin(), in_pass_.end(), is_cancelled))
    cancel_pass_.cancel();
}

void SharedModel::look_for_cancelled() {
  std::lock_guard lock(mutex_);
  cancel_unwanted_pass();
  work_waits_ = true;
  changed_.notify_all();
}

// Those who are still here hear of what has ended; what nobody wants any more leaves.
bool SharedModel::tell_outcomes(std::unique_lock<std::mutex>& lock) {
  std::vector<ClientId> here;
  for (const Seat& seat : seats_) here.push_back(seat.id);
  lock.unlock();
  answering_.sweep(
      [&](ClientId id) { return std::find(here.begin(), here.end(), id) != here.end(); });
  std::vector<Answering::Outcome> outcomes = answering_.take_outcomes();
  lock.lock();
  for (Answering::Outcome& outcome : outcomes) {
    const auto took = std::chrono::steady_clock::now() - outcome.ticket.turn;
    const bool is_live = outcome.ticket.deadline != kNoDeadline;
    if (outcome.analysis) schedule_.answered(is_live, std::chrono::duration_cast<Time>(took));
    const Seat* seat = stopping_ ? nullptr : seat_of(outcome.ticket.client);
    if (!seat) continue;
    WorkSource* client = seat->client;
    call(lock, client,
         [&] { client->answered(outcome.ticket.is_request, std::move(outcome.analysis)); });
  }
  return !outcomes.empty();
}

// Whether the window's keys and values have room now. Those that are kept for questions make it,
// the oldest first, and then what was made ahead of other windows; while there are windows under
// way it waits for their end. When nothing is left its own attempt tells.
bool SharedModel::admit(std::unique_lock<std::mutex>& lock, ClientId client, const Offer& offer) {
  if (!answering_.has_room()) return false;
  const Seat* seat = seat_of(client);
  if (!seat) return false;
  const WorkSource* own = seat->client;
  lock.unlock();
  bool fits = true;
  while (!(fits = session_->has_room(offer.n_frames, offer.n_samples, offer.has_pictures))) {
    if (!kept_.drop_oldest() && !free_ahead_of(own, true)) break;
  }
  lock.lock();
  return fits || answering_.empty();
}

bool SharedModel::drop_one(std::unique_lock<std::mutex>& lock, const Schedule::Offers& offers) {
  const auto victim = schedule_.to_drop(offers, std::chrono::steady_clock::now());
  const Seat* seat = victim ? seat_of(*victim) : nullptr;
  if (!seat) return false;
  schedule_.dropped(*victim);
  WorkSource* client = seat->client;
  call(lock, client, [&] { client->drop_next(); });
  return true;
}

bool SharedModel::is_called(const WorkSource* client) const {
  return std::find(calls_.begin(), calls_.end(), client) != calls_.end();
}

bool SharedModel::free_ahead_of(const WorkSource* but, bool one_is_enough) {
  bool found = false;
  std::unique_lock lock(mutex_);
  const std::vector<Seat> seats = seats_;
  for (const Seat& seat : seats) {
    if (found && one_is_enough) break;
    if (seat.client == but || !seated(seat.client)) continue;
    call(lock, seat.client, [&] { found = seat.client->free_ahead() || found; });
  }
  return found;
}

bool SharedModel::take_own_room() {
  const bool kept = kept_.drop_all();
  return free_ahead_of(nullptr, false) || kept;
}

// What is not known yet may be.
bool SharedModel::may_share_memory_with(const SharedModel& other) const {
  const auto device_of = [](const SharedModel& model) {
    std::lock_guard lock(model.mutex_);
    return model.info_.device;
  };
  const std::string here = device_of(*this), there = device_of(other);
  return here.empty() || there.empty() || name_one_device(here, there);
}

bool SharedModel::take_room() {
  if (take_own_room()) return true;
  std::vector<std::shared_ptr<SharedModel>> others;
  {
    std::lock_guard lock(registry().mutex);
    for (const auto& weak : registry().models) {
      if (auto model = weak.lock(); model && model.get() != this) others.push_back(model);
    }
  }
  bool found = false;
  for (const auto& other : others)
    found = (may_share_memory_with(*other) && other->take_own_room()) || found;
  return found;
}

// Calls into a client without the lock; detach() waits for it.
template <class Call>
void SharedModel::call(std::unique_lock<std::mutex>& lock, WorkSource* client, Call what) {
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

}  // namespace vidi
