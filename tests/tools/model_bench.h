// Every phase of the engine, timed: what bench-model prints.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/device/device.h"
#include "model/session/vidi_session.h"
#include "tests/support/aten.h"

namespace vidi {

struct Arguments {
  std::string geometry, json;
  int seconds = 306, queries = 1, new_tokens = 34;
  bool only_load = false;
  bool only_plan = false;
  bool splits = false;             // windows over the devices of the list, beside the first alone
  bool names_form = false;         // --weights or --keys was given
  double core_seconds_before = 0;  // that the process had used when main() began
  OpenOptions open;                // with a folder: of that checkpoint
};

struct Phase {
  std::string name;
  double seconds = 0;
  double core_seconds = 0;  // of all cores, spinning included
  double tflop = 0;         // floating-point operations, 10^12
  double gigabytes = 0;     // memory traffic that cannot be avoided, 10^9
};

struct Time {
  double seconds = 0, core_seconds = 0;
};

// Of this process on all cores; while it loaded its libraries, when asked first thing in main().
double core_seconds();

class Bench {
 public:
  // Loads the model. Throws EngineError.
  explicit Bench(const Arguments& arguments);
  void run();
  void run_whole() { questions(); }  // only what goes through the API
  void print() const;
  const std::vector<Phase>& phases() const { return phases_; }
  nlohmann::json as_json() const;

 private:
  std::unique_ptr<VidiSession> open_session() const;
  void add(const std::string& name, const Time& time, double tflop = 0, double gigabytes = 0) {
    phases_.push_back({name, time.seconds, time.core_seconds, tflop, gigabytes});
  }
  bool is_limited() const { return device_.is_cuda() && a_.open.memory_limit > 0; }
  void plain_speeds(int64_t hidden, int64_t mlp);
  void print_limit() const;
  void preprocess();
  void towers();
  void encode();
  void read(const MediaCache& cache);
  void questions();
  Window listen();  // without pictures
  FrameList look(const std::vector<Frame>& frames, size_t first, size_t n);
  void encode_whole(const std::vector<Frame>& frames);
  void encode_from_features(const std::vector<Frame>& frames);
  double stream_tflop(double tokens) const;
  at::TensorOptions options() const { return at::TensorOptions(dtype_).device(device_); }

  Arguments a_;
  std::unique_ptr<VidiSession> session_;
  at::Device device_{at::kCPU};
  at::ScalarType dtype_ = at::kFloat;
  int n_frames_ = 0, n_chunks_ = 0;
  double product_tflops_ = 0, copy_gbs_ = 0, pinned_gbs_ = 0;
  MemoryUse loaded_, heard_;     // after loading; before a window is begun
  at::Tensor patches_, states_;  // features of one frame, encoder states of all sound
  std::shared_ptr<const Encoded> encoded_;
  std::vector<Phase> phases_;
};

}  // namespace vidi
