// One window over several devices: the answers that one device gives, whatever becomes of a window
// meanwhile. The devices are the CPU, named several times.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "tests/support/answers.h"
#include "tests/support/aten.h"
#include "tests/support/golden.h"
#include "tests/support/let_pass.h"
#include "tests/support/refused.h"
#include "tests/support/split_options.h"

namespace vidi {
namespace {

std::string checkpoint_of(const std::string& set) {
  return set == "demo" ? VIDI_DEMO_CHECKPOINT : VIDI_TEST_DATA "/golden/" + set + "/checkpoint";
}

Case case_of(const std::string& set) {
  return read_case(VIDI_TEST_DATA "/golden/" + set + "/" + (set == "demo" ? "heard" : "base") +
                   "/input.safetensors");
}

std::vector<Query> some_queries(size_t n) {
  const std::vector<std::string> texts = {
      "a child", "kite.", "a very long question about three dancers who turn and turn again", ""};
  std::vector<Query> queries(n);
  for (size_t i = 0; i < n; ++i) queries[i].text = texts[i % texts.size()];
  return queries;
}

AskOptions short_answers() {
  AskOptions options;
  options.max_new_tokens = 24;
  return options;
}

void expect_same_answers(const std::vector<Answer>& found, const std::vector<Answer>& expected,
                         float rounding = kProbabilityRounding) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) expect_same_answer(found[i], expected[i], rounding);
}

// A session of one device and one of several, of the same checkpoint and form.
struct Pair {
  std::unique_ptr<VidiSession> one, split;
};

Pair open_pair(const std::string& set, const std::string& devices, OpenOptions form = {}) {
  auto open = [&](const std::string& device) {
    OpenOptions options = options_of(checkpoint_of(set), device);
    options.weights = form.weights, options.keys = form.keys;
    return VidiSession::load(options, Cancel());
  };
  return {open("cpu"), open(devices)};
}

// A part of the case's window: so many pictures, with or without sound.
Window part_of(const Window& all, size_t n_frames, bool sound) {
  Window window = all;
  window.frames.resize(std::min(n_frames, all.frames.size()));
  if (!sound) window.audio.clear();
  return window;
}

class SplitWindows : public testing::TestWithParam<const char*> {
 protected:
  // Of those with the same ids to the end, which near ties between random logits may forbid.
  void count(const std::vector<Answer>& found, const std::vector<Answer>& expected) {
    for (size_t i = 0; i < found.size() && i < expected.size(); ++i)
      n_same_ += found[i].ids == expected[i].ids ? 1 : 0;
    n_answers_ += expected.size();
  }
  void TearDown() override {
    if (n_answers_ > 0) std::printf("%zu of %zu answers have the same ids\n", n_same_, n_answers_);
  }
  size_t n_same_ = 0, n_answers_ = 0;
};

// Several questions about windows of few pictures and of many, with sound or without, also of sound
// alone and of fewer pictures than devices: the same answers, whatever the form of weights and
// keys.
TEST_P(SplitWindows, AnswerAsOneDevice) {
  const std::string set = GetParam();
  const Case c = case_of(set);
  for (const auto& [weights, keys] : {std::pair{WeightFormat::kNative, KeyFormat::kNative},
                                      {WeightFormat::kNative, KeyFormat::kInt8},
                                      {WeightFormat::kInt8, KeyFormat::kInt8}}) {
    OpenOptions form;
    form.weights = weights, form.keys = keys;
    for (const char* devices : {"cpu,cpu", "cpu,cpu,cpu,cpu,cpu"}) {
      const Pair pair = open_pair(set, devices, form);
      const Window alone = look_and_listen(*pair.one, c, Cancel());
      const Window shared = look_and_listen(*pair.split, c, Cancel());
      for (const auto& [n, sound] :
           {std::pair<size_t, bool>{99, true}, {2, true}, {3, false}, {99, false}, {0, true}}) {
        if (n == 0 && shared.audio.empty()) continue;
        SCOPED_TRACE(testing::Message() << set << ", " << devices << ", " << n << " pictures");
        const auto expected = value_of(pair.one->encode(part_of(alone, n, sound), Cancel()));
        const auto found = value_of(pair.split->encode(part_of(shared, n, sound), Cancel()));
        EXPECT_EQ(found->n_tokens(), expected->n_tokens());
        EXPECT_EQ(found->has_frames(), expected->has_frames());
        EXPECT_EQ(found->has_audio(), expected->has_audio());
        const auto ours =
            value_of(pair.split->ask(*found, some_queries(4), short_answers(), Cancel()));
        const auto theirs =
            value_of(pair.one->ask(*expected, some_queries(4), short_answers(), Cancel()));
        count(ours, theirs);
        expect_same_answers(
            ours, theirs, keys == KeyFormat::kNative ? kProbabilityRounding : kProbabilityOfSteps);
      }
    }
  }
}

