// How a session keeps to its memory limit: it knows what is held and what comes, sends the towers
// away where a window's keys and values need their room, and fetches them when there is something
// to look at. Without a limit nothing of this happens. The plans themselves: device/memory_plan.h.
// One thread at a time.
#pragma once

#include <c10/util/Exception.h>

#include <string>

#include "model/device/held_bytes.h"
#include "model/device/memory_plan.h"
#include "model/device/model_plan.h"
#include "model/session/device_model.h"

namespace vidi {

class DeviceMemory {
 public:
  // `model` must outlive it.
  explicit DeviceMemory(DeviceModel& model) : model_(model) {}

  bool limited() const { return model_.memory_limit() > 0; }
  // What there is, and what a window of so many tokens needs beyond it.
  MemoryState state() const;
  WindowNeed need_of(int64_t n_image_tokens, int64_t n_audio_tokens) const;
  // Keys and values that are alive count as long as the result lives; it may outlive the session.
  HeldBytes count_keys(int64_t n_image_tokens, int64_t n_audio_tokens) const;
  // For a window whose pictures are looked at as they are streamed.
  LookNeed look_need(const WindowSize& size) const;

  // Makes room for a window, and says how it is encoded there. Throws as plan_window().
  MemoryPlan make_room(const WindowNeed& need);
  // Likewise with the towers on the device all the time; nothing where that has no room.
  std::optional<MemoryPlan> make_room_to_look(const WindowNeed& need);
  // Whether there is room for it as it is.
  bool has_room(const WindowNeed& need) const;
  void make_most_room();
  // Another program took what was free when the model was loaded: windows are planned by what is
  // left from now on.
  void found_short() { model_.keep_to_what_is_free(); }
  // Before the towers work. Throws as plan_window() where they have no room.
  void fetch_towers();
  // Bytes that keys and values may take ahead of their window. With the towers away there are none:
  // they come back for the next picture.
  int64_t room_ahead() const;
  int64_t window_bytes() const { return window_bytes_->load(); }  // keys and values alive
  // How many questions of at most `longest` tokens about a window of so many are answered together,
  // at least one, at most `most`.
  size_t questions_with_room(int64_t n_media_tokens, size_t longest, size_t most) const;

  // The result of `body`. Where the allocator finds no room in spite of the plan: kOutOfMemory,
  // with one sentence about `what`; without a limit the allocator's own exception.
  template <class Body>
  auto explained(const std::string& what, Body body) const {
    try {
      return body();
    } catch (const c10::OutOfMemoryError&) {
      if (!limited()) throw;
      explain_shortage(what);
    }
  }
  [[noreturn]] void explain_shortage(const std::string& what) const;

 private:
  DeviceModel& model_;
  TotalBytes window_bytes_ = std::make_shared<std::atomic<int64_t>>(0);  // keys and values alive
};

}  // namespace vidi
