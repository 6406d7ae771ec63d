// Bytes of tensors that wait in the host's memory, pinned where a device is to fetch them: copies
// run at the full rate and beside its work then.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vidi {

class HostImage {
 public:
  HostImage() = default;
  // In pieces of `chunk_bytes`: the allocator of pinned memory rounds up to a power of two. Throws
  // when there is no such memory.
  HostImage(int64_t bytes, bool pinned, int64_t chunk_bytes = int64_t{64} << 20);

  int64_t bytes() const { return bytes_; }
  bool defined() const { return !chunks_.empty(); }

  // `bytes`: uint8 [n] of any device, contiguous, and its place here. read() does not wait for a
  // device; write() is done when it returns. Writing to different places from several threads is
  // fine.
  void read(int64_t first, const at::Tensor& bytes) const;
  void write(int64_t first, const at::Tensor& bytes);

 private:
  template <class Body>
  void each_stretch(int64_t first, const at::Tensor& bytes, Body body) const;

  int64_t bytes_ = 0, chunk_bytes_ = 1;
  std::vector<at::Tensor> chunks_;
};

// A contiguous tensor's memory as uint8 [nbytes].
at::Tensor bytes_of(const at::Tensor& tensor);

}  // namespace vidi
