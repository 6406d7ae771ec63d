#include "kernels/layers/weight_matrix.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/packed_linear_launch.h"
#include "kernels/layers/packed_rows.h"
#include "kernels/layers/pieces.h"

namespace vidi {
namespace {

constexpr int64_t kStrip = 16, kTileColumns = 32;
// On the CPU more rows than these are multiplied with an expanded matrix, so many of its rows at a
// time that they stay in the cache.
constexpr int64_t kFewRows = 8, kExpandedRows = 256;

std::vector<int64_t> with_last(const at::Tensor& x, int64_t last) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = last;
  return shape;
}

}  // namespace

bool WeightMatrix::can_pack(int64_t n_out, int64_t n_in, at::Device device, at::ScalarType dtype) {
  if (n_out % kStrip != 0 || n_in % kTileColumns != 0) return false;
  return device.is_cpu() || own_kernels_run(device, dtype);
}

int64_t WeightMatrix::packed_bytes(int64_t n_out, int64_t n_in) {
  return n_out * n_in + n_out * packed_groups(n_in) * 2;
}

int64_t WeightMatrix::expanded_bytes(int64_t n_out, int64_t n_in, at::ScalarType dtype) {
  constexpr int64_t kMost = int64_t{512} << 20;
  const int64_t bytes = n_out * n_in * static_cast<int64_t>(at::elementSize(dtype));
  return bytes <= kMost ? bytes : 0;
}

WeightMatrix WeightMatrix::packed(int64_t n_out, int64_t n_in, at::Device device,
                                  at::ScalarType dtype, const Allocate& allocate) {
  TORCH_CHECK(can_pack(n_out, n_in, device, dtype), "WeightMatrix: [", n_out, ", ", n_in,
              "] cannot be packed on ", device);
  const auto options = at::TensorOptions(device);
  const auto make = [&](at::IntArrayRef shape, at::ScalarType type) {
    return allocate ? allocate(shape, type) : at::empty(shape, options.dtype(type));
  };
  const int64_t groups = packed_groups(n_in), strips = n_out / kStrip;
  WeightMatrix m;
  m.n_out_ = n_out, m.n_in_ = n_in, m.dtype_ = dtype;
  if (device.is_cpu()) {
    m.bytes_ = make({n_out, n_in}, at::kChar);
    m.scales_ = make({n_out, groups}, at::kFloat);
    return m;
  }
  m.bytes_ = make({strips, n_in / kTileColumns, kStrip * kTileColumns}, at::kByte);
  m.scales_ = make({strips, groups, kStrip}, at::kHalf);
  m.counters_ = at::zeros({packed_counters(n_out)}, options.dtype(at::kInt));
  return m;
}

static PackedTask task_of(const at::Tensor& bytes, const at::Tensor& scales, int64_t n_out,
                          int64_t n_in) {
  PackedTask task;
  task.weight = bytes.data_ptr(), task.scales = scales.data_ptr();
  task.n_out = n_out, task.n_in = static_cast<int>(n_in);
  return task;
}

void WeightMatrix::pack_rows(int64_t first, const at::Tensor& rows) {
  TORCH_CHECK(first % kStrip == 0 && rows.size(0) % kStrip == 0 && rows.size(1) == n_in_ &&
                  first + rows.size(0) <= n_out_,
              "WeightMatrix: rows ", rows.sizes(), " at ", first, " of [", n_out_, ", ", n_in_,
              "]");
  const at::Tensor given = rows.contiguous();
  if (device().is_cpu()) {
    const at::Tensor floats = given.to(at::kFloat);
    const int64_t groups = packed_groups(n_in_);
    at::parallel_for(0, given.size(0), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        quantize_row(floats.data_ptr<float>() + i * n_in_, n_in_,
                     bytes_.data_ptr<int8_t>() + (first + i) * n_in_,
                     scales_.data_ptr<float>() + (first + i) * groups);
    });
    return;
  }
  c10::DeviceGuard guard(device());
  launch_pack(given.data_ptr(), given.size(0), first, task_of(bytes_, scales_, n_out_, n_in_),
              element_type(given.scalar_type()), current_stream(device()));
}

