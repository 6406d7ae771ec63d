// A place in a model that wants one of the checkpoint's tensors, or a part of a joined one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/layers/weight_matrix.h"
#include "model/checkpoint/host_image.h"
#include "model/checkpoint/safetensors.h"

namespace vidi {

// Of a checkpoint's numbers; empty: no floating point that we read.
std::optional<at::ScalarType> float_type(Dtype dtype);

// Where a matrix of a layer that waits in the host's memory is filled: its bytes, and with a packed
// one its scales.
struct SpilledPlace {
  std::shared_ptr<HostImage> image;
  int64_t first = 0, scales_first = 0;
};

struct WeightSlot {
  at::Tensor* tensor = nullptr;    // or
  WeightMatrix* matrix = nullptr;  // which is native or packed
  bool packed = false;
  std::string name;
  CheckpointFiles::Place place;
  int64_t first_row = 0, rows_in_all = 0;  // of a joined slot; rows_in_all = 0: not joined
  bool makes_all = false;                  // the first part of a joined slot
  at::Tensor values{};     // the slot's tensor, or its rows of it; not packed, not spilled
  int64_t layer = -1;      // of the decoder, where it is spilled
  SpilledPlace spilled{};  // of the whole matrix
  bool is_spilled() const { return layer >= 0; }
  const std::vector<int64_t>& shape() const { return place.entry.shape; }
  int64_t rows() const { return rows_in_all > 0 ? rows_in_all : shape()[0]; }
};

}  // namespace vidi
