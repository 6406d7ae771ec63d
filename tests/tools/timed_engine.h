// The engine as bench-cameras runs it: answers of a fixed length, random weights where no folder
// is named, and a record of what the model was asked to do.
//
// It is a shared library (build/tests/libtimed.so) with a `vidi_engine_api` of its own. A program
// links it and points $VIDI_ENGINE at it (VIDI_TIMED_ENGINE is its path), so that plugin and
// program see one instance. Torch-free; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vidi::timed {

// Random weights of this geometry (tests/tools/geometry.h) for every folder that is opened; "": the
// folder is a checkpoint.
void use_geometry(const std::string& name);
// Every answer has as many tokens as it may have: no end mark is taken, nothing is guessed.
void fix_answer_lengths(bool on);

// What happened between two calls of take().
struct Record {
  double busy_s = 0;                              // the model's thread was inside the engine
  double look_s = 0, stream_s = 0, answer_s = 0;  // of it: towers, keys and values, answers
  int64_t n_tokens = 0;                           // picked, all answers together
  std::map<int64_t, int64_t> passes;              // rows that were answered together: how often
  int64_t n_passes_failed = 0;                    // cancelled, or out of memory
  std::map<int64_t, int64_t> tower_passes;  // pictures that were looked at together: how often
  std::map<int, double> engine_cpu_s;  // of a processor, inside the engine, by the model's thread
  int64_t peak_device_bytes = 0;       // held by the allocator, 0 on the CPU
  int64_t peak_process_bytes = 0;      // resident in host memory
};
Record take();

}  // namespace vidi::timed
