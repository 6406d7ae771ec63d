// What is found in one file of a batch, as lines of JSON: one row type for hits, windows and the
// file itself, every field in each (null where it says nothing), so that a folder of them is a
// table. Times are nanoseconds of stream time: what a player shows.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

// What all rows of a file begin with.
struct RowHead {
  std::string uri, key, run_id, model;
};

// The file as a whole, at its end.
struct FileFacts {
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  guint64 frames = 0;  // that were decoded for the model
  bool has_audio = false;
  std::string device, error;  // error: empty = ok
  double wall_s = 0;
};

class BatchRows {
 public:
  explicit BatchRows(RowHead head) : head_(std::move(head)) {}

  // A `vidi/result` (one that a later window may still change is passed over), or a `vidi/window`
  // or `vidi/window-dropped`, as a row for each question. `segment` turns a window's times into
  // stream time.
  void take_hit(const GstStructure* result);
  void take_window(const GstStructure* window, const GstSegment* segment);
  void set_device(const std::string& device) { device_ = device; }

  size_t n_hits() const { return n_hits_; }
  size_t n_windows() const { return n_windows_; }
  const std::string& text() const { return text_; }
  // The row of kind `file`: the last one of what is done, the only one of what has failed.
  std::string file_row(const FileFacts& facts) const;

 private:
  const RowHead head_;
  std::string device_, text_;
  size_t n_hits_ = 0, n_windows_ = 0;
};
