#include "kernels/log_mel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "model/result.h"

namespace vidi {
namespace {

constexpr int kFftSize = 400;
constexpr int kBins = kFftSize / 2 + 1;
constexpr int kMaxMels = kBins;
constexpr double kSmallestPower = 1e-10;
constexpr double kPi = 3.14159265358979323846;

// std::complex would test every product for NaN.
struct Complex {
  double re = 0, im = 0;
};
Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Complex operator*(double s, Complex a) { return {s * a.re, s * a.im}; }
Complex minus_i_times(Complex a) { return {a.im, -a.re}; }

using Signal = std::array<Complex, kFftSize>;

// exp(-2 pi i k / 400)
const Signal& roots() {
  static const Signal table = [] {
    Signal t;
    for (int k = 0; k < kFftSize; ++k)
      t[k] = {std::cos(2 * kPi * k / kFftSize), -std::sin(2 * kPi * k / kFftSize)};
    return t;
  }();
  return table;
}

// The DFT of four values, in place.
void butterfly4(Complex (&v)[4]) {
  const Complex even_sum = v[0] + v[2], even_diff = v[0] - v[2];
  const Complex odd_sum = v[1] + v[3], odd_turn = minus_i_times(v[1] - v[3]);
  v[0] = even_sum + odd_sum;
  v[1] = even_diff + odd_turn;
  v[2] = even_sum - odd_sum;
  v[3] = even_diff - odd_turn;
}

// The DFT of five values, in place: conjugate roots share their cosines and sines.
void butterfly5(Complex (&v)[5]) {
  static const double c1 = std::cos(2 * kPi / 5), c2 = std::cos(4 * kPi / 5);
  static const double s1 = std::sin(2 * kPi / 5), s2 = std::sin(4 * kPi / 5);
  const Complex sum1 = v[1] + v[4], diff1 = v[1] - v[4];
  const Complex sum2 = v[2] + v[3], diff2 = v[2] - v[3];
  const Complex even1 = v[0] + c1 * sum1 + c2 * sum2, odd1 = minus_i_times(s1 * diff1 + s2 * diff2);
  const Complex even2 = v[0] + c2 * sum1 + c1 * sum2, odd2 = minus_i_times(s2 * diff1 - s1 * diff2);
  v[0] = v[0] + sum1 + sum2;
  v[1] = even1 + odd1;
  v[2] = even2 + odd2;
  v[3] = even2 - odd2;
  v[4] = even1 - odd1;
}

// Decimation in time, 400 = 4 * 4 * 5 * 5: the DFT of n values `stride` apart. Unrolled by the
// compiler.
template <int n>
void dft(const Complex* in, int stride, Complex* out) {
  if constexpr (n == 1) {
    out[0] = in[0];
  } else {
    constexpr int radix = n % 4 == 0 ? 4 : 5;
    constexpr int part = n / radix;
    for (int r = 0; r < radix; ++r) dft<part>(in + r * stride, stride * radix, out + r * part);
    const Complex* root = roots().data();
    for (int k = 0; k < part; ++k) {
      Complex v[radix];
      for (int r = 0; r < radix; ++r) v[r] = root[r * k * (kFftSize / n)] * out[r * part + k];
      if constexpr (radix == 4)
        butterfly4(v);
      else
        butterfly5(v);
      for (int r = 0; r < radix; ++r) out[r * part + k] = v[r];
    }
  }
}

const std::array<double, kFftSize>& hann() {
  static const std::array<double, kFftSize> window = [] {
    std::array<double, kFftSize> w;
    for (int i = 0; i < kFftSize; ++i) w[i] = 0.5 - 0.5 * std::cos(2 * kPi * i / kFftSize);
    return w;
  }();
  return window;
}

// Sample `i` of the chunk: reflected at both ends, zero after the n given ones.
double sample_at(const float* samples, int n, int i) {
  if (i < 0) i = -i;
  if (i >= kChunkSamples) i = 2 * (kChunkSamples - 1) - i;
  return i < n ? samples[i] : 0.0;
}

// Power spectra of frames `frame` and `frame + 1`. Both are real, so one complex DFT of a + ib
// carries them: A[k] = (Z[k] + conj Z[-k]) / 2, B[k] = (Z[k] - conj Z[-k]) / 2i.
void power_of_two_frames(const float* samples, int n, int frame, double (&power)[2][kBins]) {
  Signal z, spectrum;
  const int start = frame * kHopSamples - kFftSize / 2;
  const bool inside = start >= 0 && start + kHopSamples + kFftSize <= n;
  for (int i = 0; i < kFftSize; ++i) {
    const int a = start + i, b = a + kHopSamples;
    z[i].re = hann()[i] * (inside ? samples[a] : sample_at(samples, n, a));
    z[i].im = hann()[i] * (inside ? samples[b] : sample_at(samples, n, b));
  }
  dft<kFftSize>(z.data(), 1, spectrum.data());
  for (int k = 0; k < kBins; ++k) {
    const Complex p = spectrum[k], q = spectrum[(kFftSize - k) % kFftSize];
    const Complex a = {p.re + q.re, p.im - q.im}, b = {p.im + q.im, q.re - p.re};
    power[0][k] = 0.25 * (a.re * a.re + a.im * a.im);
    power[1][k] = 0.25 * (b.re * b.re + b.im * b.im);
  }
}

// A triangle touches only a few bins: [begin, end) of the row.
struct Triangle {
  int begin = 0, end = 0;
};

std::vector<Triangle> find_triangles(const std::vector<float>& filters, int n_mels) {
  std::vector<Triangle> triangles(n_mels);
  for (int m = 0; m < n_mels; ++m) {
    const float* row = &filters[static_cast<size_t>(m) * kBins];
    Triangle& t = triangles[m];
    while (t.begin < kBins && row[t.begin] == 0) ++t.begin;
    for (t.end = t.begin; t.end < kBins && row[t.end] != 0;) ++t.end;
  }
  return triangles;
}

double hz_to_mel(double hz) {
  return hz < 1000 ? hz * 3 / 200 : 15 + 27 * std::log(hz / 1000) / std::log(6.4);
}

double mel_to_hz(double mel) {
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) * std::log(6.4) / 27);
}

