// One input of vidifilter, its pictures or its sound, which one stream after the other may feed:
// where the streams of a file change in the middle, the new one takes the old one's place.
//
//   decoder -- queue -- vidifilter
//
// The stream time goes on: where the new stream counts from the beginning again (a programme with
// another clock), its segment is moved behind what was before. On GStreamer's threads, one at a
// time.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <optional>

class FilterInput {
 public:
  // `filter_pad`: "sink" or "audio_sink".
  FilterInput(GstElement* pipeline, GstElement* filter, const char* filter_pad)
      : pipeline_(pipeline), filter_(filter), filter_pad_(filter_pad) {}
  ~FilterInput();
  FilterInput(const FilterInput&) = delete;
  FilterInput& operator=(const FilterInput&) = delete;

  bool link(GstPad* pad);   // false when it cannot be
  void leave(GstPad* pad);  // the stream of this pad is over, if it was the one
  void end();               // no stream is to come: EOS, if there was one

  bool was_linked() const { return queue_in_ != nullptr; }
  bool is_free() const { return pad_ == nullptr; }

 private:
  bool make_queue();
  static GstPadProbeReturn on_event(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstEvent* moved(GstEvent* segment);

  GstElement* const pipeline_;
  GstElement* const filter_;
  const char* const filter_pad_;
  std::atomic<GstPad*> queue_in_{nullptr};  // ours
  std::atomic<GstPad*> pad_{nullptr};       // the source's, only compared
  std::optional<gint64> lead_;              // of stream time over running time, in the first stream
  bool is_new_ = false;                     // the next segment is the first of a stream
  guint64 shift_ = 0;                       // of this stream's time
};
