// One window over several devices: every stage, the logits and the ids are the published ones. Two
// devices are the CPU named twice; where there is a CUDA device, that one.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tests/support/aten.h"
#include "tests/support/golden.h"
#include "tests/support/split_options.h"

namespace vidi {
namespace {

// As the goldens were made.
constexpr int kNewTokens = 24, kNewTokensOfTrained = 128;

// Stages of pictures come as the devices have them, each every n-th picture; in their order then.
void put_in_order(Stages& stages, int64_t n_frames, int64_t n_devices) {
  std::vector<int64_t> places;
  for (int64_t device = 0; device < n_devices; ++device) {
    for (int64_t frame = device; frame < n_frames; frame += n_devices) places.push_back(frame);
  }
  std::vector<int64_t> where(places.size());
  for (size_t i = 0; i < places.size(); ++i) where[places[i]] = static_cast<int64_t>(i);
  for (auto& [name, tensor] : stages.tensors) {
    const bool is_of_pictures = name.starts_with("frames.") || name.starts_with("vision.") ||
                                name.starts_with("image.") ||
                                name.find(".image_") != std::string::npos;
    if (!is_of_pictures) continue;
    const at::Tensor apart = tensor.reshape({n_frames, -1});
    tensor = apart.index_select(0, at::tensor(where, at::kLong)).reshape(tensor.sizes());
  }
}

class SplitGolden : public testing::TestWithParam<GoldenCase> {
 protected:
  static std::map<std::string, std::unique_ptr<VidiSession>>& sessions() {
    static std::map<std::string, std::unique_ptr<VidiSession>> all;
    return all;
  }
  static void TearDownTestSuite() { sessions().clear(); }

  static void expect_agrees(const std::string& devices, int64_t n_devices) {
    const GoldenCase& golden = GetParam();
    auto& session = sessions()[golden.checkpoint + devices];
    if (!session) {
      OpenOptions options = options_of(golden.checkpoint, devices);
      options.precision = Precision::kFp32;
      session = VidiSession::load(options, Cancel());
    }
    const Case c = read_case(golden.input);
    const bool is_trained = golden.set == "demo";
    Stages stages = run_case(*session, c, is_trained ? kNewTokensOfTrained : kNewTokens);
    put_in_order(stages, c.n_frames, n_devices);
    for (const StageError& e : compare_stages(golden.expected, stages)) {
      EXPECT_TRUE(e.problem.empty()) << e.stage << ": " << e.problem;
      EXPECT_LE(e.relative, 2e-4) << e.stage;
    }
  }
};

// Every stage within the tolerance of one device, ids and texts equal.
TEST_P(SplitGolden, CpuFloat32Agrees) { expect_agrees("cpu,cpu", 2); }

TEST_P(SplitGolden, CudaFloat32Agrees) {
  if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
  expect_agrees("cuda:0,cuda:0", 2);
}

std::string case_name(const testing::TestParamInfo<GoldenCase>& info) {
  std::string name = info.param.set + "_" + info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, SplitGolden, testing::ValuesIn(golden_cases()), case_name);

}  // namespace
}  // namespace vidi
