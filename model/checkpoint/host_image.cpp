#include "model/checkpoint/host_image.h"

#include <algorithm>

#include "kernels/aten.h"

namespace vidi {

HostImage::HostImage(int64_t bytes, bool pinned, int64_t chunk_bytes)
    : bytes_(bytes), chunk_bytes_(chunk_bytes) {
  const auto options = at::TensorOptions(at::kByte).pinned_memory(pinned);
  for (int64_t at = 0; at < bytes; at += chunk_bytes)
    chunks_.push_back(at::empty({std::min(chunk_bytes, bytes - at)}, options));
}

template <class Body>
void HostImage::each_stretch(int64_t first, const at::Tensor& bytes, Body body) const {
  TORCH_CHECK(first >= 0 && first + bytes.numel() <= bytes_, "HostImage: ", bytes.numel(),
              " bytes at ", first, " of ", bytes_);
  for (int64_t done = 0; done < bytes.numel();) {
    const int64_t place = first + done, in_chunk = place % chunk_bytes_;
    const int64_t n = std::min(bytes.numel() - done, chunk_bytes_ - in_chunk);
    body(bytes.narrow(0, done, n), chunks_[place / chunk_bytes_].narrow(0, in_chunk, n));
    done += n;
  }
}

void HostImage::read(int64_t first, const at::Tensor& bytes) const {
  each_stretch(first, bytes, [](const at::Tensor& theirs, const at::Tensor& ours) {
    theirs.copy_(ours, /*non_blocking=*/true);
  });
}

void HostImage::write(int64_t first, const at::Tensor& bytes) {
  each_stretch(first, bytes,
               [](const at::Tensor& theirs, const at::Tensor& ours) { ours.copy_(theirs); });
}

at::Tensor bytes_of(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.is_contiguous(), "bytes_of: a tensor with gaps");
  return at::from_blob(tensor.data_ptr(), {static_cast<int64_t>(tensor.nbytes())},
                       at::TensorOptions(at::kByte).device(tensor.device()));
}

}  // namespace vidi
