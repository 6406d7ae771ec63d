#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "model/checkpoint/weights.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

class WeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "vidi-weights-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A checkpoint of one shard with a tensor "t" of the given values, stored as `dtype`.
  CheckpointFiles one_tensor(const at::Tensor& values, at::ScalarType type, Dtype dtype) {
    at::Tensor stored = values.to(type).contiguous();
    write_safetensors(folder_ / "model.safetensors",
                      {{"t", dtype, stored.sizes().vec(), stored.const_data_ptr()}}, {});
    return open_checkpoint_files(folder_);
  }

  fs::path folder_;
};

// Every float dtype loads into float32 with its exact values, also a tensor of several pieces.
TEST_F(WeightsTest, LoadsEveryFloatDtype) {
  const std::pair<at::ScalarType, Dtype> dtypes[] = {{at::kFloat, Dtype::kF32},
                                                     {at::kHalf, Dtype::kF16},
                                                     {at::kBFloat16, Dtype::kBF16},
                                                     {at::kDouble, Dtype::kF64}};
  at::Tensor values = at::randn({3001, 3003});  // 36 MB in float32: more than two pieces
  for (const auto& [type, dtype] : dtypes) {
    Weights weights(one_tensor(values, type, dtype), at::kCPU, at::kFloat);
    at::Tensor slot;
    weights.take(slot, "t", {3001, 3003}, "test");
    weights.load({}, Cancel());
    EXPECT_TRUE(at::equal(slot, values.to(type).to(at::kFloat))) << dtype_name(dtype);
  }
}

// A value that is not finite in the working dtype is named instead of spoiling every answer.
TEST_F(WeightsTest, RefusesValuesThatAreNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (double bad : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    at::Tensor values = at::ones({5, 7});
    values[3][2] = bad;
    Weights weights(one_tensor(values, at::kFloat, Dtype::kF32), at::kCPU, at::kFloat);
    at::Tensor slot;
    weights.take(slot, "t", {5, 7}, "test");
    try {
      weights.load({}, Cancel());
      FAIL() << "loaded " << bad;
    } catch (const EngineError& e) {
      EXPECT_EQ(e.code(), ErrorCode::kDamaged);
      EXPECT_NE(std::string(e.what()).find("tensor t holds values that are not finite"),
                std::string::npos);
    }
  }
}

// A file that shrinks between its check and its reading gives a sentence, from whichever thread
// meets it.
TEST_F(WeightsTest, SaysWhenAFileShrinks) {
  Weights weights(one_tensor(at::ones({1000, 1000}), at::kFloat, Dtype::kF32), at::kCPU,
                  at::kFloat);
  at::Tensor slot;
  weights.take(slot, "t", {1000, 1000}, "test");
  fs::resize_file(folder_ / "model.safetensors", 5000);
  EXPECT_THROW(weights.load({}, Cancel()), EngineError);
}

// Joined tensors lie below each other in the order asked for, whatever their order in the file, and
// are known by their own names; a part without a name is zeros.
TEST_F(WeightsTest, JoinsTensorsOfOneWidth) {
  at::Tensor a = at::randn({3, 5}), b = at::randn({4, 5});
  write_safetensors(folder_ / "model.safetensors",
                    {{"b", Dtype::kF32, b.sizes().vec(), b.const_data_ptr()},
                     {"a", Dtype::kF32, a.sizes().vec(), a.const_data_ptr()}},
                    {});
  Weights weights(open_checkpoint_files(folder_), at::kCPU, at::kFloat);
  at::Tensor joined;
  weights.take_joined(joined, {{"a", 3, "test"}, {"b", 4, "test"}}, 5);
  weights.load({}, Cancel());
  EXPECT_TRUE(at::equal(joined, at::cat({a, b})));
  Weights with_zeros(open_checkpoint_files(folder_), at::kCPU, at::kFloat);
  with_zeros.take_joined(joined, {{"", 2, "test"}, {"b", 4, "test"}, {"", 1, "test"}}, 5);
  with_zeros.load({}, Cancel());
  EXPECT_TRUE(at::equal(joined, at::cat({at::zeros({2, 5}), b, at::zeros({1, 5})})));
  EXPECT_EQ(weights.bytes_taken(), 35 * 4);
  for (const auto& [name, values] : weights.loaded()) {
    EXPECT_TRUE(at::equal(values, name == "a" ? a : b)) << name;
  }
}

// A joined tensor of another shape is refused by its own name.
TEST_F(WeightsTest, NamesTheWrongPartOfAJoin) {
  Weights weights(one_tensor(at::ones({2, 5}), at::kFloat, Dtype::kF32), at::kCPU, at::kFloat);
  at::Tensor joined;
  EXPECT_THROW(weights.take_joined(joined, {{"t", 3, "test"}}, 5), EngineError);
}

// What nobody takes is listed, and all that is missing is listed at once.
TEST_F(WeightsTest, ListsUnusedAndMissing) {
  Weights weights(one_tensor(at::ones({2}), at::kFloat, Dtype::kF32), at::kCPU, at::kFloat);
  EXPECT_EQ(weights.unused(), std::vector<std::string>{"t"});
  at::Tensor slots[2];
  weights.take(slots[0], "first", {2}, "test");
  weights.take(slots[1], "second", {2}, "test");
  try {
    weights.load({}, Cancel());
    FAIL();
  } catch (const EngineError& e) {
    EXPECT_NE(std::string(e.what()).find("2 tensor(s): first, second"), std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace vidi
