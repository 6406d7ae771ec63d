// Flushes of both pads, and the epoch that they end: everything that waits wakes up, everything
// under way is cancelled, and nothing of it is delivered. While either pad flushes, nothing is
// taken.
//
// One lock guards the members, and is held while all are told, so that they hear of the epochs in
// order. Called from whatever thread a flush comes on, and from the one that stops the element.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <mutex>

#include "gst/filter/idle_audio.h"
#include "gst/filter/side_pads.h"
#include "gst/results/delivery.h"
#include "gst/results/reporter.h"
#include "gst/windows/window_feed.h"
#include "gst/worker/model_client.h"

namespace vidi {

class Flushes {
 public:
  Flushes(WindowFeed& feed, ModelClient& client, Reporter& reporter, Delivery& delivery,
          SidePads& side_pads, IdleAudio& idle_audio)
      : feed_(feed),
        client_(client),
        reporter_(reporter),
        delivery_(delivery),
        side_pads_(side_pads),
        idle_audio_(idle_audio) {}

  void forget();  // READY->PAUSED: no pad flushes

  void start_video(guint32 seqnum);  // the pads beside the video flush with it
  void start_audio();
  void stop_video() { stop(video_); }
  void stop_audio() { stop(audio_); }

  void interrupt();       // PAUSED->READY, before the pads are deactivated
  void forget_results();  // and when no thread is left that could bring one

 private:
  void next_epoch();
  void stop(bool& pad);

  WindowFeed& feed_;
  ModelClient& client_;
  Reporter& reporter_;
  Delivery& delivery_;
  SidePads& side_pads_;
  IdleAudio& idle_audio_;

  std::mutex mutex_;
  bool video_ = false, audio_ = false;  // flushes now
  uint64_t epoch_ = 0;
};

}  // namespace vidi
