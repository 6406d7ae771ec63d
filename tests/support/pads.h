// The test's own pads at the element: it is the element's upstream and its downstream. What it
// pushes, the element has passed on when push() returns.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <mutex>
#include <string>

#include "tests/support/pad_log.h"

namespace vidi::test {

using QueryAnswer = std::function<bool(GstQuery*)>;  // false: not answered here

// A segment of time that begins here.
GstSegment time_segment(GstClockTime start = 0);

// A source pad that the test pushes into.
class Feeder {
 public:
  // Linked to the pad of this name of `element`, which is requested when it is not there.
  Feeder(GstElement* element, const char* pad, const std::string& caps, bool live = false);
  ~Feeder();
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;
  GstPad* pad() const { return pad_; }
  GstPad* peer() const { return peer_; }
  void unlink() { gst_pad_unlink(pad_, peer_); }

  // STREAM_START, CAPS and SEGMENT.
  void start(const GstSegment& segment = time_segment());
  GstFlowReturn push(GstBuffer* buffer) { return gst_pad_push(pad_, buffer); }
  bool send(GstEvent* event) { return gst_pad_push_event(pad_, event); }
  bool eos() { return send(gst_event_new_eos()); }
  void flush(bool reset_time = true);  // FLUSH_START, FLUSH_STOP

  void answer_queries(QueryAnswer answer) { answer_ = std::move(answer); }  // before data flows
  Strings upstream_events() const;  // names of those that the element sent up

 private:
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);

  const std::string caps_;
  const bool live_;
  GstPad* pad_;
  GstPad* peer_;
  QueryAnswer answer_;
  mutable std::mutex mutex_;
  Strings events_;
};

// A sink pad that takes what the element sends, and remembers it.
class Outlet : public PadLog {
 public:
  Outlet(GstElement* element, const char* pad);  // likewise linked
  ~Outlet() override;
  void answer_queries(QueryAnswer answer) { answer_ = std::move(answer); }  // before data flows

 private:
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);
  QueryAnswer answer_;
};

}  // namespace vidi::test
