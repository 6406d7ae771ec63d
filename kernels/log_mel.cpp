#include "kernels/log_mel.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/aten.h"

namespace vidi {
namespace {

constexpr int kFftSize = 400;
constexpr int kBins = kFftSize / 2 + 1;
constexpr int kMaxMels = kBins;
constexpr double kSmallestPower = 1e-10;

double hz_to_mel(double hz) {
  return hz < 1000 ? hz * 3 / 200 : 15 + 27 * std::log(hz / 1000) / std::log(6.4);
}

double mel_to_hz(double mel) {
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) * std::log(6.4) / 27);
}

void check_n_mels(int n_mels) {
  if (n_mels >= 1 && n_mels <= kMaxMels) return;
  throw std::invalid_argument("a log-mel has 1 to " + std::to_string(kMaxMels) +
                              " filters, asked for " + std::to_string(n_mels));
}

}  // namespace

std::vector<float> mel_filters(int n_mels) {
  check_n_mels(n_mels);
  std::vector<double> edges_hz(n_mels + 2);
  const double top = hz_to_mel(kSampleRateHz / 2);
  for (int i = 0; i < n_mels + 2; ++i) edges_hz[i] = mel_to_hz(top * i / (n_mels + 1));
  std::vector<float> filters(static_cast<size_t>(n_mels) * kBins);
  for (int m = 0; m < n_mels; ++m) {
    const double low = edges_hz[m], peak = edges_hz[m + 1], high = edges_hz[m + 2];
    for (int k = 0; k < kBins; ++k) {
      const double hz = static_cast<double>(k) * kSampleRateHz / kFftSize;
      const double height = std::min((hz - low) / (peak - low), (high - hz) / (high - peak));
      filters[static_cast<size_t>(m) * kBins + k] =
          static_cast<float>(std::max(0.0, height) * 2 / (high - low));
    }
  }
  return filters;
}

at::Tensor log_mel(const at::Tensor& samples, int n_mels) {
  const int64_t n = samples.numel();
  if (n < 1 || n > kChunkSamples) {
    throw std::invalid_argument("a chunk of audio has 1 to " + std::to_string(kChunkSamples) +
                                " samples, found " + std::to_string(n));
  }
  std::vector<float> rows = mel_filters(n_mels);
  at::Tensor filters = at::from_blob(rows.data(), {n_mels, kBins}).to(samples.device());
  at::Tensor chunk = at::constant_pad_nd(samples, {0, kChunkSamples - n});
  at::Tensor window = at::hann_window(kFftSize, chunk.options());
  at::Tensor spectrum = at::stft(chunk, kFftSize, kHopSamples, kFftSize, window, /*center=*/true,
                                 "reflect", /*normalized=*/false, /*onesided=*/true,
                                 /*return_complex=*/true);
  at::Tensor power =
      spectrum.narrow(-1, 0, kMelFrames).abs().square();  // the last frame is dropped
  at::Tensor levels = filters.matmul(power).clamp_min(kSmallestPower).log10();
  return (at::maximum(levels, levels.max() - 8.0) + 4.0) / 4.0;
}

}  // namespace vidi
