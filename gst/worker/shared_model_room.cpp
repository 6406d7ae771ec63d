// The worker's thread: memory for the next window, and who gives it.
#include "gst/worker/device_list.h"
#include "gst/worker/shared_model.h"

namespace vidi {

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
  bool found = false;
  for (const auto& other : others_in_use())
    found = (may_share_memory_with(*other) && other->take_own_room()) || found;
  return found;
}

}  // namespace vidi
