// A flag that one thread raises and the engine looks at between tensors, frames and tokens.
// Torch-free.
#pragma once

#include <atomic>

#include "model/result.h"

namespace vidi {

// Any thread may call cancel(); the work under way ends with ErrorCode::kCancelled at its next
// check.
class Cancel {
 public:
  void cancel() noexcept { raised_.store(true, std::memory_order_relaxed); }
  void reset() noexcept { raised_.store(false, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return raised_.load(std::memory_order_relaxed); }
  void check() const {
    if (cancelled()) throw EngineError(ErrorCode::kCancelled, "the work was cancelled");
  }

 private:
  std::atomic<bool> raised_{false};
};

}  // namespace vidi