// A window whose pictures come one by one, some in pieces, one of them again, and whose features
// go: the same answers.
TEST_P(SplitWindows, PartialWindowsToo) {
  const Case c = case_of(GetParam());
  const Pair pair = open_pair(GetParam(), "cpu,cpu,cpu");
  const Window alone = look_and_listen(*pair.one, c, Cancel());
  Window shared = look_and_listen(*pair.split, c, Cancel());
  const size_t n = shared.frames.size();
  const auto one = value_of(pair.one->encode(alone, Cancel()));
  const auto expected = value_of(pair.one->ask(*one, some_queries(2), short_answers(), Cancel()));
  for (const size_t piece : {size_t{1}, size_t{2}, n}) {
    Window window = shared;
    window.partial = value_of(pair.split->begin_window(n));
    EXPECT_EQ(window.partial->n_frames(), n);
    const size_t streamed = n - n / 4;
    for (size_t at = 0; at < streamed; at += piece) {
      const auto first = window.frames.begin() + static_cast<std::ptrdiff_t>(at);
      const size_t count = std::min(piece, streamed - at);
      const FrameList some(first, first + static_cast<std::ptrdiff_t>(count));
      value_of(pair.split->append(*window.partial, at, some, Cancel()));
    }
    window.frames[0] = nullptr;  // the partial window has it
    const auto found = value_of(pair.split->encode(window, Cancel()));
    EXPECT_EQ(window.partial->n_frames(), 0u);
    expect_same_answers(
        value_of(pair.split->ask(*found, some_queries(2), short_answers(), Cancel())), expected);
  }
}

// Windows that are answered together, split ones and their questions joining between passes.
TEST_P(SplitWindows, AnsweredTogether) {
  const Case c = case_of(GetParam());
  const Pair pair = open_pair(GetParam(), "cpu,cpu");
  const Window alone = look_and_listen(*pair.one, c, Cancel());
  const Window shared = look_and_listen(*pair.split, c, Cancel());
  const auto batch = pair.split->begin_answers();
  std::vector<std::vector<Answer>> expected;
  for (size_t i = 0; i < 5; ++i) {
    const auto one = value_of(pair.one->encode(part_of(alone, 2 + i, i % 2 == 0), Cancel()));
    expected.push_back(
        value_of(pair.one->ask(*one, some_queries(1 + i % 3), short_answers(), Cancel())));
    value_of(batch->join(value_of(pair.split->encode(part_of(shared, 2 + i, i % 2 == 0), Cancel())),
                         some_queries(1 + i % 3), short_answers(), Cancel()));
    value_of(batch->step(Cancel()));
  }
  std::map<uint64_t, std::vector<Answer>> found;
  auto take = [&] {
    for (auto& answered : batch->take_answered())
      found[answered.number] = value_of(std::move(answered.answers));
  };
  for (take(); value_of(batch->step(Cancel())); take()) {
  }
  take();
  for (size_t i = 0; i < 5; ++i) expect_same_answers(found.at(i + 1), expected[i]);
}

INSTANTIATE_TEST_SUITE_P(Sets, SplitWindows, testing::Values("vidi15", "vidi7b"));

