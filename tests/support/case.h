// Case files of the goldens: read one, run it, hold its stages. Used by vidi-trace and by the
// tests.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/session/vidi_session.h"

namespace vidi {

// Frames [F, H, W, 3] RGB and mono 16 kHz samples, either may be empty; a query, or a task without
// one; seconds.
struct Case {
  std::vector<uint8_t> frames;
  int64_t n_frames = 0, height = 0, width = 0;
  std::vector<float> samples;
  std::string question, task = "retrieval";
  double duration_s = 0;
};

// Throws EngineError when the file is not a case.
Case read_case(const std::string& path);

// A value, or the API's error thrown again.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw EngineError(result.error().code, result.error().message);
  return std::move(*result);
}

// A case's frames and samples as a window.
Window look_and_listen(VidiSession& session, const Case& c, const Cancel& cancel);

// Stages by name, as F32 or I64 on the CPU.
struct Stages {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Runs one case through the session with the product's guards on answers off.
Stages run_case(VidiSession& session, const Case& c, int max_new_tokens);
void write_stages(const std::string& path, const Stages& stages);

}  // namespace vidi
