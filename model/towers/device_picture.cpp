// Only libtorch's own operations, on whatever device the planes are: in integers, so that the CPU,
// where tests run, and CUDA give the same bits.
#include "model/towers/device_picture.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "kernels/aten.h"
#include "kernels/pixels/resize_taps.h"
#include "kernels/pixels/yuv_tables.h"
#include "model/to_result.h"

namespace vidi {
namespace {

constexpr int kRows = 1, kColumns = 2;  // dimensions

[[noreturn]] void refuse(const std::string& message) {
  throw EngineError(ErrorCode::kBadInput, message);
}

void check_size(const char* what, int size) {
  if (size >= 1 && size <= kMaxResize) return;
  refuse(std::string("the ") + what + " must be 1 to " + std::to_string(kMaxResize) +
         " pixels, found " + std::to_string(size));
}

at::Device device_of(const DevicePicture& picture) {
  if (picture.on_host) return at::kCPU;
  if (!at::hasCUDA()) {
    throw EngineError(ErrorCode::kUnsupported,
                      "a picture in CUDA memory needs an engine built with CUDA and a CUDA device, "
                      "found an engine or a machine without");
  }
  at::globalContext().lazyInitDevice(at::kCUDA);
  return at::globalContext().getDeviceFromPtr(const_cast<void*>(picture.planes[0].data), at::kCUDA);
}

// A stream of our own: behind the model's kernels a picture would wait for seconds.
std::optional<c10::StreamGuard> own_stream(at::Device device) {
  if (device.is_cpu()) return std::nullopt;
  const c10::impl::VirtualGuardImpl streams(device.type());
  return std::make_optional<c10::StreamGuard>(
      streams.getStreamFromGlobalPool(device, /*isHighPriority=*/true));
}

// ---- Reading planes ----------------------------------------------------------------------------

// [channels, rows, columns] of a plane whose pixels are `channels` values, where they are.
at::Tensor view_of(const DevicePicture& picture, int i, at::Device device, at::ScalarType dtype,
                   int64_t channels, int64_t rows, int64_t columns) {
  const DevicePicture::Plane& plane = picture.planes[i];
  const int64_t bytes = dtype == at::kShort ? 2 : 1;
  const auto address = reinterpret_cast<uintptr_t>(plane.data);
  const auto stride = static_cast<int64_t>(plane.stride);
  if (!plane.data || stride < columns * channels * bytes || stride % bytes != 0 ||
      address % bytes != 0) {
    refuse("plane " + std::to_string(i) + " of a picture needs rows of at least " +
           std::to_string(columns * channels * bytes) + " bytes, found a stride of " +
           std::to_string(plane.stride));
  }
  return at::from_blob(const_cast<void*>(plane.data), {channels, rows, columns},
                       {1, stride / bytes, channels}, at::TensorOptions(dtype).device(device));
}

struct Yuv {
  at::Tensor y, u, v;  // [height, width] int32; chroma at its own size
};

Yuv read_yuv(const DevicePicture& p, at::Device device) {
  const int64_t half_width = (p.width + 1) / 2, half_height = (p.height + 1) / 2;
  const at::ScalarType dtype = p.format == PixelFormat::kP010 ? at::kShort : at::kByte;
  const at::Tensor y = view_of(p, 0, device, dtype, 1, p.height, p.width)[0].to(at::kInt);
  if (p.format == PixelFormat::kI420) {
    const auto chroma = [&](int i) {
      return view_of(p, i, device, dtype, 1, half_height, half_width)[0].to(at::kInt);
    };
    return {y, chroma(1), chroma(2)};
  }
  const at::Tensor uv = view_of(p, 1, device, dtype, 2, half_height, half_width).to(at::kInt);
  return {y, uv[0], uv[1]};
}

// Ten bits in sixteen, filled up as GStreamer does it before it interpolates.
void widen(at::Tensor& words) {
  words = words.bitwise_and(0xFFFF);
  words.bitwise_or_(words.bitwise_right_shift(10));
}

// ---- Y'CbCr to RGB -----------------------------------------------------------------------------

// Twice as many samples along `dim`, then cut to `size`. Between two samples stand 3:1 and 1:3, or,
// where every other position has a sample of its own, their mean. Edges repeat.
at::Tensor double_along(const at::Tensor& chroma, int dim, int64_t size, bool at_samples) {
  const at::Tensor position = at::arange(size, chroma.options().dtype(at::kLong));
  const at::Tensor near = position.bitwise_right_shift(1);
  const at::Tensor odd = position.bitwise_and(1);
  const at::Tensor step = at_samples ? odd : odd.mul(2).sub_(1);
  const at::Tensor far = near.add(step).clamp_(0, chroma.size(dim) - 1);
  at::Tensor sum = chroma.index_select(dim, far);
  const at::Tensor own = chroma.index_select(dim, near);
  if (at_samples) return sum.add_(own).add_(1).bitwise_right_shift_(1);
  return sum.add_(own, 3).add_(2).bitwise_right_shift_(2);
}

// Across first, as GStreamer rounds.
at::Tensor full_chroma(const DevicePicture& p, const at::Tensor& chroma) {
  return double_along(double_along(chroma, 1, p.width, p.chroma_at_left), 0, p.height, false);
}

at::Tensor look_up(const YuvTables::Table& table, const at::Tensor& values) {
  const at::Tensor entries =
      at::from_blob(const_cast<int32_t*>(table.data()), {static_cast<int64_t>(table.size())},
                    at::TensorOptions(at::kInt))
          .to(values.device());
  return entries.index_select(0, values.flatten()).view_as(values);
}

at::Tensor to_bytes(at::Tensor sum, int bits) {
  return sum.bitwise_right_shift_(bits).clamp_(0, 255).to(at::kByte);
}

at::Tensor yuv_to_rgb(const DevicePicture& p, at::Device device) {
  const bool deep = p.format == PixelFormat::kP010;
  Yuv yuv = read_yuv(p, device);
  if (deep) {
    for (at::Tensor* words : {&yuv.y, &yuv.u, &yuv.v}) widen(*words);
  }
  yuv.u = full_chroma(p, yuv.u), yuv.v = full_chroma(p, yuv.v);
  if (deep) {
    for (at::Tensor* words : {&yuv.y, &yuv.u, &yuv.v}) words->bitwise_right_shift_(6);
  }
  const YuvTables tables(p.kr, p.kb, p.full_range, deep ? 10 : 8);
  const at::Tensor luma = look_up(tables.luma, yuv.y);
  const at::Tensor green = look_up(tables.green_u, yuv.u).add_(look_up(tables.green_v, yuv.v));
  return at::stack({to_bytes(look_up(tables.red_v, yuv.v).add_(luma), YuvTables::kBits),
                    to_bytes(luma.add(green), YuvTables::kBits),
                    to_bytes(look_up(tables.blue_u, yuv.u).add_(luma), YuvTables::kBits)});
}

// [3, height, width] bytes.
at::Tensor read_rgb(const DevicePicture& p, at::Device device) {
  switch (p.format) {
    case PixelFormat::kRgb:
      return view_of(p, 0, device, at::kByte, 3, p.height, p.width);
    case PixelFormat::kRgba:
      return view_of(p, 0, device, at::kByte, 4, p.height, p.width).narrow(0, 0, 3);
    case PixelFormat::kBgra:
      return view_of(p, 0, device, at::kByte, 4, p.height, p.width).narrow(0, 0, 3).flip(0);
    default:
      return yuv_to_rgb(p, device);
  }
}

// ---- Resizing ----------------------------------------------------------------------------------

// One pass of resize_bicubic() along `dim` of [3, rows, columns] bytes: one step a tap, each for
// all target positions at once.
at::Tensor filter(const at::Tensor& pixels, int dim, int side) {
  const int64_t size = pixels.size(dim);
  const Taps taps = make_taps(static_cast<int>(size), side);
  std::vector<int64_t> sources(static_cast<size_t>(taps.stride) * side);  // [tap, target position]
  std::vector<int32_t> weights(sources.size());
  for (int i = 0; i < side; ++i) {
    for (int t = 0; t < taps.stride; ++t) {
      const size_t at = static_cast<size_t>(t) * side + i;
      sources[at] = std::min<int64_t>(taps.first[i] + t, size - 1);
      weights[at] = t < taps.count[i] ? taps.weights_of(i)[t] : 0;
    }
  }
  const at::Tensor source =
      at::from_blob(sources.data(), {taps.stride, side}, at::kLong).to(pixels.device());
  const at::Tensor weight =
      at::from_blob(weights.data(), {taps.stride, side}, at::kInt).to(pixels.device());

  std::vector<int64_t> shape = pixels.sizes().vec(), along(3, 1);
  shape[dim] = along[dim] = side;
  at::Tensor sums = at::full(shape, 1 << (kTapBits - 1), pixels.options().dtype(at::kInt));
  for (int t = 0; t < taps.stride; ++t) {
    sums.addcmul_(pixels.index_select(dim, source[t]).to(at::kInt), weight[t].view(along));
  }
  return to_bytes(sums, kTapBits);
}

// [3, side, side], as turn_square() does it.
at::Tensor turned(at::Tensor pixels, const Orientation& orientation) {
  if (orientation.mirrored_x) pixels = pixels.flip(kColumns);
  if (orientation.mirrored_y) pixels = pixels.flip(kRows);
  return orientation.transposed ? pixels.transpose(kRows, kColumns) : pixels;
}

void shrink(const DevicePicture& picture, int side, uint8_t* rgb) {
  check_size("picture's width", picture.width);
  check_size("picture's height", picture.height);
  check_size("target's side", side);
  const at::Device device = device_of(picture);
  const auto stream = own_stream(device);
  at::Tensor pixels = read_rgb(picture, device);
  const bool columns_first =
      columns_come_first(picture.width, picture.height, side, picture.orientation);
  for (int dim : {columns_first ? kRows : kColumns, columns_first ? kColumns : kRows}) {
    pixels = filter(pixels, dim, side);
  }
  pixels = turned(pixels, picture.orientation);
  // Waits for the device.
  at::from_blob(rgb, {side, side, 3}, at::kByte).copy_(pixels.permute({1, 2, 0}));
}

}  // namespace

Result<bool> shrink_picture(const DevicePicture& picture, int side, uint8_t* rgb) noexcept {
  return to_result<bool>([&] {
    shrink(picture, side, rgb);
    return true;
  });
}

}  // namespace vidi
