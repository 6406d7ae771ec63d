// What one pass over the file gave, as data: the mode that the model ran in, its answer to every
// question in every window, and the hits. --compare-precision sets two of them side by side.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "examples/common/hit.h"

// Property `device`, or what a model says it runs on: a list may have several.
inline bool is_cpu(const std::string& device) {
  return device.starts_with("cpu") && device.find("cuda") == std::string::npos;
}

// From a `vidi/model`.
struct Mode {
  std::string device, precision, weights, keys;
  double load_s = 0;
  uint64_t weight_bytes = 0, device_bytes = 0;  // device_bytes: 0 on the CPU

  std::string name() const;  // "fp32, int8 weights"; "fp16"
  bool on_cpu() const { return is_cpu(device); }
};

// From a `vidi/window`. Times are timestamps; queries, ids and texts go together.
struct WindowAnswers {
  uint64_t index = 0;
  GstClockTime start = 0, stop = 0;
  double inference_s = 0;
  std::vector<std::string> queries, ids, texts;  // texts: the model's words, unread
};

struct Pass {
  Mode mode;
  double watch_s = 0;  // all of it but the loading of the model
  std::vector<WindowAnswers> windows;
  std::vector<Hit> hits;
  std::set<std::string> refused;  // queries that the model does not take
  std::string error;              // why it is not complete

  double inference_s() const;
};

Mode mode_of(const GstStructure* model);
WindowAnswers answers_of(const GstStructure* window);
