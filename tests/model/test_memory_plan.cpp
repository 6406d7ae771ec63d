// Plans under a memory limit, with the real sizes of Vidi1.5-9B. No device needed.
#include <gtest/gtest.h>

#include <functional>

#include "model/device/memory_plan.h"
#include "model/result.h"
#include "tests/tools/geometry.h"

namespace vidi {
namespace {

constexpr int64_t kGB = 1'000'000'000, kMiB = int64_t{1} << 20;
constexpr int64_t kHalf = 2, kFloat = 4;

bool is_tower(const std::string& name) {
  return name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud.");
}

// What the checkpoint has and nobody loads.
bool is_unused(const std::string& name) {
  for (const char* part :
       {"vision_model.encoder.layers.26.", "post_layernorm", "vision_model.head"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

int64_t weight_bytes(const std::function<bool(const std::string&)>& counts, int64_t size = kHalf) {
  int64_t values = 0;
  for (const NamedShape& tensor : checkpoint_geometry("vidi1.5-9b").tensors) {
    if (is_unused(tensor.name) || !counts(tensor.name)) continue;
    int64_t n = 1;
    for (const int64_t side : tensor.shape) n *= side;
    values += n;
  }
  return values * size;
}
int64_t all_weights(int64_t size = kHalf) {
  return weight_bytes([](const std::string&) { return true; }, size);
}
int64_t towers(int64_t size = kHalf) { return weight_bytes(is_tower, size); }

DecoderConfig decoder() { return config_of(checkpoint_geometry("vidi1.5-9b")).decoder; }

int64_t features(int seconds, int64_t size = kHalf) {  // 27 x 27 patches, 50 states a second
  return seconds * (729 * 1152 + 50 * 1280) * size;
}

// A window of so many seconds with a picture a second and sound, its features on the device. As an
// allocator holds them: weights round up to segments, cuBLAS has its workspace.
MemoryState state_of(double limit_gb, int seconds, int64_t size = kHalf) {
  MemoryState state;
  state.limit = static_cast<int64_t>(limit_gb * kGB);
  state.towers = towers(size);
  state.held = all_weights(size) + 200 * kMiB + features(seconds, size);
  state.spare = 64 * kMiB;
  return state;
}

WindowNeed need_of(int seconds, int64_t size = kHalf) {
  const DecoderConfig d = decoder();
  WindowNeed need;
  need.decoder = d, need.element_size = size;
  const int64_t n_audio = 10 * seconds;
  need.n_tokens = 196 * seconds + n_audio;
  need.keys = 2 * need.n_tokens * d.layers * d.kv_heads * d.head_dim * size;
  need.n_audio_tokens = n_audio, need.joined = 5 * 1280 * size;
  need.question = question_bytes(d, 64, size);
  return need;
}

Error error_of(const MemoryState& state, const WindowNeed& need) {
  try {
    plan_window(state, need);
  } catch (const EngineError& e) {
    return {e.code(), e.what()};
  }
  return {ErrorCode::kInternal, "it fits"};
}

bool has(const Error& error, const std::string& words) {
  return error.message.find(words) != std::string::npos;
}

// The numbers that the design rests on: 20.9 GB of weights, of which 2.1 are towers', 4.25 GB of
// keys and values for 60 s, 1.17 GB of workspace for the usual piece.
TEST(MemoryPlan, KnowsTheRealSizes) {
  EXPECT_NEAR(all_weights() / 1e9, 20.9, 0.05);
  EXPECT_NEAR(towers() / 1e9, 2.07, 0.01);
  EXPECT_NEAR(need_of(60).keys / 1e9, 4.253, 0.001);
  EXPECT_NEAR(stream_bytes(decoder(), kStreamTokens, kHalf) / 1e9, 1.174, 0.001);
}

// Without a limit, and with room enough, nothing is done differently.
TEST(MemoryPlan, WithRoomNothingChanges) {
  for (const double limit : {0.0, 27.5, 80.0}) {
    const MemoryPlan plan = plan_window(state_of(limit, 60), need_of(60));
    EXPECT_TRUE(plan.is_usual()) << limit;
  }
}

// 60 s in half precision run under 24 GB: without the towers, in smaller pieces.
TEST(MemoryPlan, AMinuteRunsUnder24GB) {
  const MemoryState state = state_of(24.0, 60);
  const WindowNeed need = need_of(60);
  const MemoryPlan plan = plan_window(state, need);
  EXPECT_TRUE(plan.towers_leave);
  EXPECT_GE(plan.piece_tokens, 1024);
  EXPECT_LE(state.held - state.towers + state.spare + bytes_needed(need, plan.piece_tokens),
            state.limit);
}

// 10 s run beside other programs in 22 GB.
TEST(MemoryPlan, TenSecondsRunIn22GB) {
  const MemoryPlan plan = plan_window(state_of(22.0, 10), need_of(10));
  EXPECT_TRUE(plan.towers_leave);
  EXPECT_EQ(plan.piece_tokens, kStreamTokens);
}

// Smaller pieces come before the towers' leave: they cost less.
TEST(MemoryPlan, SmallerPiecesFirst) {
  const MemoryPlan plan = plan_window(state_of(26.3, 60), need_of(60));
  EXPECT_FALSE(plan.towers_leave);
  EXPECT_LT(plan.piece_tokens, kStreamTokens);
  EXPECT_GE(plan.piece_tokens, 2048);
}

// More memory never gives smaller pieces or sends the towers away; each plan stays within its
// limit.
TEST(MemoryPlan, GrowsWithTheLimit) {
  const WindowNeed need = need_of(60);
  std::optional<MemoryPlan> last;
  MemoryState state = state_of(20, 60);
  for (double limit = 20; limit < 30; limit += 0.01) {
    state.limit = static_cast<int64_t>(limit * kGB);
    const auto plan = find_plan(state, need);
    EXPECT_FALSE(last && !plan) << limit;
    if (!plan) continue;
    if (last && plan->towers_leave == last->towers_leave) {
      EXPECT_GE(plan->piece_tokens, last->piece_tokens) << limit;
    }
    EXPECT_FALSE(last && !last->towers_leave && plan->towers_leave) << limit;
    const int64_t away = plan->towers_leave ? state.towers : 0;
    EXPECT_LE(state.held - away + state.spare + bytes_needed(need, plan->piece_tokens),
              state.limit);
    last = plan;
  }
  EXPECT_TRUE(last && last->is_usual());
}

// Towers that are away already stay away, and are not sent away again.
TEST(MemoryPlan, TowersThatAreAwayStayAway) {
  MemoryState state = state_of(24.0, 60);
  state.held -= state.towers, state.towers_in = false;
  const MemoryPlan plan = plan_window(state, need_of(60));
  EXPECT_FALSE(plan.towers_leave);
  EXPECT_EQ(plan.piece_tokens, plan_window(state_of(24.0, 60), need_of(60)).piece_tokens);
}

// Beyond the limit: one sentence with what is needed, allowed, missing and what would help, and a
// code that is not tried again.
TEST(MemoryPlan, SaysWhatIsMissing) {
  const Error error = error_of(state_of(24.0, 300), need_of(300));
  EXPECT_EQ(error.code, ErrorCode::kOverLimit) << error.message;
  for (const char* words : {"needs 4", "allows 24.00 GB", "are missing", "window-duration",
                            "frame-rate", "memory-limit would help"}) {
    EXPECT_TRUE(has(error, words)) << words << ": " << error.message;
  }
  EXPECT_FALSE(has(error, "fp16")) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
}

// What is said to be missing is what is missing: with that much more it fits, with less it does
// not.
TEST(MemoryPlan, WhatIsMissingIsEnough) {
  MemoryState state = state_of(22.0, 60);
  const WindowNeed need = need_of(60);
  const std::string text = error_of(state, need).message;
  const size_t at = text.find("allows 22.00 GB, ");
  ASSERT_NE(at, std::string::npos) << text;
  const double missing = std::stod(text.substr(at + 17));
  state.limit += static_cast<int64_t>((missing + 0.005) * kGB);
  EXPECT_TRUE(find_plan(state, need)) << text;
  state.limit -= static_cast<int64_t>(0.01 * kGB);
  EXPECT_FALSE(find_plan(state, need)) << text;
}

// In float32 half precision is named as a help, where it runs.
TEST(MemoryPlan, NamesHalfPrecisionWhereItHelps) {
  MemoryState state = state_of(43.0, 60, kFloat);
  state.can_halve = true;
  EXPECT_TRUE(has(error_of(state, need_of(60, kFloat)), "fp16 instead of fp32"));
}

// With the towers there the features of a piece exist at once, of what is seen in a call with it,
// and what later windows need; without them all. Those that are there already cost nothing more.
TEST(MemoryPlan, FeaturesGoWithTheirPiece) {
  LookNeed look;
  look.n_unseen = 300, look.n_shared = 60;
  look.frame_bytes = features(1), look.frame_tokens = 196;
  EXPECT_EQ(feature_bytes(look, kStreamTokens, false), (41 + 15 + 60) * look.frame_bytes);
  EXPECT_EQ(feature_bytes(look, kSmallestPiece, false), (2 + 15 + 60) * look.frame_bytes);
  EXPECT_EQ(feature_bytes(look, kStreamTokens, true), 300 * look.frame_bytes);
  look.n_unseen = 20;
  EXPECT_EQ(feature_bytes(look, kStreamTokens, false), 20 * look.frame_bytes);
  WindowNeed need = need_of(60);
  const int64_t seen_before = bytes_needed(need, kStreamTokens);
  look.towers = 270 * kMiB, need.look = look;
  EXPECT_EQ(bytes_needed(need, kStreamTokens) - seen_before, 20 * look.frame_bytes + look.towers);
  need.look.n_unseen = 0;
  EXPECT_EQ(bytes_needed(need, kStreamTokens), seen_before);
}

// Of an hour's sound a piece is joined, and not all of it.
TEST(MemoryPlan, SoundIsJoinedByThePiece) {
  const int64_t piece = kStreamTokens * 5 * 1280 * kHalf;
  WindowNeed hour = need_of(3600), silent = hour;
  silent.n_audio_tokens = 0;
  EXPECT_EQ(bytes_needed(hour, kStreamTokens) - bytes_needed(silent, kStreamTokens),
            piece + piece / 4);
}

// A window that would fit alone, but not beside the one before, may be tried again when that is
// gone.
TEST(MemoryPlan, EarlierWindowsAreToldApart) {
  MemoryState state = state_of(24.0, 60);
  state.windows = need_of(60).keys;
  state.held += state.windows;
  const Error error = error_of(state, need_of(60));
  EXPECT_EQ(error.code, ErrorCode::kOutOfMemory) << error.message;
  EXPECT_TRUE(has(error, "4.25 GB of windows that were encoded before")) << error.message;
  state.limit = 22 * kGB;
  EXPECT_EQ(error_of(state, need_of(60)).code, ErrorCode::kOverLimit);
}

// The towers come back when there is room for them; beside an encoded minute in 24 GB there is not.
TEST(MemoryPlan, TowersNeedRoomToComeBack) {
  MemoryState state = state_of(24.0, 0);
  state.held -= state.towers, state.towers_in = false;
  EXPECT_NO_THROW(check_towers_fit(state, 250 * kMiB));
  state.windows = need_of(60).keys, state.held += state.windows;
  try {
    check_towers_fit(state, 250 * kMiB);
    FAIL();
  } catch (const EngineError& e) {
    EXPECT_EQ(e.code(), ErrorCode::kOutOfMemory) << e.what();
  }
}

// Weights that do not fit are refused with the same kind of sentence; those that just fit are not.
TEST(MemoryPlan, WeightsMustFit) {
  EXPECT_NO_THROW(check_weights_fit(0, true, all_weights(), "fp16", false));
  EXPECT_NO_THROW(check_weights_fit(all_weights(), true, all_weights(), "fp16", false));
  try {
    check_weights_fit(24 * kGB, true, all_weights(kFloat), "fp32", true);
    FAIL();
  } catch (const EngineError& e) {
    EXPECT_EQ(e.code(), ErrorCode::kOverLimit);
    const std::string text = e.what();
    for (const char* words : {"41.7", "in fp32", "allows 24.00 GB", "are missing", "fp16 instead"})
      EXPECT_NE(text.find(words), std::string::npos) << text;
  }
}

// Questions run together as far as they have room: all of them without a limit, one at least.
TEST(MemoryPlan, QuestionsShareWhatIsLeft) {
  MemoryState state = state_of(24.0, 60);
  const int64_t each = question_bytes(decoder(), 31, kHalf);
  EXPECT_LT(each, 150 * kMiB);
  state.held += need_of(60).keys - state.towers, state.towers_in = false;
  const int64_t n = questions_at_once(state, each, 32);
  EXPECT_GE(n, 2);
  EXPECT_LT(n, 32);
  state.limit = 20 * kGB;
  EXPECT_EQ(questions_at_once(state, each, 32), 1);
  state.limit = 0;
  EXPECT_EQ(questions_at_once(state, each, 32), 32);
}

}  // namespace
}  // namespace vidi
