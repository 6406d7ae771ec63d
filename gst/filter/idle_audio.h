// audio_src while no sound comes. A sink behind it holds up the whole pipeline's preroll and its
// end, so a stream of GAPs beside the video goes out of it; when upstream's sound comes, the pad is
// handed over to that.
//
// Any thread: both streaming threads, and the application's. The element's object lock guards which
// pad there is, together with AudioPath's pads; what upstream has sent are two atomics.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <utility>

#include "gst/filter/stream_start.h"
#include "gst/results/sparse_pad.h"

namespace vidi {

class IdleAudio {
 public:
  explicit IdleAudio(GstElement* element) : element_(element) {}

  void set(std::shared_ptr<SparsePad> pad) { pad_ = std::move(pad); }  // with the object lock
  std::shared_ptr<SparsePad> pad() const;  // null: no audio pads, or not yet

  void expect_sound() { has_stream_ = has_data_ = false; }  // nothing has come
  void forget();  // READY->PAUSED, before the pads are activated

  // Video's thread, or the application's. Not before the sound has had its chance.
  void start(const StreamStart& video);
  void follow(GstClockTime position);
  void flush_start(guint32 seqnum);
  void flush_stop(guint32 seqnum);
  void end(guint32 seqnum);

  // Audio's thread. Upstream's stream begins: GAPs go into it from now on.
  void stream_comes();
  // Its SEGMENT has passed; behind that there may come nothing, for long or for ever.
  void segment_came(const GstSegment& segment, guint32 seqnum);
  void data_comes();  // which goes its own way from now on

 private:
  GstElement* const element_;
  std::shared_ptr<SparsePad> pad_;                         // object lock
  std::atomic<bool> has_stream_{false}, has_data_{false};  // of upstream
};

}  // namespace vidi
