// Long work that can be ended: between two pieces of it, interruption_point() calls what the thread
// was told to ask. Torch-free.
//
// A call into a library cannot be ended, so nothing here hands a library more than
// kPieceOperations at a time on the CPU: half a second of two slow cores.
#pragma once

#include <functional>

namespace vidi {

// Operations (a multiplication and an addition are two) of one piece of work on the CPU: 0.5 s of
// two cores with SSE alone, 0.1 s of two with AVX-512, and still so many that cutting costs
// nothing.
constexpr double kPieceOperations = 16e9;

// While it lives, interruption_point() calls `ask` on this thread; what that throws ends the work.
class Interruptible {
 public:
  explicit Interruptible(std::function<void()> ask);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  const std::function<void()> ask_;
  const std::function<void()>* const before_;
};

void interruption_point();

}  // namespace vidi
