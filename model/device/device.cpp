#include "model/device/device.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <unistd.h>

#include <charconv>
#include <exception>
#include <limits>

#include "kernels/aten.h"
#include "kernels/usable_cores.h"
#include "model/result.h"

namespace vidi {
namespace {

// A device can be listed and still refuse to work (another driver, taken exclusively).
bool works(at::Device device, std::string& reason) {
  try {
    at::zeros({1}, at::TensorOptions(at::kFloat).device(device)).add_(1).item<float>();
    return true;
  } catch (const c10::Error& e) {
    reason = e.what_without_backtrace();
    reason = reason.substr(0, reason.find('\n'));
    return false;
  }
}

at::Device cuda_device(const std::string& name, int index) {
  const int count = n_cuda_devices();
  std::string reason;
  if (index < count && works(at::Device(at::kCUDA, index), reason))
    return at::Device(at::kCUDA, index);
  std::string found = !at::hasCUDA()  ? "an engine built or running without CUDA"
                      : index < count ? "a device that does not work (" + reason + ")"
                                      : std::to_string(count) + " CUDA device(s)";
  throw EngineError(ErrorCode::kNoDevice, "device \"" + name + "\" is not usable: found " + found);
}

}  // namespace

int n_cuda_devices() noexcept {
  try {
    return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  } catch (const std::exception&) {
    return 0;  // what is wrong with it is said when one is opened
  }
}

at::Device choose_device(const std::string& name, std::string* why_no_gpu) {
  if (name == "cpu") return at::Device(at::kCPU);
  if (name == "cuda") return cuda_device(name, 0);
  if (name == "auto") {
    std::string reason;
    for (int i = 0; i < n_cuda_devices(); ++i) {
      if (works(at::Device(at::kCUDA, i), reason)) return at::Device(at::kCUDA, i);
    }
    if (why_no_gpu) {
      *why_no_gpu = !at::hasCUDA()   ? "this engine has no CUDA, or finds no driver for it"
                    : reason.empty() ? "there is no CUDA device"
                                     : "the CUDA device does not work, " + reason;
    }
    return at::Device(at::kCPU);
  }
  int index = -1;
  if (name.rfind("cuda:", 0) == 0) {
    const char* end = name.data() + name.size();
    auto [last, error] = std::from_chars(name.data() + 5, end, index);
    if (error == std::errc() && last == end && index >= 0 && index < 128)
      return cuda_device(name, index);
  }
  throw EngineError(ErrorCode::kBadInput,
                    "device is \"" + name + "\", expected auto, cpu, cuda or cuda:N");
}

at::ScalarType choose_dtype(Precision precision, at::Device device) {
  if (precision == Precision::kFp32) return at::kFloat;
  if (precision == Precision::kAuto) return device.is_cuda() ? at::kHalf : at::kFloat;
  if (!device.is_cuda()) {
    throw EngineError(ErrorCode::kUnsupported,
                      std::string("precision ") +
                          (precision == Precision::kFp16 ? "fp16" : "bf16") +
                          " needs a CUDA device, found the CPU, which runs fp32");
  }
  return precision == Precision::kFp16 ? at::kHalf : at::kBFloat16;
}

const char* precision_name(at::ScalarType dtype) {
  return dtype == at::kHalf ? "fp16" : dtype == at::kBFloat16 ? "bf16" : "fp32";
}

void forbid_tf32() {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
}

void leave_out_onednn_without_midr() {
#ifdef __aarch64__
  constexpr char kMidr[] = "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1";
  if (access(kMidr, R_OK) != 0) at::globalContext().setUserEnabledMkldnn(false);
#endif
}

void bound_threads() {
  const int n = usable_cores();
  if (at::get_num_threads() > n) at::set_num_threads(n);
}

MemoryUse memory_use(at::Device device) {
  if (!device.is_cuda()) return {};
  const auto stats = at::accelerator::getDeviceStats(device.index());
  const auto& bytes = stats.allocated_bytes[0];  // [0]: over all pools
  const auto& held = stats.reserved_bytes[0];
  return {bytes.current, bytes.peak, held.current, held.peak};
}

int64_t spare_memory(at::Device device) {
  if (!device.is_cuda()) return std::numeric_limits<int64_t>::max();
  const auto stats = at::accelerator::getDeviceStats(device.index());
  const auto [free, total] = at::accelerator::getMemoryInfo(device.index());
  const int64_t cached = stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
  return static_cast<int64_t>(free) + cached;
}

void free_device_cache(at::Device device) {
  if (device.is_cuda()) at::accelerator::emptyCache();
}

void synchronize(at::Device device) {
  if (device.is_cuda()) at::accelerator::getCurrentStream(device.index()).synchronize();
}

}  // namespace vidi