// The model leaves all devices and comes back to all of them; what was encoded serves on.
TEST(SplitSession, UnloadsAndComesBack) {
  const Case c = case_of("vidi15");
  const Pair pair = open_pair("vidi15", "cpu,cpu");
  const Window window = look_and_listen(*pair.split, c, Cancel());
  const auto encoded = value_of(pair.split->encode(window, Cancel()));
  const auto expected =
      value_of(pair.split->ask(*encoded, some_queries(2), short_answers(), Cancel()));
  pair.split->unload();
  EXPECT_FALSE(pair.split->devices().is_loaded());
  expect_refused(pair.split->encode(window, Cancel()), ErrorCode::kInternal, "not loaded");
  EXPECT_TRUE(value_of(pair.split->load(Cancel())));
  const auto again = value_of(pair.split->encode(window, Cancel()));
  for (const Encoded* one : {encoded.get(), again.get()})
    expect_same_answers(value_of(pair.split->ask(*one, some_queries(2), short_answers(), Cancel())),
                        expected);
}

// It says which devices, and what they hold together; loading goes on over all of them.
TEST(SplitSession, SaysItsDevices) {
  OpenOptions options = options_of(checkpoint_of("vidi15"), "cpu,cpu,cpu");
  std::vector<double> progress;
  options.progress = [&](double fraction) { progress.push_back(fraction); };
  const auto split = VidiSession::load(options, Cancel());
  const auto one = VidiSession::load(options_of(checkpoint_of("vidi15"), "cpu"), Cancel());
  const ModelInfo info = split->info();
  EXPECT_EQ(info.device, "cpu,cpu,cpu");
  EXPECT_EQ(info.precision, "fp32");
  EXPECT_EQ(info.weight_bytes, 3 * one->info().weight_bytes);
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  EXPECT_NEAR(progress.back(), 1, 1e-9);
  EXPECT_EQ(split->devices().size(), 3u);
}

// A list with something that is no device is refused in one sentence.
TEST(SplitSession, RefusesBadLists) {
  for (const char* devices : {"cpu,", "cpu,tpu"}) {
    const auto opened = Session::open(options_of(checkpoint_of("vidi15"), devices), Cancel());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kBadInput) << opened.error().message;
  }
}

// A cancel ends the work of all devices, whichever call it is in, and what comes after is right.
TEST(SplitSession, IsCancelled) {
  const Case c = case_of("demo");
  const Pair pair = open_pair("demo", "cpu,cpu");
  const Window alone = look_and_listen(*pair.one, c, Cancel());
  const Window window = look_and_listen(*pair.split, c, Cancel());
  Cancel raised;
  raised.cancel();
  expect_refused(pair.split->encode(window, raised), ErrorCode::kCancelled, "cancelled");
  for (const int after_ms : {1, 20, 60}) {
    Cancel cancel;
    std::thread later([&] {
      test::let_pass(std::chrono::milliseconds(after_ms));
      cancel.cancel();
    });
    const auto encoded = pair.split->encode(window, cancel);
    later.join();
    if (!encoded) {
      EXPECT_EQ(encoded.error().code, ErrorCode::kCancelled) << encoded.error().message;
    }
  }
  const auto one = value_of(pair.one->encode(alone, Cancel()));
  const auto found = value_of(pair.split->encode(window, Cancel()));
  expect_refused(pair.split->ask(*found, some_queries(1), {}, raised), ErrorCode::kCancelled,
                 "cancelled");
  expect_same_answers(value_of(pair.split->ask(*found, some_queries(3), short_answers(), Cancel())),
                      value_of(pair.one->ask(*one, some_queries(3), short_answers(), Cancel())));
}

class ForeignPicture final : public FrameFeatures {};

// What fails on one device alone is its window's end, with the device's name in front; a partial
// window that lost a part of it is of no use, and the next window is right.
TEST(SplitSession, OneDeviceFails) {
  const Pair pair = open_pair("vidi15", "cpu,cpu");
  const Case c = case_of("vidi15");
  const Window window = look_and_listen(*pair.split, c, Cancel());
  Window broken = window;
  broken.frames[1] = std::make_shared<ForeignPicture>();  // the second device's
  const std::string sentence = "cpu (2 of 2): a frame was not made by this engine";
  expect_refused(pair.split->encode(broken, Cancel()), ErrorCode::kBadInput, sentence);
  broken.partial = value_of(pair.split->begin_window(broken.frames.size()));
  expect_refused(pair.split->append(*broken.partial, 1, {broken.frames[1]}, Cancel()),
                 ErrorCode::kBadInput, sentence);
  expect_refused(pair.split->encode(broken, Cancel()), ErrorCode::kBadInput, sentence);
  EXPECT_EQ(broken.partial->n_frames(), 0u);
  const auto found = value_of(pair.split->encode(window, Cancel()));
  const auto one = value_of(pair.one->encode(look_and_listen(*pair.one, c, Cancel()), Cancel()));
  expect_same_answers(value_of(pair.split->ask(*found, some_queries(2), short_answers(), Cancel())),
                      value_of(pair.one->ask(*one, some_queries(2), short_answers(), Cancel())));
}

