// Devices of an element that cannot be loaded, or fail later: they take no other along, and each
// window and question is accounted for. Under ThreadSanitizer as well (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/devices_rig.h"

namespace vidi {
namespace {

using scripted::Step;

using DeviceLosses = Devices;

// A device that cannot be loaded is left out with a word, and the others do the work.
TEST_F(DeviceLosses, OneCannotBeLoaded) {
  scripted::break_device("no cuda:1");
  client_.start_on(*vidi_engine_api(), {"a", ""}, {"cuda:0", "cuda:1"});
  ASSERT_TRUE(client_.wait_until_loaded());
  ASSERT_TRUE(listener_.heard("ready"));
  EXPECT_EQ(listener_.take(), (Log{"cuda:1 is left out", "ready"}));
  for (uint64_t i = 0; i < 5; ++i) submit(i);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(5));
  EXPECT_EQ(client_.counters().device, "cuda:0");
  EXPECT_EQ(client_.counters().devices[1].why_out, "no room on cuda:1");
}

// When none can be loaded the model has failed, which is said once.
TEST_F(DeviceLosses, NoneCanBeLoaded) {
  scripted::fail(Step::kOpen, {ErrorCode::kDamaged, "broken"}, -1);
  client_.start_on(*vidi_engine_api(), {"a", ""}, {"cpu", "cpu", "cpu"});
  EXPECT_FALSE(client_.wait_until_loaded());
  ASSERT_TRUE(listener_.heard("model failed"));
  EXPECT_EQ(listener_.take(), Log{"model failed"});
  EXPECT_TRUE(client_.has_given_up());
}

// A device that fails later takes three windows with it and no more: it is left out, said once, and
// the other goes on. It comes back with the next start.
TEST_F(DeviceLosses, OneFailsLater) {
  start_on({"cuda:0", "cuda:1"});
  scripted::break_device("cuda:1");
  for (uint64_t i = 0; i < 30; ++i) submit(i);
  EXPECT_TRUE(client_.wait_until_idle());
  Log log = listener_.take();
  EXPECT_EQ(std::count(log.begin(), log.end(), "cuda:1 is left out"), 1);
  EXPECT_EQ(std::count_if(log.begin(), log.end(),
                          [](const auto& line) { return line.starts_with("failed"); }),
            3);
  const Counters counters = client_.counters();
  EXPECT_EQ(counters.windows_completed, 27u);
  EXPECT_EQ(counters.windows_failed, 3u);
  EXPECT_EQ(counters.device, "cuda:0");
  EXPECT_EQ(counters.devices[1].why_out, "the device is broken");
  EXPECT_FALSE(client_.has_given_up());
  client_.stop();
  scripted::break_device("");
  start_on({"cuda:0", "cuda:1"});
  EXPECT_EQ(client_.counters().devices[1].why_out, "");
}

// When the last one fails as well it is three windows in a row, and the listener decides.
TEST_F(DeviceLosses, TheLastOneFails) {
  start_on();
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, -1);
  for (uint64_t i = 0; i < 6; ++i) submit(i);
  EXPECT_TRUE(client_.wait_until_idle());
  const Log log = listener_.take();
  EXPECT_EQ(std::count(log.begin(), log.end(), "failed, 3 in a row"), 1);
}

// The device that is left out has windows that a question waits for: it is refused for those with
// one word, and the other device answers for what it has, each once.
TEST_F(DeviceLosses, AQuestionThatWaits) {
  constexpr int kEach = 4;
  client_.set_limits(100, 3 * kEach);
  start_on();
  int n_begun = 0;
  const auto begin_one_on_each = [&] {
    scripted::hold(Step::kEncode);
    for (int device = 0; device < 2; ++device) submit(static_cast<uint64_t>(4 * n_begun++));
    ASSERT_TRUE(scripted::wait_for(Step::kEncode, n_begun));
  };
  for (int i = 0; i < kEach + 2; ++i) {
    begin_one_on_each();
    if (i >= kEach) scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, 2);
    scripted::release(Step::kEncode);
    ASSERT_TRUE(client_.wait_until_idle());
  }
  begin_one_on_each();
  ask("all", 0, 4 * 2 * kEach);
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, 1);  // the third of one of them
  scripted::release(Step::kEncode);
  EXPECT_TRUE(listener_.heard("no answer all"));
  EXPECT_TRUE(client_.wait_until_idle());
  ask("last", 0, 4 * 2 * kEach);  // told of behind the other's answers
  EXPECT_TRUE(listener_.heard("answer last"));
  const Log log = listener_.take();
  const auto n = [&](const std::string& line) { return std::count(log.begin(), log.end(), line); };
  EXPECT_EQ(n("no answer all"), 1);
  EXPECT_EQ(n("answer all"), kEach);
}

}  // namespace
}  // namespace vidi
