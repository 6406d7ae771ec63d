// Writes live streams into fragments of a few seconds that begin with a key frame (splitmuxsink),
// in a pipeline of its own: whatever happens to the disk, the watching does not hear of it. Raw
// streams (a webcam) are encoded. Main thread only, with a running default main loop.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "examples/watch/writing_pipeline.h"

class FragmentWriter {
 public:
  struct Host {
    // A file is complete; running times.
    std::function<void(const std::string& file, GstClockTime start, GstClockTime stop)> on_fragment;
    // Nothing more comes: empty after finish(), else what went wrong. It may be destroyed in it.
    std::function<void(const std::string& error)> on_end;
  };

  // Files are named `stem`000000.mkv ...
  FragmentWriter(const std::string& stem, Host host);
  ~FragmentWriter();  // what is not complete is deleted
  FragmentWriter(const FragmentWriter&) = delete;
  FragmentWriter& operator=(const FragmentWriter&) = delete;

  // Returns an empty string, or what cannot be written. Of a file that cannot be made on_end hears.
  std::string start(const StreamTaps& taps);
  void finish() { pipeline_.finish(); }  // the streams end here

  bool has_written() const { return has_written_; }  // a whole fragment
  bool has_odd_form() const { return pipeline_.has_odd_form(); }
  gint64 began_us() const { return began_us_; }
  gint64 last_news_us() const { return last_news_us_; }  // when a file was begun or completed

 private:
  void add(const std::shared_ptr<StreamTap>& tap);
  void handle_structure(const GstStructure* message);
  void end(const std::string& error);

  const Host host_;
  WritingPipeline pipeline_;
  GstElement* const sink_;
  std::string open_file_;
  GstClockTime open_since_ = 0;
  const gint64 began_us_;
  gint64 last_news_us_;
  bool has_written_ = false;
};
