#include "kernels/interruption.h"

#include <utility>

namespace vidi {
namespace {

thread_local const std::function<void()>* asked = nullptr;

}  // namespace

Interruptible::Interruptible(std::function<void()> ask) : ask_(std::move(ask)), before_(asked) {
  asked = &ask_;
}

Interruptible::~Interruptible() { asked = before_; }

void interruption_point() {
  if (asked && *asked) (*asked)();
}

}  // namespace vidi
