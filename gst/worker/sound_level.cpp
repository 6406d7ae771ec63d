#include "gst/worker/sound_level.h"

#include <algorithm>
#include <cmath>

namespace vidi {
namespace {

constexpr size_t kTenth = 1600;               // samples
constexpr std::ptrdiff_t kSecond = 10;        // levels
constexpr std::ptrdiff_t kInBackground = 10;  // one in so many levels is below it
constexpr double kChange_dB = 6;

// Sums of what is to be one level.
struct Tenth {
  size_t n = 0;
  double sum = 0, squares = 0;

  void add(float sample) { ++n, sum += sample, squares += double{sample} * sample; }
  double level() const {
    const double count = static_cast<double>(n), mean = sum / count;
    const double power = squares / count - mean * mean;
    return power > 0 ? std::max(10 * std::log10(power), kSilence_dB) : kSilence_dB;
  }
};

double loudest(const double* begin, const double* end) {
  return begin == end ? kSilence_dB : *std::max_element(begin, end);
}

}  // namespace

std::vector<double> levels_of(const SoundChunks& audio, int64_t skip) {
  std::vector<double> levels;
  Tenth tenth;
  for (const auto& chunk : audio) {
    for (const float sample : chunk->samples) {
      if (skip-- > 0) continue;
      tenth.add(sample);
      if (tenth.n < kTenth) continue;
      levels.push_back(tenth.level());
      tenth = {};
    }
  }
  return levels;
}

LeftSound left_sound(const std::vector<double>& levels) {
  if (levels.empty()) return {};
  std::vector<double> sorted = levels;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size()) / kInBackground;
  std::nth_element(sorted.begin(), at, sorted.end());
  const double* end = levels.data() + levels.size();
  return {*at, loudest(end - std::min<std::ptrdiff_t>(kSecond, end - levels.data()), end)};
}

bool differs(const std::vector<double>& levels, const LeftSound& left) {
  const double* at = levels.data();
  const double* const end = at + levels.size();
  if (loudest(at, end) >= left.background + kChange_dB) return true;
  do {  // what is left over at the end belongs to the last second
    const double* const next = end - at < 2 * kSecond ? end : at + kSecond;
    if (loudest(at, next) <= left.end - kChange_dB) return true;
    at = next;
  } while (at != end);
  return false;
}

}  // namespace vidi