void check_n_mels(int n_mels) {
  if (n_mels >= 1 && n_mels <= kMaxMels) return;
  throw EngineError(ErrorCode::kBadInput, "a log-mel has 1 to " + std::to_string(kMaxMels) +
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

void log_mel(const float* samples, int n, int n_mels, float* mel) {
  if (n < 1 || n > kChunkSamples) {
    throw EngineError(ErrorCode::kBadInput, "a chunk of audio has 1 to " +
                                                std::to_string(kChunkSamples) + " samples, found " +
                                                std::to_string(n));
  }
  const std::vector<float> filters = mel_filters(n_mels);
  const std::vector<Triangle> triangles = find_triangles(filters, n_mels);
  const size_t n_values = static_cast<size_t>(n_mels) * kMelFrames;

  // Frames that begin after the last sample hold zeros alone: the smallest power is their value.
  const float silence = static_cast<float>(std::log10(kSmallestPower));
  std::fill_n(mel, n_values, silence);
  float loudest = silence;
  for (int frame = 0; frame < kMelFrames && frame * kHopSamples - kFftSize / 2 < n; frame += 2) {
    double power[2][kBins];
    power_of_two_frames(samples, n, frame, power);
    for (int m = 0; m < n_mels; ++m) {
      const float* row = &filters[static_cast<size_t>(m) * kBins];
      double sums[2] = {0, 0};
      for (int k = triangles[m].begin; k < triangles[m].end; ++k) {
        for (int i = 0; i < 2; ++i) sums[i] += row[k] * power[i][k];
      }
      for (int i = 0; i < 2; ++i) {
        const float value = static_cast<float>(std::log10(std::max(sums[i], kSmallestPower)));
        mel[static_cast<size_t>(m) * kMelFrames + frame + i] = value;
        loudest = std::max(loudest, value);
      }
    }
  }

  const float floor = loudest - 8;
  for (size_t i = 0; i < n_values; ++i) mel[i] = (std::max(mel[i], floor) + 4) / 4;
}

}  // namespace vidi