WeightMatrix WeightMatrix::rows(int64_t first, int64_t n) const {
  if (!is_packed()) return WeightMatrix(native_.narrow(0, first, n));
  WeightMatrix some = *this;
  const int64_t unit = device().is_cpu() ? 1 : kStrip;
  TORCH_CHECK(first % unit == 0 && n % unit == 0, "WeightMatrix: rows ", first, " to ", first + n,
              " are no whole strips of ", kStrip);
  some.bytes_ = bytes_.narrow(0, first / unit, n / unit);
  some.scales_ = scales_.narrow(0, first / unit, n / unit);
  some.n_out_ = n;
  return some;
}

at::Tensor WeightMatrix::expanded() const {
  if (!is_packed()) return native_;
  const at::Tensor out = at::empty({n_out_, n_in_}, options());
  if (device().is_cpu()) {
    const at::Tensor floats = dtype_ == at::kFloat ? out : at::empty_like(out, at::kFloat);
    const int64_t groups = packed_groups(n_in_);
    at::parallel_for(0, n_out_, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        dequantize_row(bytes_.data_ptr<int8_t>() + i * n_in_,
                       scales_.data_ptr<float>() + i * groups, n_in_,
                       floats.data_ptr<float>() + i * n_in_);
    });
    if (!out.is_same(floats)) out.copy_(floats);
    return out;
  }
  c10::DeviceGuard guard(device());
  launch_unpack(task_of(bytes_, scales_, n_out_, n_in_), 0, n_out_, out.data_ptr(),
                element_type(dtype_), current_stream(device()));
  return out;
}

at::Tensor WeightMatrix::folded(int64_t group, int64_t width) const {
  TORCH_CHECK(n_in() % (group * width) == 0, "WeightMatrix: ", n_in(), " columns in groups of ",
              group, " heads of ", width);
  if (is_packed() && !device().is_cpu() && width % 8 == 0) {
    const at::Tensor out = at::empty({n_out_, n_in_ / group}, options());
    c10::DeviceGuard guard(device());
    launch_unpack_folded(task_of(bytes_, scales_, n_out_, n_in_), static_cast<int>(group),
                         static_cast<int>(width), out.data_ptr(), element_type(dtype_),
                         current_stream(device()));
    return out;
  }
  const at::Tensor heads = expanded().view({n_out(), -1, group, width});
  return heads.sum(2, /*keepdim=*/false, at::kFloat).to(dtype()).flatten(1);
}

at::Tensor WeightMatrix::chosen_rows(const at::Tensor& ids) const {
  if (!is_packed()) return at::embedding(native_, ids);
  std::vector<int64_t> shape = ids.sizes().vec();
  shape.push_back(n_in_);
  const at::Tensor flat = ids.contiguous().view({-1});
  if (device().is_cpu()) {
    const at::Tensor scales = scales_.index_select(0, flat);
    at::Tensor rows = bytes_.index_select(0, flat).to(at::kFloat);
    const at::Tensor columns = scales.repeat_interleave(kPackedGroup, 1).narrow(1, 0, n_in_);
    return rows.mul_(columns).to(dtype_).view(shape);
  }
  const at::Tensor out = at::empty(shape, options());
  c10::DeviceGuard guard(device());
  if (flat.numel() > 0)
    launch_unpack_rows(task_of(bytes_, scales_, n_out_, n_in_), flat.data_ptr<int64_t>(),
                       flat.numel(), out.data_ptr(), element_type(dtype_),
                       current_stream(device()));
  return out;
}

