// Small JPEG pictures of a film, made of the pictures that pass a pad on their way to the model:
// about one a second, at most 160 pixels wide and high, upright as a player shows them.
//
// A picture is scaled and encoded on the streaming thread that brings it; of the others nothing is
// touched. What is kept is bounded: a film whose pictures take more than 32 MB keeps every second
// one, and from then on takes half as many. Read from any thread.
#pragma once

#include <gst/gst.h>

#include <map>
#include <mutex>
#include <string>

class Thumbnails {
 public:
  explicit Thumbnails(GstPad* pad);  // through which raw pictures pass
  ~Thumbnails();
  Thumbnails(const Thumbnails&) = delete;
  Thumbnails& operator=(const Thumbnails&) = delete;

  // JPEG data of the first picture from `start` on; of the nearest one where there is none before
  // `stop`. Stream time. Empty: there are no pictures.
  std::string of(GstClockTime start, GstClockTime stop) const;
  size_t size() const;
  // Why there are none, as a sentence without its subject; empty while all is well.
  std::string error() const;

 private:
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstFlowReturn on_jpeg(GstPad* pad, GstObject* parent, GstBuffer* jpeg);
  void take_event(GstEvent* event);
  void take(GstBuffer* picture);
  bool make_chain(GstCaps* caps);
  void keep(GstClockTime time, std::string jpeg);
  void fail(const std::string& why);

  GstPad* const pad_;
  gulong probe_ = 0;
  // The streaming thread's alone.
  GstPad *in_, *out_;
  GstElement *chain_ = nullptr, *size_ = nullptr;
  GstSegment segment_;
  GstClockTime last_ = GST_CLOCK_TIME_NONE, interval_ = GST_SECOND;

  mutable std::mutex mutex_;  // of what follows
  std::map<GstClockTime, std::string> pictures_;
  size_t n_bytes_ = 0;
  std::string error_;
};
