// The end of a video whose sound goes on. The last picture stands until the sound has ended, too,
// and only then the video's stream ends; but neither pad's streaming thread may wait for the other:
// they may be one. So the EOS is kept here, and a thread of its own ends the stream.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace vidi {

class LateEnd {
 public:
  using Clock = std::chrono::steady_clock;
  // How the sound is doing. Asked with no lock of this object held.
  struct Sound {
    bool ended = false;   // EOS, or nothing is linked any more
    uint64_t n_news = 0;  // grows with all that comes
  };

  // `ask` and `finish` are called on the thread. `finish` takes the EOS; whatever it waits for must
  // have been interrupted before cancel() and the destructor.
  LateEnd(std::function<Sound()> ask, std::function<void(GstEvent*)> finish);
  ~LateEnd() { cancel(); }
  LateEnd(const LateEnd&) = delete;

  // Takes the EOS. `patience`: the longest time without news; nothing = for ever.
  using Patience = std::optional<Clock::duration>;
  void begin(GstEvent* eos, Patience until_first_news, Patience between_news);
  void sound_changed();  // news, or it has ended
  void cancel();         // drops the EOS, unless it has left; returns when the thread has ended
  bool pending() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  void run(Patience until_first_news, Patience between_news);
  bool wait_for_sound(Patience until_first_news, Patience between_news);

  const std::function<Sound()> ask_;
  const std::function<void(GstEvent*)> finish_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  GstEvent* eos_ = nullptr;
  uint64_t n_changes_ = 0;
  bool pending_ = false, cancelled_ = false;
};

}  // namespace vidi
