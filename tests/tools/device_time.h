// Times for the benchmarks of kernels.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "model/device/device.h"
#include "tests/support/aten.h"

namespace vidi {

// Median seconds of one call among many in a row on the first GPU, so that the host's own time is
// hidden behind the device's as far as it goes. The first row of calls is not counted.
inline double device_time(const std::function<void()>& call, int n_calls = 20) {
  constexpr int kTimes = 7;
  const at::Device device(at::kCUDA, 0);
  std::vector<double> seconds;
  for (int i = 0; i <= kTimes; ++i) {
    synchronize(device);
    const auto start = std::chrono::steady_clock::now();
    for (int n = 0; n < n_calls; ++n) call();
    synchronize(device);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / n_calls);
  }
  std::sort(seconds.begin() + 1, seconds.end());
  return seconds[1 + kTimes / 2];
}

// GB/s of a copy far larger than any cache, bytes read and written.
inline double plain_copy_gbs() {
  at::Tensor from = at::zeros({int64_t{2} << 30}, at::TensorOptions(at::kByte).device(at::kCUDA));
  at::Tensor to = at::empty_like(from);
  return 2.0 * from.numel() / 1e9 / device_time([&] { to.copy_(from); });
}

}  // namespace vidi
