#include "kernels/cuda/dispatch.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace vidi {

bool own_kernels_run(at::Device device, at::ScalarType dtype) {
  return device.is_cuda() && (dtype == at::kHalf || dtype == at::kBFloat16) &&
         device_limits(device.index()).multiprocessors > 0;
}

std::string why_no_own_kernels(const KernelSupport& support) {
  const std::string instead = ", libtorch's are used instead";
  const std::string version =
      std::to_string(support.capability / 10) + "." + std::to_string(support.capability % 10);
  if (support.has_code) return "";
  if (!support.built) return "this build has no CUDA kernels of its own (no nvcc)" + instead;
  if (support.capability == 0) return "the GPU does not tell its compute capability" + instead;
  if (support.capability < 80)
    return "our CUDA kernels need compute capability 8.0, the GPU has " + version + instead;
  return "this build has no kernels for the GPU's compute capability " + version + instead +
         ": build with -Dgpu_arch=" + std::to_string(support.capability);
}

bool is_aligned(const at::Tensor& x) { return reinterpret_cast<uintptr_t>(x.data_ptr()) % 16 == 0; }

bool fits_own_kernels(const at::Tensor& x) {
  return own_kernels_run(x.device(), x.scalar_type()) && x.is_contiguous() && is_aligned(x);
}

bool has_even_rows(const at::Tensor& x) {
  return x.dim() == 4 && x.stride(3) == 1 && x.stride(2) == x.size(3) && x.stride(1) % 8 == 0 &&
         (x.size(0) == 1 || x.stride(0) == x.size(1) * x.stride(1)) && is_aligned(x);
}

ElementType element_type(at::ScalarType dtype) {
  TORCH_CHECK(dtype == at::kHalf || dtype == at::kBFloat16, "no kernels for ", dtype);
  return dtype == at::kHalf ? ElementType::kHalf : ElementType::kBFloat16;
}

void* current_stream(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device).native_handle();
}

}  // namespace vidi
