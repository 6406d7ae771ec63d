#include "model/device/memory_limit.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

namespace vidi {
namespace {

// The limits of all models by CUDA device. Never destroyed: a model may be freed while the process
// ends.
struct Limits {
  std::mutex mutex;
  std::map<int, std::multiset<int64_t>> of_device;
};
Limits& limits() {
  static Limits& all = *new Limits;
  return all;
}

int64_t smallest(const std::multiset<int64_t>& of_device) {
  return of_device.empty() ? 0 : *of_device.begin();
}

}  // namespace

MemoryLimit::MemoryLimit(c10::Device device, int64_t bytes) : device_(device) {
  if (device.is_cuda() && bytes > 0) {
    std::lock_guard lock(limits().mutex);
    auto& all = limits().of_device[device.index()];
    cap_allocator(device, all.empty() ? bytes : std::min(bytes, smallest(all)));
    all.insert(bytes);
  }
  bytes_ = bytes;
}

MemoryLimit::~MemoryLimit() {
  if (!device_.is_cuda() || bytes_ == 0) return;
  std::lock_guard lock(limits().mutex);
  auto& all = limits().of_device[device_.index()];
  all.erase(all.find(bytes_));
  try {
    cap_allocator(device_, smallest(all));
  } catch (...) {
    // The device is gone; so is its allocator.
  }
}

int64_t MemoryLimit::bytes() const {
  if (!device_.is_cuda() || bytes_ == 0) return bytes_;
  std::lock_guard lock(limits().mutex);
  return smallest(limits().of_device[device_.index()]);
}

}  // namespace vidi
