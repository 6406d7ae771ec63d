// Writes live streams into segments of MPEG-TS that begin with a key frame, in a pipeline of its
// own: whatever happens to the disk, the watching does not hear of it.
//
//   appsrc -- parser ----------------- mpegtsmux -- fakesink, whose pad's probe writes the files
//   appsrc -- parser, or AAC encoder --'
//
// Nothing that MPEG-TS carries is encoded again; raw pictures and other sound are. A segment ends
// where the muxer begins anew with its tables, before a key frame (GstForceKeyUnit). The pipeline
// is live: sound that stands holds nothing up. Main thread only, with a running default main loop;
// the files are written on the muxer's thread.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "examples/watch/hls_files.h"
#include "examples/watch/hls_playlist.h"
#include "examples/watch/writing_pipeline.h"

class HlsWriter {
 public:
  // Where a segment begins: on the clock of the watching pipeline and on the wall.
  struct Begin {
    GstClockTime running = 0;
    gint64 utc_us = 0;
  };
  struct Host {
    std::function<void(const Begin&)> on_begin;
    // `number`: how many were begun before it; some may be missing, since they could not be
    // written.
    std::function<void(const HlsSegment&, guint64 number)> on_segment;
    std::function<void(const std::string&)> on_lost;  // a segment could not be written: why
    // Nothing more comes: empty after finish(), else what went wrong. It may be destroyed in it.
    std::function<void(const std::string& error)> on_end;
  };
  struct Place {
    std::string stem;         // files are named `stem`000000.ts ...
    GstClockTime length = 0;  // of a segment, as far as key frames allow
    gint64 offset_ns = 0;     // wall clock less running time, until the pictures tell another
  };

  HlsWriter(const Place& place, Host host);
  ~HlsWriter();  // what is not complete is deleted
  HlsWriter(const HlsWriter&) = delete;
  HlsWriter& operator=(const HlsWriter&) = delete;

  // `watching`: whose running times the taps have. Returns an empty string, or what is not written;
  // when writes_pictures() is false, nothing is.
  std::string start(StreamTaps taps, GstElement* watching);
  bool writes_pictures() const { return writes_pictures_; }
  void finish() { pipeline_.finish(); }  // the streams end here

 private:
  std::string add(const std::shared_ptr<StreamTap>& tap, const std::string& branch);
  void keep_clock_with(GstPad* pictures);
  void follow_clock(GstElement* watching);
  void handle_structure(const GstStructure* message);
  void end(const std::string& error);

  const Host host_;
  WritingPipeline pipeline_;
  GstElement* const muxer_;
  const std::shared_ptr<HlsFiles> files_;
  bool writes_pictures_ = false;
};
