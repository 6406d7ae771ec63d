// The segment files of one HlsWriter: where one ends and the next begins, and what is in them.
//
// Two threads come here: the pictures' (where to cut) and the muxer's (the bytes). News leave as
// element messages of `pipeline`, in order.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <string>

class HlsFiles {
 public:
  static constexpr char kBegin[] = "hls-begin", kSegment[] = "hls-segment", kLost[] = "hls-lost";

  // `length`, `offset_ns`: as in HlsWriter::Place.
  HlsFiles(GstElement* pipeline, const std::string& stem, GstClockTime length, gint64 offset_ns);
  ~HlsFiles();  // what is not complete is deleted
  HlsFiles(const HlsFiles&) = delete;
  HlsFiles& operator=(const HlsFiles&) = delete;

  // Probes: of the muxer's pad for pictures, and of the sink behind the muxer.
  static GstPadProbeReturn on_picture(GstPad* pad, GstPadProbeInfo* info, gpointer files);
  static GstPadProbeReturn on_bytes(GstPad* pad, GstPadProbeInfo* info, gpointer files);

  void abandon();  // nothing more is written

 private:
  struct Cut {
    GstClockTime running = 0;
    gint64 utc_us = 0;
  };

  void take_picture(GstPad* pad, GstPadProbeInfo* info);
  bool is_cut_due(bool key, GstClockTime time);
  void begin_segment();
  void end_segment(GstClockTime stop);
  void write(GstBuffer* buffer);
  void lose(int error);
  void post(GstStructure* news) const;

  GstElement* const pipeline_;
  const std::string stem_;
  const GstClockTime length_;
  // The pictures' thread.
  gint64 offset_ns_;
  GstClockTime begun_ = GST_CLOCK_TIME_NONE, last_key_ = GST_CLOCK_TIME_NONE, last_gop_ = 0,
               last_picture_ = 0;
  std::atomic<GstClockTime> stop_{0};  // of the pictures so far
  // Between both.
  std::mutex mutex_;
  std::deque<Cut> cuts_;
  // The muxer's thread.
  Cut open_;
  std::string file_;
  int descriptor_ = -1;
  bool has_begun_ = false;
  guint64 n_begun_ = 0;
  std::atomic<bool> abandoned_{false};
};
