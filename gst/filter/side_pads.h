// The text and JSON pads, which come and go while playing, and what their flow means for the
// stream.
//
// Any thread; what follows the video's stream (start, follow, combine, end ...) comes from its
// thread. One lock guards the flow combiner; which pads there are, Delivery's lock does, since
// results go to them from the model's thread.
#pragma once

#include <gst/base/gstflowcombiner.h>
#include <gst/gst.h>

#include <memory>
#include <mutex>

#include "gst/filter/stream_start.h"
#include "gst/results/delivery.h"
#include "gst/results/sparse_pad.h"

namespace vidi {

inline constexpr char kTextCaps[] = "text/x-raw, format=(string)utf8";

class SidePads {
 public:
  SidePads(GstElement* element, Delivery& delivery);
  ~SidePads();
  SidePads(const SidePads&) = delete;

  void set_main(GstPad* src);  // that they are beside; once

  // Application's threads. The new pad is with the element, and not started; null: there is one.
  std::shared_ptr<SparsePad> request(GstPadTemplate* templ, bool text);
  void release(GstPad* pad);
  void forget();  // READY->PAUSED, before the pads are activated

  // A pad that is new, and all of them.
  static void start(SparsePad& side, const StreamStart& video);
  void start(const StreamStart& video);
  void wait_for_caps();
  void follow(const GstSegment& video, GstClockTime position);
  // `flow`: what the push into the main pad came to. One linked pad is enough; an error of any of
  // them ends the stream. A side pad that flushes does not.
  GstFlowReturn combine(GstFlowReturn flow);

  void flush_start(guint32 seqnum);
  void flush_stop(guint32 seqnum);
  void forget_flows();  // what came before a flush says nothing of what follows

  void end(guint32 seqnum);
  void finish_segment(GstEvent* event);  // SEGMENT_DONE, which stays the caller's
  void wait_until_sent();

 private:
  GstElement* const element_;
  Delivery& delivery_;
  GstPad* main_ = nullptr;
  std::mutex flow_mutex_;
  GstFlowCombiner* const flows_;
};

}  // namespace vidi
