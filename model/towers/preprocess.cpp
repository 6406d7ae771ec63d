#include "model/towers/preprocess.h"

#include <ATen/Parallel.h>

#include <string>

#include "kernels/aten.h"
#include "kernels/log_mel.h"
#include "kernels/pixels/resize.h"
#include "model/result.h"

namespace vidi {
namespace {

void check_frame(const Frame& frame) {
  if (frame.rgb && frame.width > 0 && frame.height > 0 &&
      frame.stride >= static_cast<size_t>(frame.width) * 3) {
    return;
  }
  throw EngineError(ErrorCode::kBadInput, "a frame of " + std::to_string(frame.width) + " x " +
                                              std::to_string(frame.height) + " with a stride of " +
                                              std::to_string(frame.stride) +
                                              " bytes, expected RGB rows of at least 1 pixel");
}

}  // namespace

at::Tensor make_pixels(const Frame* frames, size_t n_frames, int side, at::Device device,
                       at::ScalarType dtype) {
  for (size_t i = 0; i < n_frames; ++i) check_frame(frames[i]);
  at::TensorOptions options = at::TensorOptions(at::kByte).pinned_memory(device.is_cuda());
  at::Tensor bytes = at::empty({static_cast<int64_t>(n_frames), side, side, 3}, options);
  uint8_t* out = bytes.data_ptr<uint8_t>();
  at::parallel_for(0, n_frames, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Frame& f = frames[i];
      resize_bicubic(f.rgb, f.width, f.height, f.stride, out + i * side * side * 3, side);
    }
  });
  at::Tensor x = bytes.to(device, /*non_blocking=*/true).permute({0, 3, 1, 2}).to(at::kFloat);
  return x.div_(255.0).sub_(0.5).div_(0.5).to(dtype).contiguous();
}

at::Tensor make_mel(const float* samples, int n, int n_mels, at::Device device,
                    at::ScalarType dtype) {
  // libtorch wants a pointer it could write through; nothing does.
  at::Tensor chunk = at::from_blob(const_cast<float*>(samples), {n}, at::TensorOptions(at::kFloat));
  return log_mel(chunk.to(device), n_mels).unsqueeze(0).to(dtype);
}

}  // namespace vidi
