// From tensors to the doors of the kernels (..._launch.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "kernels/cuda/device_limits.h"
#include "kernels/cuda/element_type.h"

namespace vidi {

// Half precision on a CUDA device that our kernels run on.
bool own_kernels_run(at::Device device, at::ScalarType dtype);

// A sentence for the user of a CUDA device that they do not run on, with the way out; "" where they
// do.
std::string why_no_own_kernels(const KernelSupport& support);

// x is such a tensor, contiguous and at a multiple of 16 bytes.
bool fits_own_kernels(const at::Tensor& x);
bool is_aligned(const at::Tensor& x);

// x [B, T, heads, D] is a part of a product's contiguous output: contiguous heads in rows that are
// the same number of elements apart throughout, all at multiples of 16 bytes.
bool has_even_rows(const at::Tensor& x);

ElementType element_type(at::ScalarType dtype);

// The stream that ATen's own work goes to, a cudaStream_t.
void* current_stream(at::Device device);

}  // namespace vidi
