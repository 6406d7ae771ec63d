// The form that a model takes, planned with the real sizes of Vidi1.5-9B: no device needed. And the
// same with a small model that is loaded.
#include <gtest/gtest.h>

#include "model/device/host_memory.h"
#include "model/result.h"
#include "model/session/measure_model.h"
#include "tests/support/golden.h"
#include "tests/support/refused.h"
#include "tests/tools/geometry.h"

namespace vidi {
namespace {

constexpr double kGB = 1e9;

ModelPlanRequest request_of(double seconds, double room_gb, const OpenOptions& asked) {
  const CheckpointGeometry geometry = checkpoint_geometry("vidi1.5-9b");
  OpenOptions options = asked;
  options.window_seconds = seconds, options.window_frames = static_cast<int64_t>(seconds);
  const auto source = [&] { return Weights(shapes_of(geometry), at::kCPU, at::kHalf); };
  ModelPlanRequest request = measure_model(config_of(geometry), source, options, 2);
  request.room = static_cast<int64_t>(room_gb * kGB);
  return request;
}

OpenOptions auto_form() {
  OpenOptions options;
  options.weights = WeightFormat::kAuto, options.keys = KeyFormat::kAuto;
  return options;
}

ModelPlan plan_of(double seconds, double room_gb, const OpenOptions& asked = auto_form()) {
  return choose_plan(plan_table(request_of(seconds, room_gb, asked)));
}

// What the design reckons with: 20.9 GB of weights in half precision, 11.8 in 8 bits, 2.1 of them
// the towers'; keys of 306 s 21.7 and 10.9 GB, and what an allocator's segments waste.
TEST(ModelPlan, KnowsTheRealSizes) {
  const ModelPlanRequest request = request_of(306, 0, auto_form());
  EXPECT_NEAR(request.weights.native / kGB, 20.9, 0.05);
  EXPECT_NEAR(request.weights.packed / kGB, 11.8, 0.1);
  EXPECT_NEAR(request.weights.towers / kGB, 2.07, 0.01);
  EXPECT_EQ(request.n_image_tokens + request.n_audio_tokens, 63036);
  const auto table = plan_table(request);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_NEAR(table[0].key_bytes / kGB, 21.8, 0.1);
  EXPECT_NEAR(table[2].key_bytes / kGB, 11.0, 0.1);
}

// The exact form where there is room, then keys, then weights in 8 bits; towers stay as long as
// they can.
TEST(ModelPlan, TakesTheMostExactThatFits) {
  struct Row {
    double seconds, room_gb;
    std::string form;
    bool towers_leave, fits;
  };
  for (const Row& row : std::vector<Row>{{306, 0, "native weights and keys", false, true},
                                         {306, 80, "native weights and keys", false, true},
                                         {60, 24, "native weights and keys", true, true},
                                         {60, 22.9, "native weights and int8 keys", true, true},
                                         {60, 16, "int8 weights and keys", false, true},
                                         {306, 26, "int8 weights and keys", false, true},
                                         {306, 24, "int8 weights and keys", false, true},
                                         {306, 23, "int8 weights and keys", true, true},
                                         {3600, 48, "native weights and int8 keys", false, true},
                                         {3600, 45, "native weights and int8 keys", false, true},
                                         {3600, 44, "int8 weights and keys", false, true},
                                         {3600, 40, "int8 weights and keys", false, true},
                                         {306, 20, "int8 weights and keys", true, true},
                                         {60, 11, "int8 weights and keys", true, true},
                                         {306, 12, "int8 weights and keys", true, false}}) {
    const ModelPlan plan = plan_of(row.seconds, row.room_gb);
    SCOPED_TRACE(std::to_string(row.seconds) + " s in " + std::to_string(row.room_gb) + " GB");
    EXPECT_EQ(form_text(plan), row.form);
    EXPECT_EQ(plan.window.towers_leave, row.towers_leave) << bytes_text(plan.total());
    EXPECT_EQ(plan.fits, row.fits) << bytes_text(plan.total());
    const bool bounded = plan.fits && row.room_gb > 0;
    EXPECT_TRUE(!bounded || plan.total() <= row.room_gb * kGB);
  }
}

// With the towers there a window's plan holds the features of a piece, what is seen with it and
// what the next window needs, be it five minutes or an hour; with the towers away all of them.
TEST(ModelPlan, HoldsTheFeaturesOfAPiece) {
  constexpr double kFrame = 1.75e6;  // 729 * 1152 numbers, in segments of the allocator
  const ModelPlan minutes = plan_of(306, 24), hour = plan_of(3600, 40), away = plan_of(306, 23);
  EXPECT_LT((minutes.feature_bytes - minutes.sound_bytes) / kFrame, 41 + 15 + 1);
  EXPECT_LT((hour.feature_bytes - hour.sound_bytes) / kFrame, 327 + 15 + 1);  // 25 tokens each
  EXPECT_NEAR(hour.sound_bytes / kGB, 0.461, 0.001);
  EXPECT_LT(hour.total() / kGB, 37.5);
  EXPECT_TRUE(away.window.towers_leave);
  EXPECT_NEAR((away.feature_bytes - away.sound_bytes) / kFrame, 306, 1);
  ModelPlanRequest request = request_of(306, 26, auto_form());
  const ModelPlan alone = choose_plan(plan_table(request));
  request.look.n_shared = 153;
  const ModelPlan overlapping = choose_plan(plan_table(request));
  EXPECT_NEAR((overlapping.total() - alone.total()) / kFrame, 153, 1);
}

// Looking ahead is bounded by what is planned and what is left: by nothing without a bound.
TEST(ModelPlan, BoundsWhatIsLookedAtAhead) {
  const auto most = [](double seconds, double room_gb) {
    const ModelPlanRequest request = request_of(seconds, room_gb, auto_form());
    return most_features(request, choose_plan(plan_table(request)));
  };
  EXPECT_EQ(most(306, 0), 0);
  EXPECT_GT(most(306, 24), 16);
  EXPECT_LT(most(306, 24), 306);
  EXPECT_GE(most(60, 24), 60);  // the towers leave: all of it is seen before
  EXPECT_GT(most(306, 140), 10000);
}

// More room never makes the form smaller, and every plan stays within its room.
TEST(ModelPlan, GrowsWithTheRoom) {
  ModelPlanRequest request = request_of(120, 12, auto_form());
  int last = -1;
  int64_t spilled = 42;
  bool fitted = false;
  for (double gb = 12; gb < 60; gb += 0.1) {
    request.room = static_cast<int64_t>(gb * kGB);
    const ModelPlan plan = choose_plan(plan_table(request));
    EXPECT_FALSE(fitted && !plan.fits) << gb;
    if (!plan.fits) continue;
    fitted = true;
    EXPECT_LE(plan.total(), request.room);
    const int exact = (plan.weights == WeightFormat::kNative) + (plan.keys == KeyFormat::kNative);
    EXPECT_GE(exact, last) << gb;
    last = exact;
    EXPECT_LE(plan.spilled_layers, spilled) << gb;
    spilled = plan.spilled_layers;
  }
  EXPECT_EQ(last, 2);
}

// Where nothing fits, as few layers as will do wait in the host's memory: cards of 12 and 8 GB
// carry short windows, 20 GB 306 s, and the exact form is asked for on any of them.
TEST(ModelPlan, SpillsLayersLast) {
  const ModelPlan large = plan_of(306, 20), small = plan_of(60, 12), least = plan_of(10, 8);
  EXPECT_TRUE(large.fits && small.fits && least.fits);
  EXPECT_GT(large.spilled_layers, 8);
  EXPECT_LT(large.spilled_layers, 20);
  EXPECT_LT(small.spilled_layers, 12);
  EXPECT_GT(least.spilled_layers, 15);
  EXPECT_EQ(large.host_bytes % large.spilled_layers, 0);
  EXPECT_NEAR(large.host_bytes / large.spilled_layers / kGB, 0.201, 0.002);
  OpenOptions exact;
  exact.weights = WeightFormat::kNative, exact.keys = KeyFormat::kNative;
  const ModelPlan reference = plan_of(60, 12, exact);
  EXPECT_TRUE(reference.fits);
  EXPECT_EQ(form_text(reference), "native weights and keys");
  const ModelPlanRequest request = request_of(306, 20, auto_form());
  const std::string why = why_not_first(plan_table(request), request);
  EXPECT_TRUE(why.ends_with(" of 42 layers wait in the host's memory")) << why;
}

// A host without room for them is told so in one sentence.
TEST(ModelPlan, NeedsTheHostsMemory) {
  EXPECT_NO_THROW(check_host_takes_layers(std::nullopt, 9, 1'800'000'000));
  EXPECT_NO_THROW(check_host_takes_layers(2'000'000'000, 9, 1'800'000'000));
  try {
    check_host_takes_layers(1'000'000'000, 9, 1'800'000'000);
    FAIL() << "nothing was thrown";
  } catch (const EngineError& e) {
    EXPECT_EQ(e.code(), ErrorCode::kOutOfMemory);
    EXPECT_TRUE(std::string(e.what()).starts_with("9 layers that do not fit the device need 1.8"))
        << e.what();
  }
}

// What was asked for is kept to, whatever fits; the other one is the plan's.
TEST(ModelPlan, KeepsToWhatWasAsked) {
  OpenOptions asked = auto_form();
  asked.weights = WeightFormat::kInt8;
  EXPECT_EQ(form_text(plan_of(60, 80, asked)), "int8 weights and native keys");
  EXPECT_EQ(form_text(plan_of(60, 14, asked)), "int8 weights and keys");
  asked.keys = KeyFormat::kInt8;
  EXPECT_EQ(form_text(plan_of(60, 80, asked)), "int8 weights and keys");
  asked.keys = KeyFormat::kNative;
  EXPECT_EQ(form_text(plan_of(60, 16, asked)), "int8 weights and native keys");
  asked.weights = WeightFormat::kAuto;
  EXPECT_EQ(form_text(plan_of(60, 80, asked)), "native weights and keys");
  EXPECT_EQ(form_text(plan_of(60, 18, asked)), "int8 weights and native keys");
  asked.weights = WeightFormat::kNative, asked.keys = KeyFormat::kAuto;
  EXPECT_EQ(form_text(plan_of(60, 80, asked)), "native weights and keys");
  EXPECT_EQ(form_text(plan_of(60, 22.9, asked)), "native weights and int8 keys");
  EXPECT_GT(plan_of(60, 16, asked).spilled_layers, 0);
}

// Why it is not the exact form is one sentence with both figures; without a reason there is none.
TEST(ModelPlan, SaysWhy) {
  const ModelPlanRequest small = request_of(60, 16, auto_form());
  const std::string why = why_not_first(plan_table(small), small);
  EXPECT_TRUE(why.starts_with("native weights and keys need 2")) << why;
  EXPECT_TRUE(why.ends_with(" GB, 16.00 GB are there")) << why;
  const ModelPlanRequest large = request_of(60, 80, auto_form());
  EXPECT_EQ(why_not_first(plan_table(large), large), "");
}

// Of what is free a part is left to others, 3 % or half a GB.
TEST(ModelPlan, LeavesRoomToOthers) {
  EXPECT_EQ(room_of_free(80'000'000'000), 77'600'000'000);
  EXPECT_EQ(room_of_free(8'000'000'000), 7'500'000'000);
  EXPECT_GT(room_of_free(0), 0);
}

// A model that is loaded takes the planned form and says why; with room enough, and on a CPU
// without a limit, it is native.
TEST(ModelPlan, IsWhatIsLoaded) {
  OpenOptions options = auto_form();
  options.folder = VIDI_TEST_DATA "/golden/vidi15/checkpoint", options.device = "cpu";
  options.window_seconds = options.window_frames = 60;
  const auto native = VidiSession::load(options, Cancel());
  EXPECT_EQ(native->info().weights + native->info().keys + native->info().plan, "nativenative");
  options.memory_limit = static_cast<uint64_t>(native->info().weight_bytes - 1);
  const auto small = VidiSession::load(options, Cancel());
  EXPECT_EQ(small->info().weights, "int8");
  EXPECT_EQ(small->info().keys, "int8");
  EXPECT_NE(small->info().plan.find("native weights and keys need"), std::string::npos);
}

}  // namespace
}  // namespace vidi
