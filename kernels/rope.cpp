#include "kernels/rope.h"

#include <ATen/ATen.h>

#include <cmath>

namespace vidi {

RopeTable RopeTable::make(int64_t n_positions, int64_t head_dim, double theta, at::Device device,
                          at::ScalarType dtype) {
  // float32 throughout, as the published code: the frequency, the position and their product.
  at::Tensor frequency = at::empty({head_dim / 2}, at::kFloat);
  float* f = frequency.data_ptr<float>();
  for (int64_t d = 0; d < head_dim / 2; ++d) {
    f[d] = 1.0f / std::pow(static_cast<float>(theta), static_cast<float>(2 * d) / head_dim);
  }
  at::Tensor position = at::arange(n_positions, at::TensorOptions(at::kFloat).device(device));
  at::Tensor angle = at::outer(position, frequency.to(device));
  return {angle.cos().to(dtype), angle.sin().to(dtype)};
}

at::Tensor apply_rope(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table) {
  at::Tensor cos = table.cos.index_select(0, positions.flatten());
  at::Tensor sin = table.sin.index_select(0, positions.flatten());
  cos = cos.view({x.size(0), x.size(1), 1, -1});
  sin = sin.view({x.size(0), x.size(1), 1, -1});
  const int64_t half = x.size(-1) / 2;
  at::Tensor low = x.narrow(-1, 0, half), high = x.narrow(-1, half, half);
  return at::cat({low * cos - high * sin, high * cos + low * sin}, -1);
}

}  // namespace vidi
