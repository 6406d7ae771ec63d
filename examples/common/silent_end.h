// A stream of bytes that was read to its end, after which nothing comes, neither an error nor an
// end (GStreamer 1.22 and 1.26, both in what is pushed: stdin, HTTP):
//  - a demuxer that has found no stream (tsdemux, dvdemux) has no pad to send the end to;
//  - a demuxer that fails behind a queue2 leaves the error to it, which posts it with the end, and
//    refuses an end that comes later than the error.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <list>
#include <mutex>
#include <string>

class SilentEnd {
 public:
  // `pipeline`'s elements, from now on. It is in NULL when this goes.
  void watch(GstElement* pipeline);
  // Why nothing will come any more; empty while something may. Any thread.
  std::string why() const;

 private:
  struct Input {
    explicit Input(GstElement* one) : element(GST_ELEMENT(gst_object_ref(one))) {}
    ~Input() { gst_object_unref(element); }
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    GstElement* const element;  // a demuxer or a queue2
    std::atomic<gint64> ended_us{0};
  };

  static void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer self);
  static GstPadProbeReturn on_event(GstPad* pad, GstPadProbeInfo* info, gpointer input);
  void add(GstElement* element);
  static std::string why(const Input& input);

  mutable std::mutex mutex_;
  std::list<Input> inputs_;
};
