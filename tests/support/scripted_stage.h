// What the scripted engine is told by a test, and what it writes down for it; in a process of its
// own, what the environment tells it. Any thread.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "model/session.h"
#include "tests/support/scripted_engine.h"

namespace vidi::scripted {

constexpr int kSteps = 10;

struct Failure {
  Error error;
  int times = 0;  // below 0: for ever
};

// $VIDI_SCRIPTED_ANSWER, or "none".
std::string default_answer();

// What the tests set.
struct Script {
  AnswerFn answer = [](const Query&, const SeenWindow&) { return default_answer(); };
  ModelInfo info{.device = "cpu",
                 .precision = "fp32",
                 .weights = "native",
                 .keys = "native",
                 .plan = {},
                 .family = "vidi1.5",
                 .weight_bytes = 1,
                 .why_no_gpu = {},
                 .unused_tensors = {}};
  int side = 32;
  Result<double> frame_rate = 1.0;
  ShrinkFn shrink = [](const DevicePicture&, int, uint8_t*) {
    return Error{ErrorCode::kUnsupported, "the scripted engine knows no device"};
  };
  double confidence = 0.9;
  bool truncate = false, room = true, wants_all_features = false;
  size_t frames_per_piece = 1000;
  int most_encoded = -1;  // windows alive at once; below 0: any number
  int passes = 1, most_together = 128;
  int n_cuda_devices = 0;
  std::string broken_device;
  std::array<Failure, kSteps> failures;
  std::array<bool, kSteps> held{};
};

// What the tests read.
struct Record {
  std::array<int, kSteps> entered{};
  int cancelled = 0, frames_seen = 0, caches_freed = 0, most_features = 0;
  WindowSize window_size;
  std::vector<Query> queries;
  int max_new_tokens = 0;
  SeenWindow window;
  double progress = 0;
  uint64_t memory_limit = 0;
  int most_together = 0, most_encoded = 0;
  int most_at_work = 0, most_pictures = 0;
};

struct Stage {
  std::mutex mutex;
  std::condition_variable changed;
  Script script;
  Record record;
  // The truth, so reset() leaves it alone.
  int open_sessions = 0, partial_windows = 0, encoded = 0, features = 0, at_work = 0;
};

Stage& stage();

template <class Read>
auto locked(Read read) {
  std::lock_guard lock(stage().mutex);
  return read(stage());
}

[[noreturn]] void refuse(const std::string& message);

void count_entry(Step step);
// Held and failed as the script says.
void act(Step step, const Cancel& cancel);
// What the environment wants to happen when these are read.
void read_as_told(const std::vector<Query>& queries, const Cancel& cancel);

// The one place where exceptions end, as in the engine.
template <class T, class Body>
Result<T> play(Step step, const Cancel& cancel, Body body) noexcept {
  try {
    count_entry(step);
    if (step != Step::kOpen) act(step, cancel);
    return Result<T>(body());
  } catch (const EngineError& e) {
    if (e.code() == ErrorCode::kCancelled) locked([](Stage& s) { return ++s.record.cancelled; });
    return Error{e.code(), e.what()};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, e.what()};
  } catch (...) {
    return Error{ErrorCode::kInternal, "an unknown exception"};
  }
}

}  // namespace vidi::scripted
