// Many tensors in few allocations: CUDA's allocator rounds each of its own up to 2 MiB, which for a
// 9B model comes to 0.3 GB. Tensors of one arena share storages, so they come and go together.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vidi {

class TensorArena {
 public:
  // Sizes in bytes of the tensors that will be taken, in that order. At most `most_bytes` lie
  // together, unless one alone is larger.
  TensorArena(at::Device device, const std::vector<int64_t>& sizes,
              int64_t most_bytes = int64_t{256} << 20);

  // The next tensor, uninitialised; allocates with the first of those that lie together.
  at::Tensor take(at::IntArrayRef shape, at::ScalarType dtype);

  static constexpr int64_t kLine = 512;  // bytes; where tensors begin

 private:
  struct Place {
    size_t block;
    int64_t first, bytes;
  };
  at::Device device_;
  std::vector<Place> places_;
  std::vector<int64_t> block_bytes_;
  at::Tensor block_;  // the one that is being taken from
  size_t next_ = 0;
};

}  // namespace vidi
