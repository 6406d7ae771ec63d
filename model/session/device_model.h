// A model's weights on one device, and the parts that compute with them. Knows neither windows nor
// questions. One thread at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/weights.h"
#include "model/decoder/decoder.h"
#include "model/device/memory_limit.h"
#include "model/device/offload.h"
#include "model/options.h"
#include "model/session/measure_model.h"
#include "model/session/window_share.h"
#include "model/towers/audio_tower.h"
#include "model/towers/projector.h"
#include "model/towers/vision_tower.h"

namespace vidi {

class DeviceModel {
 public:
  // Chooses the device and what to compute in, and sets the memory limit; nothing is loaded yet.
  // Throws EngineError (device/device.h).
  DeviceModel(ModelConfig config, const OpenOptions& options, const WindowShare& share = {});
  ~DeviceModel();  // the device's memory goes back to other programs
  DeviceModel(const DeviceModel&) = delete;
  DeviceModel& operator=(const DeviceModel&) = delete;

  // `source` is of this device and dtype. Weights and keys that are to be kAuto take the form that
  // the memory has room for at that moment. Throws EngineError: as Weights, and kOverLimit where
  // they are more than the limit, or than the host has; c10::OutOfMemoryError.
  void load(const WeightSource& source, const OpenOptions& options, const Cancel& cancel);
  void unload();  // gives the weights up, and what the device's cache holds
  bool is_loaded() const { return !weights_.empty(); }

  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }
  const WindowShare& share() const { return share_; }  // of each window, that this device has
  int64_t element_size() const { return static_cast<int64_t>(at::elementSize(dtype_)); }
  bool can_halve() const { return device_.is_cuda() && dtype_ == at::kFloat; }
  // That a product with packed weights takes beside them; 0 with native ones.
  int64_t expanded_bytes() const { return expanded_bytes_; }
  // What holds now; 0 = none. Without one that was asked for: what was free when the model was
  // loaded, if kAuto found that less than it would like.
  int64_t memory_limit() const { return limit_.bytes() > 0 ? limit_.bytes() : found_limit_; }
  const ModelPlan& form() const { return form_; }  // as planned for the longest window
  bool limit_was_asked() const { return limit_.bytes() > 0; }
  void look_for_room();  // what is free may have changed: so does a limit that was not asked for
  // On a GPU without a limit from now on what is free is one, as if kAuto had found little.
  void keep_to_what_is_free();

  const ModelConfig& config() const { return config_; }
  const ModelInfo& info() const { return info_; }
  const VisionTower& vision_tower() const { return vision_; }
  const AudioTower& audio_tower() const { return audio_; }
  const Projector& projector() const { return projector_; }
  const Decoder& decoder() const { return decoder_; }
  // Every weight by name.
  const std::vector<std::pair<std::string, at::Tensor>>& weights() const { return weights_; }
  // The memory of both towers' weights.
  Offload& towers() { return towers_; }
  const Offload& towers() const { return towers_; }

 private:
  ModelPlan plan(const WeightSource& source, const OpenOptions& options);
  int64_t room() const;
  void take(Weights& weights);
  void check_room(const Weights& weights) const;
  void describe(const Weights& weights, double seconds);

  const WindowShare share_;
  std::string why_no_gpu_;  // with device auto
  MemoryLimit limit_;       // the last that goes: what is freed before is still under it
  at::Device device_{at::kCPU};
  at::ScalarType dtype_ = at::kFloat;
  ModelConfig config_;
  ModelInfo info_;
  VisionTower vision_;
  AudioTower audio_;
  Projector projector_;
  Decoder decoder_;
  std::vector<std::pair<std::string, at::Tensor>> weights_;
  Offload towers_;
  std::vector<int64_t> spill_form_;  // layers that wait in the host's memory
  int64_t expanded_bytes_ = 0, found_limit_ = 0;
  std::string plan_text_;
  ModelPlan form_;
};

}  // namespace vidi
