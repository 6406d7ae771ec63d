// The one place that fills the fields, whose names are those of gst/vidi.h. Everything that leaves
// the element is one of these structures; the carriers (event, bus message, JSON line, text cue,
// TOC) only wrap it.
//
// An unknown value is a field that is left out, never a 0 or a NONE.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "gst/media/segment_origin.h"
#include "gst/results/hit.h"
#include "gst/vidi.h"
#include "gst/worker/counters.h"
#include "gst/worker/model_state.h"

namespace vidi {

struct GateReading;  // gst/worker/analysis.h
struct ModelInfo;    // model/options.h

inline constexpr unsigned kSchemaVersion = VIDI_SCHEMA_VERSION;

const SegmentOrigin& origin_of(const AnalysisWindow& window);  // that its frames came from

// `vidi/result`. `delay`: from the stream's passing of the window's end to now.
GstStructure* result_structure(const Hit& hit, GstClockTime delay);

// `vidi/window`: what was analysed, with the raw answers and what the parser changed or dropped.
// `error`: the analysis failed with this sentence.
GstStructure* window_structure(const AnalysisWindow& window, const Analysis* analysis,
                               unsigned n_results, GstClockTime delay, const char* error);

// `vidi/window` of one that the gate was closed for.
GstStructure* gated_structure(const AnalysisWindow& window, const GateReading& reading,
                              GstClockTime delay);

const char* reason_name(DropReason reason);  // "overload", "too-few-frames", ...

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
std::string title_of(const Hit& hit);

}  // namespace vidi
