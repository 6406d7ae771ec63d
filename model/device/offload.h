// The weights of both towers as one load that can leave the device and come back, so that a
// window's keys and values find their room: the towers are done when the decoder's stream begins.
//
// Only memory moves. The tensors stay the same objects (what the towers hold, what the list of
// weights holds, parts of joined tensors): while the towers are away their storage is empty, and
// using one is an exception. No CUDA graph holds an address of theirs: CudaGraph records the
// decoder's passes alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "model/checkpoint/host_image.h"

namespace vidi {

class Offload {
 public:
  Offload() = default;
  // Any number of tensors of one device, also several that share their memory. `chunk_bytes`: of
  // HostImage.
  explicit Offload(const std::vector<at::Tensor>& weights, int64_t chunk_bytes = int64_t{64} << 20);

  int64_t bytes() const { return bytes_; }
  bool on_device() const { return on_device_; }

  // Frees their memory on the device. The first time they are copied to pinned memory of the host,
  // which stays: weights never change.
  void leave();
  // In the order of the current stream. When there is no room for all of them, the allocator's
  // exception goes out and none is back.
  void come_back();

 private:
  struct Part {
    c10::Storage storage;
    int64_t bytes, first;  // place among the bytes of all
  };
  void copy_to_host();
  at::Tensor view(const Part& part, void* memory) const;

  int64_t chunk_bytes_ = 0, bytes_ = 0;
  bool on_device_ = true;
  std::vector<Part> parts_;
  HostImage host_;  // not defined until the first leave()
};

}  // namespace vidi