namespace {

// Few rows of x on the CPU: every weight is read once, as it lies.
void few_rows(const at::Tensor& out, const at::Tensor& x, const int8_t* q, const float* scales) {
  const int64_t n_rows = x.size(0), n_in = x.size(1), n_out = out.size(1);
  const int64_t groups = packed_groups(n_in);
  const float* from = x.data_ptr<float>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, n_out, 64, [&](int64_t begin, int64_t end) {
    float sums[kFewRows];
    std::vector<float> row(n_in);
    for (int64_t i = begin; i < end; ++i) {
      packed_dot(q + i * n_in, scales + i * groups, from, n_rows, n_in, row.data(), sums);
      for (int64_t r = 0; r < n_rows; ++r) to[r * n_out + i] = sums[r];
    }
  });
}

// [M, K] with M <= kMostPackedRows on CUDA.
void multiply_on_device(PackedProductTask task, const at::Tensor& out, const at::Tensor& x) {
  c10::DeviceGuard guard(x.device());
  task.x = x.data_ptr(), task.out = out.data_ptr(), task.rows = static_cast<int>(x.size(0));
  task.splits = packed_splits(task.n_out, task.n_in, task.rows,
                              device_limits(x.device().index()).multiprocessors);
  const int64_t floats = packed_workspace(task.n_out, task.rows, task.splits);
  const at::Tensor partial = at::empty({floats}, x.options().dtype(at::kFloat));
  if (floats > 0) task.partial = partial.data_ptr<float>();
  launch_packed_product(task, element_type(x.scalar_type()), current_stream(x.device()));
}

}  // namespace

at::Tensor packed_product(const at::Tensor& x, const WeightMatrix& weight) {
  const int64_t n_in = weight.n_in(), n_out = weight.n_out();
  const at::Tensor rows = x.reshape({-1, n_in}).contiguous();
  const std::vector<int64_t> shape = with_last(x, n_out);
  if (rows.size(0) == 0) return at::empty(shape, x.options());
  if (!x.is_cpu()) {
    const bool expands = WeightMatrix::expanded_bytes(n_out, n_in, weight.dtype()) > 0;
    if (expands && rows.size(0) > kMostPackedRows) return apply_linear(x, weight.expanded());
    const at::Tensor out = at::empty({rows.size(0), n_out}, x.options());
    PackedProductTask task;
    static_cast<PackedTask&>(task) = task_of(weight.bytes_, weight.scales_, n_out, n_in);
    task.counters = static_cast<unsigned*>(weight.counters_.data_ptr());
    for (int64_t at = 0; at < rows.size(0); at += kMostPackedRows) {
      const int64_t n = std::min<int64_t>(kMostPackedRows, rows.size(0) - at);
      multiply_on_device(task, out.narrow(0, at, n), rows.narrow(0, at, n));
    }
    return out.view(shape);
  }
  const at::Tensor floats = rows.to(at::kFloat);
  const at::Tensor out = at::empty({rows.size(0), n_out}, floats.options());
  if (rows.size(0) <= kFewRows) {
    interruption_point();
    few_rows(out, floats, weight.bytes_.data_ptr<int8_t>(), weight.scales_.data_ptr<float>());
  } else {
    for (int64_t at = 0; at < n_out; at += kExpandedRows) {
      const int64_t n = std::min(kExpandedRows, n_out - at);
      const at::Tensor some = weight.rows(at, n).expanded().to(at::kFloat);
      out.narrow(1, at, n).copy_(apply_linear(floats, some));
    }
  }
  return out.to(x.scalar_type()).view(shape);
}

at::Tensor apply_linear(const at::Tensor& x, const WeightMatrix& weight) {
  return weight.is_packed() ? packed_product(x, weight) : apply_linear(x, weight.native());
}

void apply_linear_into(const at::Tensor& out, const at::Tensor& x, const WeightMatrix& weight) {
  if (!weight.is_packed()) return apply_linear_into(out, x, weight.native());
  const bool expands =
      WeightMatrix::expanded_bytes(weight.n_out(), weight.n_in(), weight.dtype()) > 0;
  if (!x.is_cpu() && expands && x.size(0) > kMostPackedRows)
    return apply_linear_into(out, x, weight.expanded());
  out.copy_(packed_product(x, weight));
}

}  // namespace vidi
