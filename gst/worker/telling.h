// What is told of an element's windows: in the order in which they were begun, whichever device has
// ended first, and one call at a time, on the thread that finds it due. Thread-safe; a call comes
// with no lock held, and may come here again.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace vidi {

class Telling {
 public:
  using Call = std::function<void()>;
  using Window = const void*;
  void begin(Window window);            // it will be told of
  void tell(Window window, Call call);  // when all that were begun before it have been
  void say(Call call);                  // of no window, or of one that was not begun
  size_t n_untold() const;
  void forget();  // nobody hears any more; no call is running then

 private:
  struct Entry {
    Window window;
    Call call;  // empty: its end is still to come
  };
  void work_off(std::unique_lock<std::mutex>& lock);
  Call next();

  mutable std::mutex mutex_;
  std::deque<Entry> windows_;
  std::deque<Call> others_;
  bool is_telling_ = false;
};

}  // namespace vidi
