// The pipeline into which taps hand their streams on, and whose end is waited for: what
// FragmentWriter and HlsWriter have in common. Main thread only, with a running default main loop.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "examples/watch/stream_tap.h"

using StreamTaps = std::vector<std::shared_ptr<StreamTap>>;

class WritingPipeline {
 public:
  struct Host {
    std::function<void(const GstStructure*)> on_structure;  // of an element's message
    // Nothing more comes: empty after finish(), else what went wrong. All of it may be destroyed
    // in it.
    std::function<void(const std::string& error)> on_end;
  };

  WritingPipeline(guint longest_finish_ms, Host host);
  ~WritingPipeline();  // stopped on a thread of its own
  WritingPipeline(const WritingPipeline&) = delete;
  WritingPipeline& operator=(const WritingPipeline&) = delete;

  GstElement* get() const { return pipeline_; }
  // `bin` has an appsrc named "in", which gets the tap's stream; it is the pipeline's afterwards.
  void add(const std::shared_ptr<StreamTap>& tap, GstElement* bin);
  void begin();                                    // plays, and the taps begin
  void finish();                                   // the streams end here
  bool has_odd_form() const { return odd_form_; }  // ended by what the muxer does not take
  void delete_afterwards(const std::string& file) { unfinished_ = file; }  // empty: none

 private:
  static gboolean on_message(GstBus* bus, GstMessage* message, gpointer self);
  static gboolean on_too_long(gpointer self);
  void end(const std::string& error);

  const guint longest_finish_ms_;
  const Host host_;
  GstElement* const pipeline_;
  StreamTaps taps_;
  std::vector<GstElement*> sources_;  // the pipeline's
  std::string unfinished_;
  guint watch_ = 0, limit_ = 0;
  bool odd_form_ = false;
};
