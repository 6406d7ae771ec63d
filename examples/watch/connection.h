// One connection to the source, from the first attempt to its end:
//
//   LiveSource -- tee -- queue -- decodebin -- vidifilter -- fakesink
//
// With --record, and with --hls, a tap at each tee (stream_tap.h) hands on what flows there.
//
// A connection ends once, by itself or by stop(): the source is cut off, what came until then is
// analysed to its end for a while, and `on_end` hears why. Main thread only, with a running
// default main loop.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "examples/common/warnings.h"
#include "examples/watch/clip_recorder.h"
#include "examples/watch/hls_publisher.h"
#include "examples/watch/live_source.h"
#include "examples/watch/sighting.h"
#include "examples/watch/watch_arguments.h"

class Connection {
 public:
  // kChanged: other streams than before; kUnwatched: it came and was not watched; kBroken: the
  // model, no use to go on.
  enum class Why { kStopped, kEnd, kChanged, kLost, kUnwatched, kBroken };
  struct Host {
    std::function<bool(const Sighting&)> on_hit;      // whether a clip of it is wanted
    std::function<void(const std::string&)> on_note;  // worth a line, no reason to end
    // From the main loop; the connection may be destroyed in it.
    std::function<void(Why, const std::string&)> on_end;
  };

  // `recorder` is null without --record, `publisher` without --hls.
  Connection(const WatchArguments& arguments, GstElement* filter, ClipRecorder* recorder,
             HlsPublisher* publisher, Host host);
  ~Connection();  // waits for what flows; on another thread after leave_main_loop()
  void leave_main_loop();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::string start();  // empty, or why this address can never work
  void stop();
  bool has_pictures() const { return source_.last_video_us() > 0; }

 private:
  static constexpr char kChanged[] = "the streams of the source have changed";

  void add_stream(const LiveStream& stream);
  static void on_decoded(GstElement* decoder, GstPad* pad, gpointer self);
  void watch(GstPad* pad);
  void leave_out(GstPad* pad, bool video);
  static gboolean on_message(GstBus* bus, GstMessage* message, gpointer self);
  static gboolean on_tick(gpointer self);
  static gboolean on_ended(gpointer self);
  void handle(GstMessage* message);
  void handle_error(GstMessage* message);
  void handle_structure(GstMessage* message);
  void take_result(const GstStructure* result);
  void take_window(const GstStructure* window);
  bool has_pictures_to_come(gint64 now_us);
  bool is_watched(gint64 now_us);
  void hand_on_streams(gint64 now_us);
  void end(Why why, const std::string& text);
  void finish();

  const WatchArguments& arguments_;
  GstElement* const pipeline_;
  GstElement* const filter_;
  ClipRecorder* const recorder_;
  HlsPublisher* const publisher_;
  const Host host_;
  LiveSource source_;
  const gint64 began_us_;

  std::mutex mutex_;
  StreamTaps taps_, published_taps_;

  Warnings warnings_;
  guint64 n_windows_ = 0;
  gint64 window_us_ = 0;  // when the last window ended, or the first picture came
  std::map<guint64, GstClockTime> growing_;  // hits that are not final, and where they begin
  gint64 pictures_since_us_ = 0;
  bool ending_ = false, stands_ = false;
  gint64 end_by_us_ = 0;  // what is not analysed then is given up
  // Not the main loop's: a server that does not answer, or a demuxer that waits for more, may hold
  // it up for long.
  std::thread ending_source_;
  Why why_ = Why::kStopped;
  std::string why_text_;
  guint bus_watch_ = 0, tick_ = 0, ended_ = 0;
};
