// What the video's way works with, named where the element is put together (Filter's constructor).
// All of it outlives that way.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>

#include "gst/filter/audio_path.h"
#include "gst/filter/flushes.h"
#include "gst/filter/idle_audio.h"
#include "gst/filter/late_end.h"
#include "gst/filter/live_settings.h"
#include "gst/filter/model_status.h"
#include "gst/filter/notices.h"
#include "gst/filter/opened_engine.h"
#include "gst/filter/side_pads.h"
#include "gst/results/delivery.h"
#include "gst/results/reporter.h"
#include "gst/windows/window_feed.h"
#include "gst/worker/model_client.h"

namespace vidi {

// Of this run's windows; written on the feed's thread.
struct WindowTally {
  std::atomic<uint64_t> n_submitted{0};
  std::atomic<bool> too_small{false};  // the last refused one had too little in it
};

struct VideoParts {
  GstElement* element;
  const LiveSettings& settings;
  const OpenedEngine& engine;
  Notices& notices;
  const ModelStatus& status;
  const WindowTally& tally;
  WindowFeed& feed;
  ModelClient& client;
  Reporter& reporter;
  const PresentHits& present;
  Delivery& delivery;
  Flushes& flushes;
  SidePads& side_pads;
  IdleAudio& idle_audio;
  AudioPath& audio;
  LateEnd& late_end;
};

}  // namespace vidi
