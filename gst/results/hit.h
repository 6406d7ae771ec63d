// One found range of one question, in the stream's times: what becomes a `vidi/result`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/windows/analysis_window.h"

namespace vidi {

struct Analysis;  // gst/worker/analysis.h

struct Hit {
  uint64_t result_id = 0;  // given by HitMerger
  bool final = true;
  std::string query_id, query, label, task;
  bool from_queries = false;  // source: a ranked retrieval question, not the model's own highlight
  Time start{}, stop{};       // PTS
  bool runs = false;  // it reaches the end of the last analysed window, as far as pictures tell
  // Until when windows that the gate was closed for looked like that end; not claimed, but a later
  // part may join there.
  Time as_before = Time::min();
  double relative_start = 0,
         relative_stop = 0;  // what the model said of the window it was found in
  std::optional<double> confidence;
  std::string text;        // raw answer
  bool truncated = false;  // the answer ended by its length or by repeating itself
  std::shared_ptr<const AnalysisWindow> window;
  Time inference_time{};
};

// All hits of an analysis at or above the plan's min_confidence, by question, then by start.
std::vector<Hit> hits_of(const Analysis& analysis);

}  // namespace vidi
