#include "kernels/pixels/resize_taps.h"

#include <algorithm>
#include <cmath>

namespace vidi {
namespace {

constexpr double kCubicSupport = 2.0;  // source pixels each way, at scale 1

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// Half away from zero, like the reference.
int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kTapBits);
  return static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

}  // namespace

// The order of the double operations decides some weights' last bit, so it is part of "bit for
// bit".
Taps make_taps(int source_size, int target_size) {
  const double scale = static_cast<double>(source_size) / target_size;
  const double stretch = std::max(scale, 1.0);
  const double support = kCubicSupport * stretch;
  Taps taps;
  taps.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.first.resize(target_size);
  taps.count.resize(target_size);
  taps.weights.resize(static_cast<size_t>(target_size) * taps.stride);
  std::vector<double> exact(taps.stride);
  for (int i = 0; i < target_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int count = std::min(source_size, static_cast<int>(center + support + 0.5)) - first;
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      exact[t] = cubic((t + first - center + 0.5) * (1.0 / stretch));
      sum += exact[t];
    }
    int32_t* weights = &taps.weights[static_cast<size_t>(i) * taps.stride];
    for (int t = 0; t < count; ++t) weights[t] = to_fixed(sum != 0 ? exact[t] / sum : exact[t]);
    taps.first[i] = first;
    taps.count[i] = count;
  }
  return taps;
}

}  // namespace vidi