// ---- Memory ----

int64_t held(const VidiSession& session, size_t device) {
  return session.devices().part(device).memory.state().held;
}

// A limit is each device's: keys and values are cut between them, so that a window fits two of a
// limit that one has no room under. What fits no more is refused in a sentence that names the
// device, and the session goes on.
TEST(SplitSession, CountsEachDevicesPart) {
  const std::string folder = checkpoint_of("vidi15");
  const Case c = case_of("vidi15");
  const auto open = [&](const char* devices, int64_t limit) {
    OpenOptions options = options_of(folder, devices);
    options.memory_limit = static_cast<uint64_t>(limit);
    return VidiSession::load(options, Cancel());
  };
  const auto free = open("cpu,cpu", 0);
  const int64_t weights = held(*free, 0);
  const Window seen = look_and_listen(*free, c, Cancel());
  const auto encoded = value_of(free->encode(seen, Cancel()));
  const int64_t keys = free->model().decoder().media_bytes(encoded->n_tokens());
  const int64_t first = held(*free, 0) - weights, second = held(*free, 1) - weights;
  EXPECT_EQ(first + second, keys);
  EXPECT_LT(std::abs(first - second), keys / 4);
  EXPECT_EQ(first, free->model().decoder().media_bytes(
                       static_cast<const EncodedWindow&>(*encoded).n_tokens_here()));

  const auto n = static_cast<int64_t>(seen.frames.size());
  const int64_t per_frame = free->model().projector().tokens_per_frame(n);
  const int64_t audio = encoded->n_tokens() - n * per_frame;
  const auto least = [&](const WindowShare& share) {  // with the towers there
    return weights +
           bytes_needed(free->memory().need_of(share.n_frames(n) * per_frame, share.n_sound(audio)),
                        kSmallestPieceWithTowers);
  };
  const int64_t limit = std::max(least({0, 2}), least({1, 2}));
  const auto split = open("cpu,cpu", limit), one = open("cpu", limit);
  EXPECT_TRUE(split->has_room(n, static_cast<int64_t>(c.samples.size()), false));
  auto fits = split->encode(look_and_listen(*split, c, Cancel()), Cancel());
  ASSERT_TRUE(fits) << fits.error().message;
  EXPECT_TRUE(split->model().towers().on_device());
  EXPECT_LE(held(*split, 0), limit);
  EXPECT_LE(held(*split, 1), limit);
  value_of(one->encode(look_and_listen(*one, c, Cancel()), Cancel()));
  EXPECT_FALSE(one->model().towers().on_device());
  expect_same_answers(value_of(split->ask(**fits, some_queries(2), short_answers(), Cancel())),
                      value_of(free->ask(*encoded, some_queries(2), short_answers(), Cancel())));

  // While windows are kept another one has no room, and says where; then it has.
  fits = Error{};
  const Window more = look_and_listen(*split, c, Cancel());
  std::vector<std::shared_ptr<const Encoded>> kept;
  auto another = split->encode(more, Cancel());
  while (another && kept.size() < 1000) {
    kept.push_back(*another);
    another = split->encode(more, Cancel());
  }
  expect_refused(another, ErrorCode::kOutOfMemory, "of 2): a window of ");
  EXPECT_FALSE(split->has_room(n, static_cast<int64_t>(c.samples.size()), false));
  EXPECT_GE(kept.size(), 1u);
  kept.clear();
  EXPECT_TRUE(split->encode(more, Cancel()));
}

}  // namespace
}  // namespace vidi
