// A number of live cameras on one model, and what becomes of their windows: a row of
// bench-cameras. Each camera is a pipeline of its own, raw pictures and sound in real time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vidi {

struct Row {
  int cameras = 1, answer_tokens = 34, questions = 1;
  int window = 10, stride = 10;  // seconds
  int keep = 1;                  // keep-windows
};

// What all rows share.
struct CameraOptions {
  std::string element;   // properties of every vidifilter that choose the model
  int seconds = 60;      // of counting
  bool in_step = false;  // all windows end at the same moment; else starts lie anywhere in a stride
  int width = 640, height = 360, fps = 5;
  unsigned seed = 1;
};

struct Outcome {
  std::vector<double> delays;  // s, of the windows analysed while it was counted; sorted
  std::map<std::string, int64_t> failures, drops;  // windows by what the element says
  double largest_loss = 0;          // share of a camera's windows that were dropped, of the worst
  std::vector<std::string> errors;  // of pipelines; the first few
  int64_t n_errors = 0;
};
int64_t sum_of(const std::map<std::string, int64_t>& counts);

// Until every camera has had its first window, then as long as is counted. `begin` and `end` are
// called around what counts.
Outcome run_row(const Row& row, const CameraOptions& options, void (*begin)(), void (*end)());

}  // namespace vidi
