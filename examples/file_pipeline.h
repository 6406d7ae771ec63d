// uridecodebin -> vidifilter -> fakesink: a file goes through the element as fast as it is decoded.
// uridecodebin decodes with vididecode, which leaves out what vidifilter does not look at.
//
// The first video and the first audio stream are watched, the others are thrown away. Streams turn
// up on GStreamer's threads; everything else is for the main thread.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <string>

class FilePipeline {
 public:
  // Filled when an element cannot be made.
  FilePipeline(const std::string& uri, int n_decoders, std::string* error);
  ~FilePipeline();
  FilePipeline(const FilePipeline&) = delete;
  FilePipeline& operator=(const FilePipeline&) = delete;

  GstElement* filter() const { return filter_; }
  void play() { gst_element_set_state(pipeline_, GST_STATE_PLAYING); }
  // The next message, or null when none came for a tenth of a second. The caller owns it.
  GstMessage* next_message();

  bool has_video() const { return has_video_; }
  bool has_audio() const { return has_audio_; }
  // All streams of the file have turned up.
  bool is_complete() const { return is_complete_; }
  GstClockTime duration() const;  // NONE = not known yet
  GstClockTime position() const;  // how far the file was read; NONE = not at all

 private:
  GstElement* add(const char* factory, const char* name, std::string* error);
  static void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer self);
  static void on_pad(GstElement* source, GstPad* pad, gpointer self);
  static void on_no_more_pads(GstElement* source, gpointer self);
  void take(GstPad* pad);
  void link(GstPad* pad, const char* filter_pad);
  void throw_away(GstPad* pad);

  GstElement* const pipeline_;
  const int n_decoders_;  // side by side; 0 = as many as are useful
  GstElement *filter_ = nullptr, *sink_ = nullptr;
  std::atomic<bool> has_video_{false}, has_audio_{false}, is_complete_{false};
};

// A path or a URI as a URI; empty with a sentence in `error` when there is nothing to read.
std::string uri_of(const std::string& file, std::string* error);
