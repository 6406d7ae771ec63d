// A window of the stream on its way to the model: kept pictures, kept sound, and what to ask.
// Plain structs; no GStreamer, no tensors.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/media/samples.h"
#include "gst/media/stream_origin.h"
#include "gst/media_time.h"
#include "model/cancel.h"

namespace vidi {

class PartialWindow;  // the engine's (model/window.h)

// What to ask about a window. One of these for all windows until a property changes.
struct Question {
  std::string id;  // "0", "1" ... in order of the queries; "ask-1" ... for requests
  std::string text;
  std::string title;  // what a hit of it is about: the query
  bool operator==(const Question&) const = default;
};
struct AskPlan {
  std::string task = "retrieval";
  bool ranked = false;  // highlights out of retrieval questions: ranked, not all kept
  std::vector<Question> questions;
  std::string prompt_template;
  int max_new_tokens = 1024;
  Time merge_gap = std::chrono::seconds(1);
  bool merge = true;
  double min_confidence = 0;
  unsigned max_highlights = 3;  // per minute; 0 = all
  bool operator==(const AskPlan&) const = default;
};

// A window's pictures that the model has made its own already.
struct StreamedPictures {
  std::shared_ptr<PartialWindow> keys;                      // null: none
  std::vector<std::shared_ptr<const SampledFrame>> frames;  // in it, by place
  bool has(size_t place, const std::shared_ptr<const SampledFrame>& frame) const {
    return keys && place < frames.size() && frames[place] == frame;
  }
};

struct AnalysisWindow {
  uint64_t index = 0;
  Time start{}, stop{};
  bool partial = false;
  Time next_start = kForever;  // of the next window that may extend a hit; kForever: there is none
  // What begins before it is of no use to any other window: the model keeps nothing of it.
  Time needed_from = -kForever;
  // In order of target, doubles possible: a picture that stands is there for each of its targets.
  std::vector<std::shared_ptr<const SampledFrame>> frames;
  // The first of them that are there for a time before the stream had a picture at all, or only
  // because the model wants two; results count the others.
  size_t n_stand_ins = 0;
  Time first_frame{};  // PTS of the first picture of its grid
  // From start to stop, silence where there is none; empty: no sound in all of it.
  std::vector<std::shared_ptr<const SoundChunk>> audio;
  uint64_t dropped_frames = 0;  // targets without a picture
  std::shared_ptr<const AskPlan> plan;
  // The plan for a model without a sentence for highlights; null: the same.
  std::shared_ptr<const AskPlan> plan_without_prompt;
  uint64_t epoch = 0;  // flushes before it; a window of an earlier one goes nowhere
  std::shared_ptr<const StreamOrigin> origin;         // null: of no stream
  std::chrono::steady_clock::time_point closed_at{};  // when the stream passed its end
  // Until when its results are of use; max(): of a file, which waits as long as it takes.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // By when it has its turn among other elements' windows: its deadline, or that of one before it
  // that fell out of the queue, so that who loses windows does not lose the place as well.
  std::chrono::steady_clock::time_point turn = std::chrono::steady_clock::time_point::max();
  mutable StreamedPictures prepared;  // the worker's, until it is encoded
  std::shared_ptr<Cancel> cancel = std::make_shared<Cancel>();

  Time stride() const {  // to the next window's start; of the last one, its length
    return (next_start != kForever && next_start > start ? next_start : stop) - start;
  }
};

// A window that still fills: the earliest one that is open.
struct OpenWindow {
  uint64_t index = 0, epoch = 0;  // as it will have them
  size_t n_frames = 0;            // that it will have, when the stream goes on as it says
  Time needed_from = -kForever;   // as AnalysisWindow::needed_from will be
  std::vector<std::shared_ptr<const SampledFrame>> frames;  // that it has
};

}  // namespace vidi
