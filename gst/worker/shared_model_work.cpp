// The worker's thread: one piece of work after the other.
#include <algorithm>
#include <utility>

#include "gst/thread_name.h"
#include "gst/thread_priority.h"
#include "gst/worker/device_list.h"
#include "gst/worker/shared_model.h"

namespace vidi {
namespace {

constexpr uint64_t kLongestPatience = 86'400'000'000'000;  // ns, a day

constexpr int kNice = 5;  // the model computes on the processor that the stream needs

}  // namespace

void SharedModel::run() {
  name_thread("vidi-model");
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
      backlog_ = 0;  // what it offered to do may have been taken by another device
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
  look_who_wants_it(offers);
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
    tell_who_must_wait(lock, offers, turn);
    if (serve(lock, turn, offer == offers.end() ? Offer() : offer->second)) return true;
  }
  return told;
}

void SharedModel::look_who_wants_it(const Schedule::Offers& offers) {
  const void* by = nullptr;
  const auto add = [&](ClientId id) {
    const Seat* seat = seat_of(id);
    if (seat) by = !by || by == seat->client ? static_cast<const void*>(seat->client) : this;
  };
  for (const auto& [id, offer] : offers)
    if (offer.has_window || offer.asks) add(id);
  for (const ClientId id : answering_.clients()) add(id);
  wanted_by_ = by;
}

// A file that has other devices as well need not wait for this one.
void SharedModel::tell_who_must_wait(std::unique_lock<std::mutex>& lock,
                                     const Schedule::Offers& offers, const Schedule::Turn& turn) {
  for (const auto& [id, offer] : offers) {
    const Seat* seat = seat_of(id);
    if (id == turn.client || !offer.has_window || offer.is_live() || !seat) continue;
    WorkSource* client = seat->client;
    call(lock, client, [&] { client->must_wait(); });
  }
}

void SharedModel::estimate_backlog(const Schedule::Offers& offers) {
  const auto n_waiting = std::count_if(offers.begin(), offers.end(),
                                       [](const auto& client) { return client.second.has_window; });
  window_cost_ = schedule_.cost().count();
  backlog_ = (static_cast<Time::rep>(answering_.n_windows()) + n_waiting) * window_cost_;
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
    const bool is_live = outcome.ticket.deadline != kNoDeadline;
    if (outcome.analysis) schedule_.answered(is_live, outcome.took);
    const Seat* seat = stopping_ ? nullptr : seat_of(outcome.ticket.client);
    if (!seat) continue;
    WorkSource* client = seat->client;
    call(lock, client,
         [&] { client->answered(outcome.ticket.is_request, std::move(outcome.analysis)); });
  }
  return !outcomes.empty();
}

bool SharedModel::drop_one(std::unique_lock<std::mutex>& lock, const Schedule::Offers& offers) {
  const auto victim =
      schedule_.to_drop(offers, answering_.under_way(), std::chrono::steady_clock::now());
  const Seat* seat = victim ? seat_of(*victim) : nullptr;
  if (!seat) return false;
  schedule_.dropped(*victim);
  WorkSource* client = seat->client;
  call(lock, client, [&] { client->drop_next(); });
  return true;
}

}  // namespace vidi
