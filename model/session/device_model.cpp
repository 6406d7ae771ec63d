#include "model/session/device_model.h"

#include <algorithm>
#include <chrono>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "kernels/attention/attention.h"
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
    if (is_of_towers(name)) found.push_back(tensor);
  }
  return found;
}

}  // namespace

DeviceModel::DeviceModel(ModelConfig config, const OpenOptions& options, const WindowShare& share)
    : share_(share), config_(std::move(config)) {
  device_ = choose_device(options.device, &why_no_gpu_);
  dtype_ = choose_dtype(options.precision, device_);
  limit_ = MemoryLimit(device_, limit_bytes(options));
}

DeviceModel::~DeviceModel() {
  try {
    unload();
  } catch (const std::exception&) {  // of a device that is broken
  }
}

// Towers, projector and decoder say what they need; then everything is read at once.
void DeviceModel::take(Weights& weights) {
  vision_.take(weights, config_.vision);
  audio_.take(weights, config_.audio);
  projector_.take(weights, config_);
  decoder_.take(weights, config_.decoder);
}

void DeviceModel::check_room(const Weights& weights) const {
  const int64_t places = spill_form_.empty() ? 0 : kSpillPlaces;
  const auto spilled = static_cast<int64_t>(spill_form_.size());
  const int64_t layer = spilled > 0 ? weights.spilled_bytes() / spilled : 0;
  const int64_t bytes = weights.bytes_taken() - (spilled - places) * layer;
  const std::string form =
      precision_name(dtype_) + std::string(weights.packs_any() ? " with int8 matrices" : "");
  check_weights_fit(memory_limit(), limit_was_asked(), bytes, form, can_halve());
  if (!device_.is_cuda()) check_host_has_room(available_memory(), bytes, why_no_gpu_);
  if (spilled > 0) check_host_takes_layers(available_memory(), spilled, spilled * layer);
}

static ModelPlan as_asked(const OpenOptions& options) {
  ModelPlan plan;  // native
  if (options.weights == WeightFormat::kInt8) plan.weights = WeightFormat::kInt8;
  if (options.keys == KeyFormat::kInt8) plan.keys = KeyFormat::kInt8;
  return plan;
}

// What the weights and windows may take, as things are now; 0 = there is no end.
int64_t DeviceModel::room() const {
  const int64_t asked = limit_.bytes();
  if (!device_.is_cuda()) return asked;
  const int64_t free_now = room_of_free(spare_memory(device_));
  const int64_t left = asked - memory_use(device_).current;  // by other models of the process
  return asked > 0 ? std::max<int64_t>(1, std::min(left, free_now)) : free_now;
}

void DeviceModel::look_for_room() {
  if (found_limit_ > 0) found_limit_ = memory_use(device_).current + room();
}

void DeviceModel::keep_to_what_is_free() {
  if (device_.is_cuda() && memory_limit() == 0) found_limit_ = memory_use(device_).current + room();
}

ModelPlan DeviceModel::plan(const WeightSource& source, const OpenOptions& options) {
  found_limit_ = 0;
  plan_text_.clear();
  info_.most_features = 0;
  const int64_t room = this->room();
  if (room == 0) return as_asked(options);
  ModelPlanRequest request = measure_model(config_, source, options, element_size(), share_);
  request.on_cuda = device_.is_cuda(), request.room = room;
  request.reads_packed_keys = attention_kernel_runs(device_, dtype_, config_.decoder.head_dim);
  const std::vector<ModelPlan> table = plan_table(request);
  const ModelPlan plan = choose_plan(table);
  plan_text_ = why_not_first(table, request);
  info_.most_features = most_features(request, plan);
  const bool is_usual = plan_text_.empty() && plan.fits && plan.window.is_usual();
  if (!is_usual && device_.is_cuda() && limit_.bytes() == 0)
    found_limit_ = memory_use(device_).current + request.room;
  return plan;
}

void DeviceModel::load(const WeightSource& source, const OpenOptions& options,
                       const Cancel& cancel) {
  const auto start = std::chrono::steady_clock::now();
  forbid_tf32();
  leave_out_onednn_without_midr();
  bound_threads();
  form_ = plan(source, options);
  const ModelPlan& form = form_;
  Weights weights = source();
  spill_form_ = spread_layers(config_.decoder.layers, form.spilled_layers);
  weights.spill_layers(spill_form_);
  if (form.weights == WeightFormat::kInt8) weights.pack_matrices();
  take(weights);
  check_room(weights);
  weights.load(options.progress, cancel);
  weights_ = weights.loaded();
  if (!spill_form_.empty()) decoder_.stream_layers(std::make_shared<LayerSpill>(weights.spilled()));
  towers_ = Offload(tower_weights(weights_));
  if (memory_limit() > 0) free_device_cache(device_);  // what loading needed
  synchronize(device_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  // As they are stored, which on a GPU without our kernels is not as they were wanted.
  info_.weights = weights.packs_any() ? "int8" : "native";
  info_.keys = form.keys == KeyFormat::kInt8 && decoder_.pack_keys() ? "int8" : "native";
  expanded_bytes_ = weights.expanded_bytes();
  describe(weights, took.count());
}

// The parts stay the same objects: others refer to them.
void DeviceModel::unload() {
  vision_ = {}, audio_ = {}, projector_ = {}, decoder_ = {};
  towers_ = {};
  weights_.clear();
  free_device_cache(device_);
#ifdef __GLIBC__
  if (device_.is_cpu()) malloc_trim(0);  // the allocator keeps what was freed, else
#endif
}

void DeviceModel::describe(const Weights& weights, double seconds) {
  info_.plan = plan_text_;
  info_.device = device_.str();
  info_.precision = precision_name(dtype_);
  info_.family = family_name(config_.prompt.family);
  info_.weight_bytes = weights.bytes_taken();
  info_.load_seconds = seconds;
  info_.has_highlight_prompt = config_.prompt.prompts.count("highlight") > 0;
  info_.why_no_gpu = device_.is_cuda() ? "" : why_no_gpu_;
  info_.unused_tensors = weights.unused();
  if (device_.is_cuda() && dtype_ != at::kFloat)
    info_.why_no_kernels = why_no_own_kernels(kernel_support(device_.index()));
}

}  // namespace vidi
