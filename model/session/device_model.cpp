#include "model/session/device_model.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "kernels/cuda/dispatch.h"
#include "model/device/device.h"
#include "model/device/host_memory.h"
#include "model/device/memory_plan.h"

namespace vidi {
namespace {

const char* family_name(Family family) { return family == Family::kVidi15 ? "vidi1.5" : "vidi-7b"; }

int64_t limit_bytes(const OpenOptions& options) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return static_cast<int64_t>(std::min(options.memory_limit, kMost));
}

// The towers' weights, handles.
std::vector<at::Tensor> tower_weights(
    const std::vector<std::pair<std::string, at::Tensor>>& weights) {
  std::vector<at::Tensor> found;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud."))
      found.push_back(tensor);
  }
  return found;
}

}  // namespace

DeviceModel::DeviceModel(ModelConfig config, const OpenOptions& options)
    : config_(std::move(config)) {
  device_ = choose_device(options.device, &why_no_gpu_);
  dtype_ = choose_dtype(options.precision, device_);
  limit_ = MemoryLimit(device_, limit_bytes(options));
}

// Towers, projector and decoder say what they need; then everything is read at once.
void DeviceModel::take(Weights& weights) {
  vision_.take(weights, config_.vision);
  audio_.take(weights, config_.audio);
  projector_.take(weights, config_);
  decoder_.take(weights, config_.decoder);
}

void DeviceModel::check_room(int64_t bytes) const {
  check_weights_fit(memory_limit(), bytes, precision_name(dtype_), can_halve());
  if (!device_.is_cuda()) check_host_has_room(available_memory(), bytes, why_no_gpu_);
}

void DeviceModel::load(Weights weights, const OpenOptions& options, const Cancel& cancel) {
  const auto start = std::chrono::steady_clock::now();
  forbid_tf32();
  leave_out_onednn_without_midr();
  bound_threads();
  if (options.weights == WeightFormat::kInt8) weights.pack_matrices();
  take(weights);
  check_room(weights.bytes_taken());
  weights.load(options.progress, cancel);
  weights_ = weights.loaded();
  towers_ = Offload(tower_weights(weights_));
  if (memory_limit() > 0) free_device_cache(device_);  // what loading needed
  synchronize(device_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  describe(weights, took.count());
  if (device_.is_cuda() && dtype_ != at::kFloat)
    info_.why_no_kernels = why_no_own_kernels(kernel_support(device_.index()));
  // As they are stored, which on a GPU without our kernels is not as they were wanted.
  info_.weights = weights.packs_any() ? "int8" : "native";
  info_.keys = options.keys == KeyFormat::kInt8 && decoder_.pack_keys() ? "int8" : "native";
  expanded_bytes_ = weights.expanded_bytes();
}

// The parts stay the same objects: others refer to them.
void DeviceModel::unload() {
  vision_ = {}, audio_ = {}, projector_ = {}, decoder_ = {};
  towers_ = {};
  weights_.clear();
  free_device_cache(device_);
}

void DeviceModel::describe(const Weights& weights, double seconds) {
  const PromptConfig& prompt = config_.prompt;
  info_ = {device_.str(),
           precision_name(dtype_),
           "",
           "",
           family_name(prompt.family),
           weights.bytes_taken(),
           seconds,
           prompt.prompts.count("highlight") > 0,
           device_.is_cuda() ? "" : why_no_gpu_,
           weights.unused()};
}

}  // namespace vidi
