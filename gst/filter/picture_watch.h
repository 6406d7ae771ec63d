// Which of the pictures that pass are watched, at which time, and where their windows begin and
// end; the chain function waits here while the model is behind.
//
// With the video pad's stream lock, which guards the stream that this works on. analyze_now() and
// seen_end() come from the application's threads.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <optional>

#include "gst/filter/video_stream.h"
#include "gst/media_time.h"

namespace vidi {

class AudioPath;
class Delivery;
class LiveSettings;
class ModelClient;
class ModelStatus;
class Notices;
class WindowFeed;
struct Settings;
struct VideoParts;

class PictureWatch {
 public:
  // `stream`: of the path that this is a part of.
  PictureWatch(GstPad* sink, VideoStream& stream, const VideoParts& parts);

  void start() { seen_end_ = -1; }  // READY->PAUSED
  void watch(GstBuffer* buffer);
  void wait_for_room();  // while the model is behind, and holding up is wanted
  void close_window(Time next_start = kForever);

  void analyze_now();
  std::optional<GstClockTime> seen_end() const;  // of the last watched frame

 private:
  bool can_be_watched(GstBuffer* buffer, const Settings& settings);
  std::optional<Time> time_of(GstBuffer* buffer);
  void break_at_jump(Time pts, GstBuffer* buffer, Time stride);
  HoleSigns signs_before(Time pts, GstBuffer* buffer) const;
  Time lead_before(Time pts) const;
  void learn_liveness();
  Time expected_end() const;
  void set_origin();

  GstElement* const element_;
  GstPad* const sink_;
  VideoStream& stream_;
  const LiveSettings& settings_;
  Notices& notices_;
  const ModelStatus& status_;
  const Delivery& delivery_;
  WindowFeed& feed_;
  ModelClient& client_;
  AudioPath& audio_;
  std::atomic<int64_t> seen_end_{-1};
};

}  // namespace vidi
