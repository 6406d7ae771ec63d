// Whole models with weights, or keys and values, of 8 bits, or both, beside the same models as they
// are: how far keys, values and logits may be off, by the bars of the design. Both families, random
// weights and the trained small model; the trained one has no outliers, so this shows the plumbing
// and not what real weights do.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/support/aten.h"
#include "tests/support/golden.h"

namespace vidi {
namespace {

struct Mode {
  const char* device;
  Precision precision;
};

struct Form {
  WeightFormat weights = WeightFormat::kNative;
  KeyFormat keys = KeyFormat::kNative;
  double most_off = 0;  // of keys and values
};
constexpr Form kNative, kInt8Keys{WeightFormat::kNative, KeyFormat::kInt8, 0.01},
    kInt8Weights{WeightFormat::kInt8, KeyFormat::kNative, 0.04},
    kInt8{WeightFormat::kInt8, KeyFormat::kInt8, 0.04};

std::unique_ptr<VidiSession> session_of(const std::string& folder, const Mode& mode,
                                        const Form& form) {
  OpenOptions options;
  options.folder = folder, options.device = mode.device, options.precision = mode.precision;
  options.weights = form.weights, options.keys = form.keys;
  return VidiSession::load(options, Cancel());
}

double rms(const at::Tensor& x) { return x.square().mean().sqrt().item<double>(); }

double relative_rms(const at::Tensor& found, const at::Tensor& expected) {
  return rms(found - expected) / rms(expected);
}

bool is_key_or_value(const std::string& stage) {
  return stage.starts_with("decoder.layer") &&
         (stage.ends_with("_key") || stage.ends_with("_value"));
}

// Logits of the steps that follow from the same tokens: up to the first id that differs.
int64_t n_comparable(const Stages& a, const Stages& b) {
  const at::Tensor &ids = a.tensors.at("output.ids"), &others = b.tensors.at("output.ids");
  const int64_t n = std::min(ids.size(0), others.size(0));
  int64_t same = 0;
  while (same < n && ids[same].item<int64_t>() == others[same].item<int64_t>()) ++same;
  const int64_t n_logits =
      std::min(a.tensors.at("decoder.logits").size(0), b.tensors.at("decoder.logits").size(0));
  return std::min(same + 1, n_logits);
}

class Packed : public testing::TestWithParam<GoldenCase> {
 protected:
  void expect_bars(const Mode& mode) {
    const GoldenCase& golden = GetParam();
    const Case c = read_case(golden.input);
    const int n_tokens = is_trained() ? 128 : 24;
    const auto session = session_of(golden.checkpoint, mode, kNative);
    const Stages plain = run_case(*session, c, n_tokens);
    for (const Form& form : {kInt8Weights, kInt8Keys, kInt8}) {
      const auto packed = session_of(golden.checkpoint, mode, form);
      const bool packs_keys = Rotation::has(packed->model().config().decoder.head_dim);
      expect_form(packed->info(), session->info(), form, packs_keys);
      std::printf("%s/%s, %s weights, %s keys: ", golden.set.c_str(), golden.name.c_str(),
                  packed->info().weights.c_str(), packed->info().keys.c_str());
      expect_near(plain, run_case(*packed, c, n_tokens), form);
    }
  }

  static bool is_trained() { return GetParam().set == "demo"; }

  static void expect_near(const Stages& plain, const Stages& packed, const Form& form) {
    double worst = 0;
    for (const auto& [name, expected] : plain.tensors) {
      if (!is_key_or_value(name)) continue;
      const double off = relative_rms(packed.tensors.at(name), expected);
      EXPECT_LE(off, form.most_off) << name;
      worst = std::max(worst, off);
    }
    const int64_t n = n_comparable(plain, packed);
    const at::Tensor expected = plain.tensors.at("decoder.logits").narrow(0, 0, n);
    const at::Tensor found = packed.tensors.at("decoder.logits").narrow(0, 0, n);
    const double off = relative_rms(found, expected);
    EXPECT_LE(off, is_trained() ? 0.01 : 0.05);
    expect_near_ties(found, expected);
    std::printf("keys and values %.2f %%, logits %.2f %% off; %s\n", 100 * worst, 100 * off,
                plain.metadata.at("output.text") == packed.metadata.at("output.text")
                    ? "same answer"
                    : "another answer");
  }

  static void expect_form(const ModelInfo& packed, const ModelInfo& plain, const Form& form,
                          bool packs_keys) {
    EXPECT_EQ(plain.weights, "native");
    EXPECT_EQ(plain.keys, "native");
    EXPECT_EQ(packed.keys, form.keys == KeyFormat::kInt8 && packs_keys ? "int8" : "native");
    if (form.weights == WeightFormat::kNative) return;
    EXPECT_EQ(packed.weights, "int8");
    EXPECT_LT(packed.weight_bytes, plain.weight_bytes);
  }

  // The best token changes only where its margin is below three times the logits' error.
  static void expect_near_ties(const at::Tensor& found, const at::Tensor& expected) {
    const double error = rms(found - expected);
    const auto best = std::get<0>(expected.topk(2, -1));
    for (int64_t i = 0; i < found.size(0); ++i) {
      if (found[i].argmax().item<int64_t>() == expected[i].argmax().item<int64_t>()) continue;
      EXPECT_LT((best[i][0] - best[i][1]).item<double>(), 3 * error) << "step " << i;
    }
  }
};

std::string case_name(const testing::TestParamInfo<GoldenCase>& info) {
  std::string name = info.param.set + "_" + info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

// On the CPU, whose products are the specification.
TEST_P(Packed, CpuKeepsToTheBars) { expect_bars({"cpu", Precision::kFp32}); }

// On CUDA beside its own half precision.
TEST_P(Packed, CudaKeepsToTheBars) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  expect_bars({"cuda", Precision::kFp16});
}

INSTANTIATE_TEST_SUITE_P(All, Packed, testing::ValuesIn(golden_cases()), case_name);

}  // namespace
}  // namespace vidi
