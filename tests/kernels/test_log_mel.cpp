#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "kernels/log_mel.h"
#include "model/checkpoint/safetensors.h"
#include "model/result.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

constexpr int kMels = 128;
constexpr int kHeadFrames = 160;  // the first columns, which the goldens hold in full
const std::string kPath = VIDI_TEST_DATA "/frontend/mel.safetensors";

template <class T>
std::vector<T> read_golden(const std::string& name) {
  const TensorEntry entry = read_safetensors_header(kPath).tensors.at(name);
  std::vector<T> values(entry.numel());
  EXPECT_EQ(values.size() * sizeof(T), entry.end - entry.begin) << name;
  read_file_range(kPath, entry.begin, values.data(), values.size() * sizeof(T));
  return values;
}

std::vector<float> log_mel(const std::vector<float>& samples, int n_mels = kMels) {
  at::Tensor chunk =
      at::from_blob(const_cast<float*>(samples.data()), {static_cast<int64_t>(samples.size())},
                    at::TensorOptions(at::kFloat));
  at::Tensor mel = vidi::log_mel(chunk, n_mels).contiguous();
  EXPECT_EQ(mel.sizes(), (std::vector<int64_t>{n_mels, kMelFrames}));
  return {mel.data_ptr<float>(), mel.data_ptr<float>() + mel.numel()};
}

// Deterministic noise in -1..1.
std::vector<float> make_noise(int n, uint32_t seed) {
  std::vector<float> samples;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    samples.push_back(static_cast<float>(seed >> 8) / (1 << 23) - 1);
  }
  return samples;
}

double rms(const std::vector<float>& values) {
  double squares = 0;
  for (float value : values) squares += double{value} * value;
  return std::sqrt(squares / values.size());
}

// Also fails on NaN.
void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                 double limit) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], limit) << "at " << i;
  }
}

// One column by the definition: every sum written out.
std::vector<double> plain_column(const std::vector<float>& samples, int frame, int n_mels) {
  constexpr int kSize = 400;
  const int n = static_cast<int>(samples.size());
  std::vector<double> power(kSize / 2 + 1);
  for (int k = 0; k <= kSize / 2; ++k) {
    double re = 0, im = 0;
    for (int i = 0; i < kSize; ++i) {
      int at = std::abs(frame * kHopSamples - kSize / 2 + i);
      if (at >= kChunkSamples) at = 2 * (kChunkSamples - 1) - at;
      const double turn = 2 * std::numbers::pi / kSize;
      const double value = (at < n ? samples[at] : 0) * (0.5 - 0.5 * std::cos(turn * i));
      re += value * std::cos(turn * (i * k % kSize));
      im -= value * std::sin(turn * (i * k % kSize));
    }
    power[k] = re * re + im * im;
  }
  const std::vector<float> filters = mel_filters(n_mels);
  std::vector<double> column(n_mels);
  for (int m = 0; m < n_mels; ++m) {
    double sum = 0;
    for (size_t k = 0; k < power.size(); ++k) sum += filters[m * power.size() + k] * power[k];
    column[m] = std::log10(std::max(sum, 1e-10));
  }
  return column;
}

// The filters must be the reference's: slaney's scale and slaney's norm.
TEST(LogMel, FiltersAreTheReferences) {
  expect_near(mel_filters(kMels), read_golden<float>("mel.filters"), 1e-8);
}

// Noise, a sweep and a click must give the reference's features, in full at the head and sampled
// over the chunk.
TEST(LogMel, GivesTheReferencesFeatures) {
  const auto metadata = read_safetensors_header(kPath).metadata;
  for (const std::string name : {"noise", "sweep", "click"}) {
    SCOPED_TRACE(name);
    std::vector<float> samples;
    for (int16_t value : read_golden<int16_t>("pcm." + name)) samples.push_back(value / 32768.0f);
    const std::vector<float> mel = log_mel(samples);
    std::vector<float> head, sampled;
    for (int m = 0; m < kMels; ++m) {
      head.insert(head.end(), &mel[m * kMelFrames], &mel[m * kMelFrames] + kHeadFrames);
    }
    const auto sample = nlohmann::json::parse(metadata.at("sample.mel." + name));
    for (size_t i = sample["start"]; i < mel.size(); i += sample["step"].get<size_t>())
      sampled.push_back(mel[i]);
    // The goldens' tolerance is a part of the whole tensor's rms; the head is a crop of it. (The
    // transform's float32 noise differs between processors: on the reference's own kind the sweep's
    // head is equal bit for bit.)
    const std::vector<float> whole = read_golden<float>("mel." + name);
    const double limit = 2e-4 * rms(whole);
    expect_near(sampled, whole, limit);
    expect_near(head, read_golden<float>("head." + name), limit);
  }
}

// The fast transform must agree with sums written out, at both reflected ends and at the edge of
// the last samples.
TEST(LogMel, AgreesWithThePlainSums) {
  for (int n : {kChunkSamples, kChunkSamples - 1, 48123}) {
    const std::vector<float> samples = make_noise(n, n);
    const std::vector<float> mel = log_mel(samples, 80);
    // No floor is near: noise is loud in every filter. Frames of few samples are left out below for
    // that reason.
    for (int frame : {0, 1, 2, 3, n / kHopSamples / 2, n / kHopSamples - 1}) {
      const std::vector<double> expected = plain_column(samples, frame, 80);
      for (int m = 0; m < 80; ++m) {
        ASSERT_NEAR(mel[m * kMelFrames + frame], (expected[m] + 4) / 4, 1e-5)
            << n << " " << frame << " " << m;
      }
    }
  }
}

// Silence must be -1.5 everywhere, however long.
TEST(LogMel, SilenceIsMinusOneAndAHalf) {
  for (int n : {1, 200, 16001, kChunkSamples}) {
    for (float value : log_mel(std::vector<float>(n, 0.0f))) ASSERT_EQ(value, -1.5f) << n;
  }
}

// The floor must come from the loudest value of the whole padded chunk: 8 below it, so 2 after
// scaling.
TEST(LogMel, FloorIsEightBelowTheLoudest) {
  for (int n : {3000, 3001, kChunkSamples}) {
    std::vector<float> samples(n, 0.0f);
    samples[n / 2] = 1;
    const std::vector<float> mel = log_mel(samples);
    const auto [low, high] = std::minmax_element(mel.begin(), mel.end());
    EXPECT_FLOAT_EQ(*high - *low, 2);
  }
}

// Samples left out at the end must count as zeros: cutting trailing zeros off changes no value.
TEST(LogMel, MissingSamplesAreZeros) {
  for (int n : {1, 2, 159, 160, 161, 199, 200, 201, 360, 361, 12345, 479999}) {
    const std::vector<float> samples = make_noise(n, 5);
    std::vector<float> padded = samples;
    padded.resize(kChunkSamples, 0.0f);
    ASSERT_EQ(log_mel(samples), log_mel(padded)) << n;
  }
}

// No samples, more than a chunk, and filter counts that the spectrum cannot carry must be refused.
TEST(LogMel, RefusesBadSizes) {
  for (auto [n, n_mels] :
       {std::pair{0, 1}, {kChunkSamples + 1, 1}, {16, 0}, {16, -80}, {16, 202}}) {
    try {
      vidi::log_mel(at::zeros({n}), n_mels);
      ADD_FAILURE() << n << " samples, " << n_mels << " filters were accepted";
    } catch (const std::invalid_argument&) {
    }
  }
}

}  // namespace
}  // namespace vidi
