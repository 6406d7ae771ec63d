// How the video's stream ends: the last window and all its answers first, then the chapters, then
// the pads beside. At once, or when the sound has ended, too.
//
// With the video pad's stream lock, but for finish_late(), which runs on LateEnd's thread after the
// pad's EOS; whoever starts another stream has cancelled that first.
#pragma once

#include <gst/gst.h>

#include "gst/filter/video_stream.h"
#include "gst/media_time.h"

namespace vidi {

class AudioPath;
class Delivery;
class IdleAudio;
class LateEnd;
class LiveSettings;
class ModelClient;
class ModelStatus;
class Notices;
class Reporter;
class SidePads;
class WindowFeed;
struct VideoParts;
struct WindowTally;

class VideoEnd {
 public:
  // `stream`: of the path that this is a part of.
  VideoEnd(GstPad* sink, GstPad* src, VideoStream& stream, const VideoParts& parts);

  bool end_late(GstEvent* event);     // takes it where it returns true
  void end_stream(guint32 seqnum);    // EOS, which the caller sends behind
  void finish_late(GstEvent* event);  // sends it
  void finish_segment(GstEvent* event);

 private:
  Time end_of_stream() const;

  GstPad* const sink_;
  GstPad* const src_;
  VideoStream& stream_;
  const LiveSettings& settings_;
  Notices& notices_;
  const ModelStatus& status_;
  const WindowTally& tally_;
  WindowFeed& feed_;
  ModelClient& client_;
  Reporter& reporter_;
  Delivery& delivery_;
  SidePads& side_pads_;
  IdleAudio& idle_audio_;
  AudioPath& audio_;
  LateEnd& late_end_;
};

}  // namespace vidi
