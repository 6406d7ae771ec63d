#include "model/checkpoint/tensor_arena.h"

#include <c10/util/Exception.h>

#include "kernels/aten.h"

namespace vidi {

TensorArena::TensorArena(at::Device device, const std::vector<int64_t>& sizes, int64_t most_bytes)
    : device_(device) {
  for (const int64_t bytes : sizes) {
    const int64_t in_lines = (bytes + kLine - 1) / kLine * kLine;
    if (block_bytes_.empty() || block_bytes_.back() + in_lines > most_bytes)
      block_bytes_.push_back(0);
    places_.push_back({block_bytes_.size() - 1, block_bytes_.back(), bytes});
    block_bytes_.back() += in_lines;
  }
}

at::Tensor TensorArena::take(at::IntArrayRef shape, at::ScalarType dtype) {
  TORCH_CHECK(next_ < places_.size(), "TensorArena: more tensors than were announced");
  const Place& place = places_[next_];
  const int64_t bytes =
      c10::multiply_integers(shape) * static_cast<int64_t>(at::elementSize(dtype));
  TORCH_CHECK(bytes == place.bytes, "TensorArena: ", bytes, " bytes, announced ", place.bytes);
  if (next_ == 0 || places_[next_ - 1].block != place.block)
    block_ = at::empty({block_bytes_[place.block]}, at::TensorOptions(at::kByte).device(device_));
  const at::Tensor tensor = block_.narrow(0, place.first, bytes).view(dtype).view(shape);
  if (++next_ == places_.size()) block_ = at::Tensor();
  return tensor;
}

}  // namespace vidi
