// uridecodebin -> vidifilter -> fakesink: a file goes through the element as fast as it is decoded.
// uridecodebin decodes with vididecode, which leaves out what vidifilter does not look at.
//
// One video and one audio track are watched, the others are thrown away (tracks.h says which).
// Streams turn up in groups: a file whose streams change has several, one after the other, and each
// takes the place of the one before. All that happens on GStreamer's threads; everything else is
// for the main thread.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "examples/ask/decoded_stream.h"
#include "examples/ask/filter_input.h"
#include "examples/ask/transport_check.h"
#include "examples/common/joined_times.h"
#include "examples/common/movie_header.h"
#include "examples/common/silent_end.h"
#include "examples/common/tracks.h"

class FilePipeline {
 public:
  // `error` is filled when an element cannot be made.
  FilePipeline(const std::string& uri, const TrackWishes& wishes, int n_decoders,
               std::string* error);
  ~FilePipeline();
  FilePipeline(const FilePipeline&) = delete;
  FilePipeline& operator=(const FilePipeline&) = delete;

  // An element message of this name has a field "text": worth a line for the user.
  static constexpr char kNote[] = "vidi-ask/note";

  GstElement* filter() const { return filter_; }
  GstBin* bin() const { return GST_BIN(pipeline_); }
  void play() { gst_element_set_state(pipeline_, GST_STATE_PLAYING); }
  // The next message, or null when none came for a tenth of a second. The caller owns it.
  GstMessage* next_message();

  bool has_video() const { return has_video_; }
  bool has_audio() const { return has_audio_; }
  // All streams of the file's beginning have turned up.
  bool is_complete() const { return is_complete_; }
  GstClockTime duration() const;  // NONE = not known yet
  GstClockTime position() const;  // how far the file was read; NONE = not at all

  // At the end: what of the file did not come, in words ("only 14 of 32 s of its pictures could be
  // decoded"); empty when all came. `warned`: elements had something to complain of.
  std::string what_is_missing(bool warned) const;
  guint64 n_pictures() const;  // that were decoded for the filter
  // Why nothing will come any more, although neither an error nor an end came; empty while
  // something may.
  std::string why_silent() const { return silent_end_.why(); }
  // The file has tracks of sound, and none of them could be decoded.
  bool has_unknown_sound() const { return has_unknown_sound_; }

 private:
  struct Offered {
    std::unique_ptr<DecodedStream> stream;
    gulong block;
    bool is_gone = false;  // with its group
  };

  GstElement* add(const char* factory, const char* name, std::string* error);
  static void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer self);
  void see_to_demuxer(GstElement* element);
  static gint on_choice(GstElement* source, GstPad* pad, GstCaps* caps, GstElementFactory* factory,
                        gpointer self);
  static void on_pad(GstElement* source, GstPad* pad, gpointer self);
  static void on_pad_gone(GstElement* source, GstPad* pad, gpointer self);
  static void on_no_more_pads(GstElement* source, gpointer self);
  void offer(GstPad* pad);
  void withdraw(GstPad* pad);
  void choose();
  const Track* choose_one(const std::vector<Track>& tracks, const std::string& wish);
  std::optional<size_t> chosen(const std::vector<Track>& tracks, const std::string& wish);
  void refuse(const std::vector<Track>& tracks, const std::string& wish);
  void take(const Track& track, FilterInput& input);
  std::vector<Offered*> group();
  std::vector<const DecodedStream*> streams(Kind kind) const;
  void limit_queues();
  void note(const std::string& text);
  void stream_ended();

  GstElement* const pipeline_;
  const std::string uri_;
  const bool is_local_;
  const TrackWishes wishes_;
  const int n_decoders_;  // side by side; 0 = as many as are useful
  GstElement *filter_ = nullptr, *sink_ = nullptr;
  std::atomic<bool> has_video_{false}, has_audio_{false}, is_complete_{false},
      has_unknown_sound_{false};
  MovieHeader movie_header_;
  TransportCheck transport_;
  JoinedTimes joined_times_;
  SilentEnd silent_end_;
  std::unique_ptr<FilterInput> video_, audio_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Offered>> offered_;  // of all groups
  std::vector<std::string> notes_;                 // that were posted
};
