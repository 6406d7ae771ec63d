// The one place that knows the names of the result fields. Everything that leaves the element is
// one of these structures; the carriers (event, bus message, JSON line, text cue, TOC) only wrap
// it.
//
// An unknown value is a field that is left out, never a 0 or a NONE.
#pragma once

#include <gst/gst.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/results/hit.h"
#include "gst/worker/shared_model.h"

namespace vidi {

inline constexpr unsigned kSchemaVersion = 1;

// The stream that a window's frames came from; AnalysisWindow::origin points to one.
struct StreamOrigin {
  GstSegment segment;      // of the video pad, when the frames passed
  std::string session_id;  // one for each READY->PAUSED
  bool live = false;
  Time expected_end = kForever;  // of the video, as its PTS; kForever: nobody knows
};
const StreamOrigin& origin_of(const AnalysisWindow& window);

// `vidi/result`. `delay`: from the stream's passing of the window's end to now.
GstStructure* result_structure(const Finding& finding, GstClockTime delay);

// `vidi/window`: what was analysed, with the raw answers and what the parser changed or dropped.
// `error`: the analysis failed with this sentence.
GstStructure* window_structure(const AnalysisWindow& window, const Analysis* analysis,
                               unsigned n_results, GstClockTime delay, const char* error);

// Why a window was not analysed.
enum class DropReason { kOverload, kTooFewFrames, kOutOfMemory, kFlush, kModelFailed, kStopped };
inline constexpr size_t kDropReasons = 6;
const char* reason_name(DropReason reason);  // "overload", "too-few-frames", ...

// Behind `stats`, under the element's lock. Every window is counted once: submitted is always
// completed + failed + dropped for some reason + pending.
struct Counters {
  uint64_t windows_submitted = 0, windows_completed = 0, windows_failed = 0;
  std::array<uint64_t, kDropReasons> dropped{};  // by reason
  uint64_t windows_dropped() const;              // for any
  uint64_t frames_in = 0, frames_sampled = 0, audio_samples = 0;
  uint64_t pending = 0;  // that wait for the model, or are with it
  Time inference_last{}, inference_max{}, inference_sum{};
  Time delay_last{}, delay_max{}, delay_sum{};
  Time analysed{};  // length of the analysed windows' new parts, for the realtime factor
  uint64_t sample_bytes = 0, device_bytes = 0;
  uint64_t left_out = 0;                      // of what was said: Delivery::n_left_out()
  std::string device, precision, why_no_gpu;  // of the model, once it is ready
};
GstStructure* stats_structure(const Counters& counters);

// `vidi/window-dropped`. Not for a flush or a stop, when nobody wants to hear of it. `error`: a
// sentence, or nothing.
GstStructure* dropped_structure(const AnalysisWindow& window, DropReason reason,
                                const std::string& error, const Counters& counters);

// `vidi/model`; `error` NULL unless failed.
GstStructure* model_structure(ModelState state, const std::string& session_id,
                              const std::string& path, const ModelInfo* info, int64_t device_memory,
                              const char* error);

// Structure to one JSON object and a newline: `-` in keys becomes `_`, key `type` from the
// structure's name without "vidi/", GstDateTime as ISO 8601 UTC, times as integer nanoseconds,
// invalid UTF-8 replaced.
std::string json_line(const GstStructure* structure);

// Title of a cue or chapter, valid UTF-8: the highlight's label, else the query.
std::string title_of(const Finding& finding);

}  // namespace vidi
