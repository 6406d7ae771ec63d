// Watches every operation that libtorch runs on this thread: what it makes on the CPU, and what it
// copies between devices.
#pragma once

#include <ATen/record_function.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/aten.h"

namespace vidi {

class DeviceWatch {
 public:
  struct Seen {
    std::vector<std::string>
        made_on_host;  // operation names whose result is a CPU tensor of more than one value
    int to_device = 0, to_host = 0;  // copies
    int operations = 0;
  };

  DeviceWatch() {
    seen() = {};
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&DeviceWatch::started, &DeviceWatch::ended)
            .needsInputs(true)
            .needsOutputs(true));
  }
  ~DeviceWatch() { at::removeCallback(handle_); }
  DeviceWatch(const DeviceWatch&) = delete;
  DeviceWatch& operator=(const DeviceWatch&) = delete;

  static Seen& seen() {
    static thread_local Seen value;
    return value;
  }

 private:
  // Inputs can be read only while an operation starts, outputs only when it has ended.
  static std::unique_ptr<at::ObserverContext> started(const at::RecordFunction& f) {
    Seen& s = seen();
    ++s.operations;
    if (std::string(f.name()) != "aten::copy_" || f.inputs().size() < 2) return nullptr;
    if (!f.inputs()[0].isTensor() || !f.inputs()[1].isTensor()) return nullptr;
    const bool into_host = f.inputs()[0].toTensor().is_cpu(),
               from_host = f.inputs()[1].toTensor().is_cpu();
    if (into_host && !from_host) ++s.to_host;
    if (!into_host && from_host) ++s.to_device;
    return nullptr;
  }
  static void ended(const at::RecordFunction& f, at::ObserverContext*) {
    for (const c10::IValue& v : f.outputs()) {
      if (v.isTensor() && v.toTensor().defined() && v.toTensor().is_cpu() &&
          v.toTensor().numel() > 1) {
        seen().made_on_host.push_back(f.name());
      }
    }
  }

  at::CallbackHandle handle_;
};

}  // namespace vidi
