// Names intermediate tensors for tests and vidi-trace; empty otherwise, and then it costs nothing.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace vidi {

// Called with a stage's name (vidi-model page, section 9) and its tensor. A stage that is computed
// in pieces is reported piece by piece, to be joined along the first dimension.
using Tap = std::function<void(const std::string& name, const at::Tensor& value)>;

inline void tap_into(const Tap& tap, const std::string& name, const at::Tensor& value) {
  if (tap) tap(name, value);
}

}  // namespace vidi
