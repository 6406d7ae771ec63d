#include "gst/filter/flushes.h"

namespace vidi {

void Flushes::forget() {
  std::lock_guard lock(mutex_);
  video_ = audio_ = false;
}

void Flushes::start_video(guint32 seqnum) {
  std::lock_guard lock(mutex_);
  video_ = true;
  next_epoch();
  delivery_.flush(epoch_);
  side_pads_.flush_start(seqnum);
  idle_audio_.flush_start(seqnum);
}

void Flushes::start_audio() {
  std::lock_guard lock(mutex_);
  audio_ = true;
  next_epoch();
  delivery_.flush(epoch_);
}

// Called with the lock.
void Flushes::next_epoch() {
  ++epoch_;
  client_.interrupt(epoch_);
  feed_.interrupt(epoch_);
  reporter_.flush(epoch_);
}

void Flushes::stop(bool& pad) {
  side_pads_.forget_flows();
  std::lock_guard lock(mutex_);
  pad = false;
  if (video_ || audio_) return;
  client_.resume();
  feed_.resume();
}

void Flushes::interrupt() {
  std::lock_guard lock(mutex_);
  next_epoch();
}

void Flushes::forget_results() {
  reporter_.flush(epoch_);
  delivery_.flush(epoch_);
}

}  // namespace vidi
