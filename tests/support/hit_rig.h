// Hits and windows, and the structures that are made of them.
#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "gst/results/structures.h"
#include "gst/worker/analysis.h"

namespace vidi {

using namespace std::chrono_literals;

struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
using Structure = std::unique_ptr<GstStructure, FreeStructure>;

class Events : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  Events() {
    gst_segment_init(&origin_->segment, GST_FORMAT_TIME);
    origin_->session_id = "session-7";
    window_->index = 4;
    window_->start = 60s;
    window_->stop = 120s;
    window_->frames = {frame(60s), frame(61s)};
    window_->dropped_frames = 3;
    auto plan = std::make_shared<AskPlan>();
    plan->questions = {{"0", "Find: a dog", "a dog"}, {"1", "Find: a cat", "a cat"}};
    window_->plan = plan;
    window_->origin = origin_;
  }

  static std::shared_ptr<SampledFrame> frame(Time pts, std::optional<Time> utc = std::nullopt) {
    auto frame = std::make_shared<SampledFrame>();
    frame->pts = pts;
    frame->utc = utc;
    return frame;
  }

  Hit some_hit(Time start = 66s, Time stop = 72s) const {
    Hit hit;
    hit.result_id = 11;
    hit.query_id = "0";
    hit.query = "a dog";
    hit.task = "retrieval";
    hit.start = start;
    hit.stop = stop;
    hit.relative_start = 0.1;
    hit.relative_stop = 0.2;
    hit.text = "0.1-0.2";
    hit.window = window_;
    hit.inference_time = 1500ms;
    return hit;
  }

  std::shared_ptr<SegmentOrigin> origin_ = std::make_shared<SegmentOrigin>();
  std::shared_ptr<AnalysisWindow> window_ = std::make_shared<AnalysisWindow>();
};

inline Structure result_of(const Hit& hit, GstClockTime delay = GST_CLOCK_TIME_NONE) {
  return Structure(result_structure(hit, delay));
}

inline bool has(const Structure& s, const char* field) {
  return gst_structure_has_field(s.get(), field);
}
inline nlohmann::json json(const Structure& s) { return nlohmann::json::parse(json_line(s.get())); }

}  // namespace vidi
