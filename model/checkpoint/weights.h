// Takes tensors by name and expected shape, then loads them all: file -> pinned buffer -> device ->
// working dtype.
//
// clang-format off
//   Weights weights(open_checkpoint_files(folder), device, at::kHalf);
//   weights.take(layer.q, "model.layers.0.self_attn.q_proj.weight", {4096, 3584}, "num_attention_heads * head_dim");
//   weights.load(progress, cancel);                             // now layer.q is filled
// clang-format on
//
// Nothing is allocated before everything that was taken is known to be there in its right shape.
// One thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/layers/weight_matrix.h"
#include "model/cancel.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/spilled_layer.h"
#include "model/checkpoint/weight_filler.h"
#include "model/checkpoint/weight_slot.h"

namespace vidi {

// By its name in the checkpoint, a tensor of the vision or the audio tower.
bool is_of_towers(const std::string& name);

class Weights {
 public:
  Weights(CheckpointFiles files, at::Device device, at::ScalarType dtype);
  // Real shapes, random values made on the device (a benchmark's model): the same names, no file.
  static Weights random(CheckpointFiles shapes, at::Device device, at::ScalarType dtype,
                        uint64_t seed);

  // Remembers that `slot` wants this tensor. `field` says which config field the expected shape
  // follows from. `slot` must stay where it is until load(). A wrong shape throws kDamaged at once;
  // a missing tensor is remembered.
  void take(at::Tensor& slot, const std::string& name, const std::vector<int64_t>& shape,
            const std::string& field);

  // A decoder's matrix, [shape[0], shape[1]]: stored in 8 bits after pack_matrices(), where its
  // shape allows that.
  void take(WeightMatrix& slot, const std::string& name, const std::vector<int64_t>& shape,
            const std::string& field);
  void pack_matrices() { packs_ = true; }  // before take()
  // Before take(): the matrices of these layers of the decoder are filled in the host's memory.
  void spill_layers(std::vector<int64_t> layers) { spilled_ = std::move(layers); }
  // Those layers, filled; their tensors' storage is empty.
  std::vector<SpilledLayer> spilled() const;
  int64_t spilled_bytes() const;  // part of bytes_taken()

  // Several tensors of one width in one slot, one below the other in the order given, so that one
  // matrix product serves them all; vectors (columns = 0) one after the other. A part without a
  // name is zeros. Otherwise as take().
  struct Part {
    std::string name;
    int64_t rows;
    std::string field;
  };
  void take_joined(at::Tensor& slot, const std::vector<Part>& parts, int64_t columns);
  void take_joined(WeightMatrix& slot, const std::vector<Part>& parts, int64_t columns);

  // Fills every slot. Throws kDamaged (all missing tensors at once; a value the working dtype
  // cannot hold), kUnreadable, kCancelled.
  void load(const Progress& progress, const Cancel& cancel);

  // Names that the checkpoint holds and nobody took, after all take() calls.
  std::vector<std::string> unused() const;
  // Every tensor that was filled, by name as in the checkpoint (handles, no copies); not the packed
  // ones.
  std::vector<std::pair<std::string, at::Tensor>> loaded() const;
  bool packs_any() const;
  // What a product with the widest packed matrix takes beside it (WeightMatrix::expanded_bytes).
  int64_t expanded_bytes() const;
  int64_t bytes_taken() const;  // on the device, in the working dtype or packed

 private:
  using Slot = WeightSlot;
  struct Target {  // of a slot
    at::Tensor* tensor = nullptr;
    WeightMatrix* matrix = nullptr;
    bool packed = false;
  };
  bool add_slot(const Target& target, const std::string& name, const std::vector<int64_t>& shape,
                const std::string& field);
  void add_joined(const Target& target, const std::vector<Part>& parts, int64_t columns);
  void check_missing() const;
  void allocate();
  std::vector<int64_t> sizes_of(bool of_towers) const;
  void allocate_tensor(Slot& slot, const WeightMatrix::Allocate& make) const;
  void allocate_matrix(Slot& slot, const WeightMatrix::Allocate& make) const;
  void allocate_images();
  int64_t spilled_layer(const std::string& name) const;
  void fill_random();
  void check_finite() const;

  CheckpointFiles files_;
  at::Device device_;
  at::ScalarType dtype_;
  bool random_ = false, packs_ = false;
  std::vector<int64_t> spilled_;
  uint64_t seed_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::string> missing_;
};

}  // namespace vidi
