// A model without work gives its weights up and takes them back: who hears of it, what waits, and
// what happens when there is no room for them any more. Under ThreadSanitizer as well.
#include <gtest/gtest.h>

#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using scripted::Step;

// The model goes as soon as it has nothing to do.
class Unload : public ModelClientTest {
 protected:
  static constexpr uint64_t kAtOnce = 1;  // ns

  static void start(ModelClient& client, uint64_t after = kAtOnce) {
    ModelKey key{"a", "cpu"};
    key.unload_after = after;
    client.start(*vidi_engine_api(), key);
  }
  void start_and_rest() {
    start(client_);
    ASSERT_TRUE(listener_.heard("unloaded"));
    listener_.take();
  }
};

// Its memory comes back, the next window waits for the weights, is analysed as ever, and the model
// goes again.
TEST_F(Unload, ComesBackWithTheNextWindow) {
  start(client_);
  ASSERT_TRUE(listener_.heard("unloaded"));
  EXPECT_EQ(listener_.take(), (Log{"ready", "unloaded"}));
  EXPECT_EQ(client_.counters().device_bytes, 0);
  for (uint64_t i = 0; i < 3; ++i) {
    submit(i);
    ASSERT_TRUE(listener_.heard("unloaded"));
    EXPECT_EQ(listener_.take(),
              (Log{"loading", "ready", "window " + std::to_string(i), "unloaded"}));
  }
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
  EXPECT_EQ(scripted::count(Step::kLoad), 3);
}

// Who waits for the model to be loaded gets it, also when it is unloaded before he looks.
TEST_F(Unload, WaitersHaveTheirModel) {
  for (int round = 0; round < 100; ++round) {
    start(client_);
    ASSERT_TRUE(client_.wait_until_loaded()) << round;
    client_.stop();
  }
}

// 0, and a time longer than there is: it stays.
TEST_F(Unload, StaysWhereItIsNotWanted) {
  for (const uint64_t after : {uint64_t{0}, UINT64_MAX}) {
    start(client_, after);
    for (uint64_t i = 0; i < 3; ++i) submit(i);
    EXPECT_TRUE(client_.wait_until_idle());
    client_.stop();
  }
  EXPECT_EQ(scripted::count(Step::kUnload), 0);
}

// A question about a kept window waits for the weights and is answered: the window stays encoded.
TEST_F(Unload, AnswersAboutKeptWindows) {
  client_.set_limits(2, 1);
  start(client_);
  submit(0);
  ASSERT_TRUE(listener_.heard("window 0"));
  ASSERT_TRUE(listener_.heard("unloaded"));
  listener_.take();
  ASSERT_TRUE(scripted::wait_for(Step::kUnload, 1));
  EXPECT_EQ(ask("1"), ModelClient::Asked::kYes);
  EXPECT_TRUE(listener_.heard("answer 1"));
  EXPECT_EQ(scripted::count(Step::kEncode), 1);
}

// When they cannot be loaded any more, the window is dropped with the reason, and the next one is
// another try.
TEST_F(Unload, NoRoomToComeBack) {
  start_and_rest();
  scripted::fail(Step::kLoad, {ErrorCode::kOutOfMemory, "1 GB is missing"});
  submit(0);
  ASSERT_TRUE(client_.wait_until_idle());
  ASSERT_TRUE(listener_.heard("dropped 0"));
  EXPECT_EQ(listener_.take(), (Log{"loading", "cannot be loaded: 1 GB is missing", "dropped 0"}));
  EXPECT_EQ(n_dropped(DropReason::kOutOfMemory), 1u);
  EXPECT_FALSE(client_.has_given_up());
  submit(1);
  EXPECT_TRUE(listener_.heard("window 1"));
}

// A second element that comes meanwhile has a model, whose weights stay away until there is work.
TEST_F(Unload, AnotherElementComes) {
  start_and_rest();
  Recorder other;
  ModelClient second(other);
  start(second);
  EXPECT_TRUE(second.wait_until_loaded());
  EXPECT_TRUE(other.heard("unloaded"));
  EXPECT_EQ(other.take(), (Log{"ready", "unloaded"}));
  EXPECT_EQ(scripted::count(Step::kLoad), 0);
  second.submit(window_at(0), OverloadPolicy::kBlock);
  EXPECT_TRUE(other.heard("window 0"));
  EXPECT_TRUE(listener_.heard("ready"));
  EXPECT_EQ(scripted::n_open_sessions(), 1);
}

// A flush and a stop are no work: the weights do not come back for them.
TEST_F(Unload, NothingComesBackForNothing) {
  start_and_rest();
  client_.interrupt(1);
  client_.resume();
  {
    Recorder other;
    ModelClient second(other);
    start(second);
    EXPECT_TRUE(other.heard("unloaded"));
  }
  Recorder last;
  ModelClient third(last);
  start(third);
  EXPECT_TRUE(last.heard("unloaded"));  // said behind all that
  EXPECT_EQ(last.take(), (Log{"ready", "unloaded"}));
  EXPECT_EQ(listener_.take(), Log{});
  EXPECT_EQ(scripted::count(Step::kLoad), 0);
}

// One that has given up hears nothing more, and its windows load nothing.
TEST_F(Unload, GivenUp) {
  start_and_rest();
  client_.give_up();
  submit(0);
  EXPECT_TRUE(listener_.heard("dropped 0"));
  Recorder other;
  ModelClient second(other);
  start(second);
  second.submit(window_at(0), OverloadPolicy::kBlock);
  EXPECT_TRUE(other.heard("window 0"));
  EXPECT_EQ(listener_.take(), Log{"dropped 0"});
  EXPECT_EQ(scripted::count(Step::kLoad), 1);
}

// Where loading has failed, pictures that come ahead of their window are no new try.
TEST_F(Unload, LookingAheadIsNoNewTry) {
  start_and_rest();
  scripted::fail(Step::kLoad, {ErrorCode::kOutOfMemory, "1 GB is missing"});
  submit(0);
  ASSERT_TRUE(listener_.heard("dropped 0"));
  const auto window = window_at(1);
  for (const auto& frame : window->frames) client_.look_ahead(frame);
  EXPECT_EQ(scripted::count(Step::kLoad), 1);
  client_.submit(window, OverloadPolicy::kBlock);
  EXPECT_TRUE(listener_.heard("window 1"));
}

// A client that stops while the weights come back does not wait for them.
TEST_F(Unload, StopsWhileItComesBack) {
  start_and_rest();
  scripted::hold(Step::kLoad);
  submit(0);
  ASSERT_TRUE(scripted::wait_for(Step::kLoad, 1));
  client_.stop();
  EXPECT_EQ(listener_.take(), Log{"loading"});
  EXPECT_EQ(client_.counters().dropped[static_cast<size_t>(DropReason::kStopped)], 1u);
}

}  // namespace
}  // namespace vidi
