// What came out of one track, second by second, beside what the file holds of it: so it is known at
// the end whether all of it was decoded. Written by the streaming threads, read by the main thread.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "examples/common/tracks.h"

class DecodedStream {
 public:
  // `pad`: where the track comes out; the pad is only compared afterwards. `on_end`: it has ended.
  DecodedStream(GstPad* pad, std::function<void()> on_end);
  DecodedStream(const DecodedStream&) = delete;
  DecodedStream& operator=(const DecodedStream&) = delete;

  GstPad* pad() const { return pad_; }
  bool has_ended() const;

  // From now on also what leaves `coded` is counted, the demuxer's pad of the same track.
  void watch(Kind kind, GstPad* coded);
  Kind watched() const { return kind_; }  // kOther: thrown away

  std::optional<unsigned> pid() const { return pid_; }  // of a transport stream's track
  // From the first to the last time of what the demuxer handed on (DTS, else PTS).
  GstClockTime coded_extent() const;

  guint64 n_buffers() const;
  // Stream time up to which something came; 0 = nothing.
  GstClockTime reach() const;
  // How much longer the last picture may stand: as long as the longest before it did, or as blocks
  // of nothing say.
  GstClockTime slack() const;
  // Whole seconds of its time: all that the file holds, and those of which nothing came out. What
  // is before the first that came out does not count: a recording may begin between two key frames.
  struct Seconds {
    size_t all = 0, lost = 0;
  };
  Seconds seconds() const;
  // Its buffers follow each other without their times going on.
  bool stands_still() const;
  // Adds the seconds of stream time in which something of it came out.
  void add_to(std::set<guint64>* seconds) const;

 private:
  static GstPadProbeReturn on_decoded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn on_coded(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void take_event(GstEvent* event);
  void take(GstClockTime pts, GstClockTime duration);

  GstPad* const pad_;
  const std::function<void()> on_end_;
  Kind kind_ = Kind::kOther;
  mutable std::mutex mutex_;
  GstSegment segment_;
  bool has_ended_ = false;
  guint64 n_buffers_ = 0;
  GstClockTime reach_ = 0, length_ = 0;  // length_: of all buffers together
  GstClockTime stands_until_ = 0;
  GstClockTime longest_step_ = 0, last_start_ = GST_CLOCK_TIME_NONE;
  GstClockTime first_ = GST_CLOCK_TIME_NONE;
  std::optional<unsigned> pid_;
  GstClockTime coded_first_ = GST_CLOCK_TIME_NONE, coded_last_ = 0;
  std::set<guint64> coded_, decoded_;  // seconds of PTS
  std::set<guint64> covered_;          // seconds of stream time
};
