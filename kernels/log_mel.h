// Whisper's log-mel features of one 30 s chunk, in float32 through libtorch's STFT, on the CPU or
// on CUDA.
//
// Zero-padded to 480000 samples, n_fft 400, hop 160, periodic Hann, centred with reflection, last
// frame dropped, power spectrum, 128 slaney filters 0..8000 Hz, log10(max(x, 1e-10)), floor at the
// chunk's maximum - 8, (x + 4) / 4.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vidi {

inline constexpr int kSampleRateHz = 16000;
inline constexpr int kChunkSamples = 480000;
inline constexpr int kMelFrames = 3000;
inline constexpr int kHopSamples = 160;

// Slaney-scale, slaney-normalised filters, [n_mels, 201] row-major.
std::vector<float> mel_filters(int n_mels);

// `samples` float32 [n], mono 16 kHz, -1..1, 0 < n <= kChunkSamples, on any device -> float32
// [n_mels, kMelFrames] on the same. Throws std::invalid_argument.
at::Tensor log_mel(const at::Tensor& samples, int n_mels);

}  // namespace vidi
