#include "tests/tools/gpu_watch.h"

#include <dlfcn.h>

#include <chrono>

namespace vidi {
namespace {

// As nvml.h declares them.
using Device = struct nvmlDevice_st*;
struct Utilization {
  unsigned gpu, memory;  // per cent
};

template <class Function>
Function* function(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

GpuWatch::GpuWatch(unsigned index) {
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library) thread_ = std::thread([this, library, index] { watch(library, index); });
}

GpuWatch::~GpuWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GpuWatch::watch(void* library, unsigned index) {
  auto* init = function<int()>(library, "nvmlInit_v2");
  auto* by_index = function<int(unsigned, Device*)>(library, "nvmlDeviceGetHandleByIndex_v2");
  auto* rates = function<int(Device, Utilization*)>(library, "nvmlDeviceGetUtilizationRates");
  Device device = nullptr;
  if (!init || !by_index || !rates || init() != 0 || by_index(index, &device) != 0) return;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::milliseconds(200), [this] { return over_; })) {
    Utilization now{};
    if (rates(device, &now) != 0) continue;
    percent_ += now.gpu;
    ++n_;
  }
}

void GpuWatch::restart() { n_ = 0, percent_ = 0; }

std::optional<double> GpuWatch::busy_share() const {
  const long n = n_;
  if (n == 0) return std::nullopt;
  return static_cast<double>(percent_) / static_cast<double>(n) / 100;
}

}  // namespace vidi
