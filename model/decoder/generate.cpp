#include "model/decoder/generate.h"

#include <algorithm>

namespace vidi {
namespace {

constexpr size_t kRepeats = 4, kMinRepeatedTokens = 24, kMaxPeriod = 64;

}  // namespace

bool repeats_itself(const std::vector<int>& ids) {
  for (size_t period = 1; period <= kMaxPeriod; ++period) {
    const size_t n = std::max(kRepeats * period, kMinRepeatedTokens);
    if (ids.size() < n) return false;  // longer periods need more tokens still
    auto tail = ids.end() - static_cast<std::ptrdiff_t>(n);
    if (std::equal(tail + static_cast<std::ptrdiff_t>(period), ids.end(), tail)) return true;
  }
  return false;
}

}  // namespace vidi
