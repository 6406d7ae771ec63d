// Where vidi-watch gets its streams from: an address becomes at most one video and one audio
// stream, not decoded yet where the source sends them encoded.
//
//   rtsp                  rtspsrc -- parsebin -- tee      (a parsebin for every stream)
//   srt, udp, http, file  urisourcebin -- parsebin -- tees
//   v4l2                  urisourcebin -- decodebin -- tee
//   test                  videotestsrc, audiotestsrc -- tees
//
// Of several tracks live_tracks.h chooses. What has no time of its own gets that of its arrival.
//
// Each stream ends in a tee, so that it can be watched and recorded at once. The tees stay when the
// source is stopped: that is how the last window and the last clip get their end.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "examples/common/joined_times.h"
#include "examples/common/movie_header.h"
#include "examples/watch/live_tracks.h"

struct LiveStream {
  bool video = false;
  bool raw = false;           // not encoded
  GstElement* tee = nullptr;  // the pipeline's
};

class LiveSource {
 public:
  // Called once for each stream, on one of GStreamer's threads or from start(), before its data.
  using OnStream = std::function<void(const LiveStream&)>;

  LiveSource(GstElement* pipeline, const std::string& uri, const TrackWishes& wishes,
             OnStream on_stream);
  ~LiveSource();
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  // Adds the elements for this address; returns an empty string, or why that is not possible.
  std::string start(guint latency_ms);

  std::vector<LiveStream> streams() const;  // until now

  // The source is disconnected, and what flowed from it ends (EOS). Waits for the source, on any
  // thread.
  void end();

  // Monotonic time of the last piece of video, in microseconds; 0 = none yet.
  gint64 last_video_us() const { return last_video_us_; }

  gint64 last_sound_us() const { return last_sound_us_; }  // likewise

  bool has_ended() const { return has_ended_; }  // by itself: the last piece of video has come

  // What is watched is not what the source sends any more: it has to be connected anew. `message`:
  // of the pipeline's bus.
  bool has_changed() const { return has_changed_; }
  void take_streams(GstMessage* message);

  // The parser has left out what the decoder needs of the pictures (1.22, where the first packets
  // come together with the answer to PLAY): as it began, so it goes on.
  bool lacks_parameters() const { return lacks_parameters_; }

  // Whether the pace comes from the source itself; a file's has to be made.
  static bool is_paced(const std::string& uri);

 private:
  std::string start_rtsp(guint latency_ms);
  std::string start_bytes();
  std::string start_raw(const std::string& description);

  void disconnect();
  GstElement* add(const char* factory);
  void add_parser(GstPad* pad);
  void add_stream(GstPad* pad);
  static void on_description(GstElement* rtspsrc, gpointer sdp, gpointer self);
  static gboolean wants(GstElement* rtspsrc, guint index, GstCaps* caps, gpointer self);
  static GstPadProbeReturn on_sound(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn on_video(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static void on_element(GstBin* bin, GstBin* inner, GstElement* element, gpointer self);
  static void on_received(GstElement* source, GstPad* pad, gpointer self);
  static void on_parsed(GstElement* parser, GstPad* pad, gpointer self);
  static void on_gone(GstElement* parser, GstPad* pad, gpointer self);

  GstElement* const pipeline_;
  GstElement* const bin_;        // everything before the tees
  GstElement* first_ = nullptr;  // of it: what receives
  const std::string uri_;
  LiveTracks tracks_;
  MovieHeader movie_header_;
  JoinedTimes joined_times_;
  const OnStream on_stream_;
  const char* parser_ = "parsebin";
  mutable std::mutex mutex_;
  std::vector<LiveStream> streams_;
  std::set<GstPad*> watched_;  // only compared
  std::atomic<gint64> first_video_us_{0}, last_video_us_{0}, last_sound_us_{0};
  std::atomic<bool> has_ended_{false}, has_changed_{false}, lacks_parameters_{false};
};
