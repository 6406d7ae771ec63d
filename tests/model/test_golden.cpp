// Every stage of every golden case, on the CPU and, where there is one, on a CUDA device.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>

#include "tests/support/aten.h"
#include "tests/support/golden.h"

namespace vidi {
namespace {

// As the goldens were made: random models go on for ever, the trained one ends.
constexpr int kNewTokens = 24, kNewTokensOfTrained = 128;

struct Mode {
  const char* device;
  Precision precision;
};

// Until the tests end: CUDA must still be there when they go.
std::map<std::string, std::unique_ptr<VidiSession>>& sessions() {
  static std::map<std::string, std::unique_ptr<VidiSession>> all;
  return all;
}

VidiSession& session_for(const std::string& folder, const Mode& mode) {
  auto& session = sessions()[folder + mode.device + std::to_string(static_cast<int>(mode.precision))];
  if (!session) {
    OpenOptions options;
    options.folder = folder, options.device = mode.device, options.precision = mode.precision;
    session = VidiSession::load(options, Cancel());
  }
  return *session;
}

Stages run(const GoldenCase& golden, const Mode& mode) {
  const int n_tokens = golden.set == "demo" ? kNewTokensOfTrained : kNewTokens;
  return run_case(session_for(golden.checkpoint, mode), read_case(golden.input), n_tokens);
}

// Worst difference of each stage over all cases, by mode: what the closing table prints.
std::map<std::string, std::map<std::string, double>>& worst_errors() {
  static std::map<std::string, std::map<std::string, double>> worst;
  return worst;
}

void note_error(const Mode& mode, const StageError& e) {
  static const char* const kNames[] = {"auto", "fp32", "fp16", "bf16"};
  std::string stage = e.stage;  // decoder.layer3.image_key counts as decoder.layer*.image_key
  if (const size_t at = stage.find(".layer"); at != std::string::npos) {
    stage.replace(at + 6, stage.find('.', at + 6) - at - 6, "*");
  }
  double& worst = worst_errors()[stage][std::string(mode.device) + " " +
                                        kNames[static_cast<int>(mode.precision)]];
  worst = std::max(worst, e.relative);
}

class WorstTable : public testing::Environment {
  void TearDown() override {
    sessions().clear();
    std::printf("worst difference of each stage as a share of its rms\n");
    for (const auto& [stage, modes] : worst_errors()) {
      std::printf("  %-32s", stage.c_str());
      for (const auto& [mode, error] : modes) std::printf("  %s %.1e", mode.c_str(), error);
      std::printf("\n");
    }
  }
};
const auto* const kWorstTable = testing::AddGlobalTestEnvironment(new WorstTable);

class Golden : public testing::TestWithParam<GoldenCase> {};

std::string case_name(const testing::TestParamInfo<GoldenCase>& info) {
  std::string name = info.param.set + "_" + info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

void expect_float32_agrees(const GoldenCase& golden, const Mode& mode) {
  for (const StageError& e : compare_stages(golden.expected, run(golden, mode))) {
    EXPECT_TRUE(e.problem.empty()) << e.stage << ": " << e.problem;
    EXPECT_LE(e.relative, 2e-4) << e.stage;
    note_error(mode, e);
  }
}

// In half precision a stage is as far off as its roundings; the tolerances are what was found on an
// H200, doubled. Ids may leave the golden ones only where the two best logits lie closer than
// `margin`.
void expect_half_agrees(const GoldenCase& golden, const Mode& mode, double tolerance,
                        double margin) {
  const Stages stages = run(golden, mode);
  double worst = 0;
  for (const StageError& e : compare_stages(golden.expected, stages)) {
    if (e.stage.rfind("output.", 0) == 0) continue;
    EXPECT_TRUE(e.problem.empty()) << e.stage << ": " << e.problem;
    EXPECT_LE(e.relative, tolerance) << e.stage;
    note_error(mode, e);
    worst = std::max(worst, e.relative);
  }
  const IdAgreement ids = compare_ids(golden.expected, stages);
  if (ids.n_same < ids.n_expected) {
    EXPECT_LT(ids.margin_at_difference, margin);
  }
  std::printf("%s/%s: worst stage %.2e of its rms, %zu of %zu ids, margin where they part %.3f\n",
              golden.set.c_str(), golden.name.c_str(), worst, ids.n_same, ids.n_expected,
              ids.margin_at_difference);
}

bool has_cuda() { return at::hasCUDA() && at::globalContext().hasCUDA(); }

// Every stage on the CPU is within 2e-4 of the reference's rms, ids and texts are equal.
TEST_P(Golden, CpuFloat32Agrees) { expect_float32_agrees(GetParam(), {"cpu", Precision::kFp32}); }

// On CUDA in float32 (no TF32) the CPU's tolerance holds.
TEST_P(Golden, CudaFloat32Agrees) {
  if (!has_cuda()) GTEST_SKIP() << "no CUDA device";
  expect_float32_agrees(GetParam(), {"cuda", Precision::kFp32});
}

// In fp16 every stage is within its stated tolerance, and ids differ only at near ties.
TEST_P(Golden, CudaHalfAgrees) {
  if (!has_cuda()) GTEST_SKIP() << "no CUDA device";
  expect_half_agrees(GetParam(), {"cuda", Precision::kFp16}, 0.04, 0.05);
}

// The same in bf16, with eight times coarser roundings.
TEST_P(Golden, CudaBfloat16Agrees) {
  if (!has_cuda()) GTEST_SKIP() << "no CUDA device";
  expect_half_agrees(GetParam(), {"cuda", Precision::kBf16}, 0.36, 0.23);
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(golden_cases()), case_name);

// The goldens are really there: 25 cases in five sets.
TEST(GoldenSet, IsComplete) { EXPECT_EQ(golden_cases().size(), 25u); }

}  // namespace
}  // namespace vidi
