// Takes what the model found to its carriers: events for the source pad, bus messages, JSON lines,
// text cues, and the table of contents at the end. Thread-safe; messages are posted with no lock
// held.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gst/results/chapters.h"
#include "gst/results/sparse_pad.h"
#include "gst/results/structures.h"

namespace vidi {

class Delivery {
 public:
  explicit Delivery(GstElement* element) : element_(element) {}
  ~Delivery() { clear_events(); }

  void start(const std::string& session_id);  // READY->PAUSED: forgets the last session
  // Forgets what no buffer has carried yet; what comes of another epoch than this is stale.
  void flush(uint64_t epoch);

  // The pads come and go while playing; null when released.
  void set_text_pad(std::shared_ptr<SparsePad> pad);
  void set_json_pad(std::shared_ptr<SparsePad> pad);
  std::vector<std::shared_ptr<SparsePad>> side_pads() const;
  bool has_side_pads() const { return has_side_pads_; }
  // Where the stream is: cues of a live stream and JSON lines are stamped with it.
  // Events carry the segment's `seqnum`.
  void set_segment(const GstSegment& segment, guint32 seqnum);
  void set_position(GstClockTime pts);

  // `window` tells whether a flush has made this stale; null for what is never stale. Takes the
  // structure.
  void send(GstStructure* structure, const AnalysisWindow* window);
  void send(const Hit& hit);

  // Events to push before the next buffer, in order; the caller owns them.
  std::vector<GstEvent*> take_events();
  GstEvent* take_toc(GstClockTime duration);  // of all final hits; NULL when there are none
  // Events, chapters, cues and lines that nobody took and that had to make room for later ones.
  uint64_t n_left_out() const;
  const std::string& session_id() const { return session_id_; }

 private:
  void clear_events();
  bool is_stale(const AnalysisWindow* window) const;
  void send_cue(const Hit& hit, const std::shared_ptr<SparsePad>& pad);
  GstClockTime cue_start(const Hit& hit) const;

  GstElement* element_;
  mutable std::mutex mutex_;
  std::string session_id_;
  uint64_t epoch_ = 0;
  std::deque<GstEvent*> events_;
  std::deque<Chapter> chapters_;
  uint64_t n_left_out_ = 0;
  std::shared_ptr<SparsePad> text_, json_;
  // What every buffer asks, most often in vain, without the lock.
  std::atomic<bool> has_side_pads_{false}, has_events_{false};
  GstSegment segment_{};
  guint32 seqnum_ = GST_SEQNUM_INVALID;
  GstClockTime position_ = GST_CLOCK_TIME_NONE;  // PTS on the side pads
};

}  // namespace vidi
