// Which form a model takes on a device: one table of choices with the bytes of each, of which the
// first line that fits is taken. The exact forms come first; within a line a window is encoded as
// in memory_plan.h, with the towers there or away, in large pieces or small ones. Plain arithmetic,
// no device needed. Torch-free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/device/memory_plan.h"
#include "model/options.h"

namespace vidi {

// What all weights take, in each of their forms.
struct WeightBytes {
  int64_t native = 0;
  int64_t packed = 0;    // the decoder's matrices in 8 bits, as far as their shapes allow it
  int64_t towers = 0;    // part of both
  int64_t expanded = 0;  // beside packed ones, while a window is encoded
  int64_t native_layer = 0, packed_layer = 0;  // the matrices of one of the decoder's layers
  int64_t of(WeightFormat format) const { return format == WeightFormat::kInt8 ? packed : native; }
  int64_t layer(WeightFormat format) const {
    return format == WeightFormat::kInt8 ? packed_layer : native_layer;
  }
};

struct ModelPlanRequest {
  DecoderConfig decoder;
  WeightBytes weights;
  int64_t n_image_tokens = 0, n_audio_tokens = 0;  // of the longest window
  LookNeed look;                                   // at its pictures, all of them
  int64_t sound_features = 0;                      // bytes, of all of its sound
  int64_t sound_token = 0;                         // of one token of it
  int64_t element_size = 2;
  bool on_cuda = true;
  bool can_pack_keys = true;
  bool reads_packed_keys = true;  // on CUDA: attention_kernel_runs
  int64_t room = 0;               // bytes; 0 = without end
  // What was asked for; kAuto: the plan's choice.
  WeightFormat weight_format = WeightFormat::kAuto;
  KeyFormat key_format = KeyFormat::kAuto;
};

// One line of the table, bytes at the peak of the window.
struct ModelPlan {
  WeightFormat weights = WeightFormat::kNative;
  KeyFormat keys = KeyFormat::kNative;
  MemoryPlan window;
  int64_t spilled_layers = 0;  // of the decoder, which wait in the host's memory (layer_spill.h)
  int64_t host_bytes = 0;      // theirs
  int64_t weight_bytes = 0;    // on the device meanwhile, without towers that left
  int64_t feature_bytes = 0;   // that are there at once
  int64_t sound_bytes = 0;     // part of them: the sound's
  int64_t key_bytes = 0;
  int64_t work_bytes = 0;   // workspaces and an allowance for gaps
  int64_t spare_bytes = 0;  // what is not reckoned, and a matrix that is expanded
  bool fits = true;
  int64_t load_bytes = 0;  // while it is loaded, or looks and listens: towers and all
  // At the peak: the window's, or before.
  int64_t total() const {
    const int64_t window = weight_bytes + feature_bytes + key_bytes + work_bytes + spare_bytes;
    return window > load_bytes ? window : load_bytes;
  }
};

// Of a CUDA device, beside what the plans reckon: workspaces of cuBLAS that come with the first
// question (32 MiB a stream on an H200), the recording of a step, lists of numbers.
constexpr int64_t kSpareOnCuda = int64_t{64} << 20;

// In the order of preference, one line at least. A line that does not fit is in its smallest form.
// Where none fits a GPU, a last line: the smallest form, with as few layers in the host's memory as
// will do.
std::vector<ModelPlan> plan_table(const ModelPlanRequest& request);
// The first line that fits, else the last.
ModelPlan choose_plan(const std::vector<ModelPlan>& table);
std::string form_text(const ModelPlan& plan);  // "native weights and int8 keys"
// Why it is not the first line: "native weights and keys need 25.70 GB, 23.90 GB are there", and
// how many layers wait elsewhere; empty when it is.
std::string why_not_first(const std::vector<ModelPlan>& table, const ModelPlanRequest& request);

// Pictures whose features have room at once: as many as the plan reckons with, and what is left of
// the room. 0 = any number.
int64_t most_features(const ModelPlanRequest& request, const ModelPlan& plan);

// What is free, less an allowance for other programs' changes: 3 %, 0.5 GB at least.
int64_t room_of_free(int64_t free_bytes);

}  // namespace vidi
