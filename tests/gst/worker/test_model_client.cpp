// An element's seat at the model, from threads of every kind: windows, questions, flushes, the end.
// Under ThreadSanitizer as well (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <thread>

#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using scripted::Step;
using std::chrono::seconds;

// Windows are told of in the order they came, each once, and then nothing is waited for.
TEST_F(ModelClientTest, WindowsInOrder) {
  start();
  for (uint64_t i = 0; i < 5; ++i) submit(i);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(),
            (Log{"ready", "window 0", "window 1", "window 2", "window 3", "window 4"}));
  EXPECT_EQ(client_.counters().windows_completed, 5u);
}

// A client that closes while the model loads hears nothing more of it, and may open again.
TEST_F(ModelClientTest, CloseWhileItLoads) {
  scripted::hold(Step::kOpen);
  start();
  ASSERT_TRUE(scripted::wait_for(Step::kOpen, 1));
  submit(0);
  client_.stop();
  EXPECT_EQ(listener_.take(), Log{});
  EXPECT_EQ(n_dropped(DropReason::kStopped), 1u);
  scripted::release(Step::kOpen);
  start_and_wait();
  submit(1);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), Log{"window 1"});
}

// A flush cancels what is in work and drops what waits; what still comes of before is refused, and
// what comes after resume() is analysed.
TEST_F(ModelClientTest, SeekWhileAWindowIsInWork) {
  start_and_wait();
  scripted::hold(Step::kEncode);
  submit(0);
  submit(1);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  std::thread waiter([this] { EXPECT_FALSE(client_.wait_until_idle()); });
  client_.interrupt(1);
  waiter.join();
  scripted::release(Step::kEncode);
  submit(2);  // late
  client_.resume();
  submit(3);  // later
  submit(4, 1);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), Log{"window 4"});
  EXPECT_EQ(n_dropped(DropReason::kFlush), 4u);
}

// A question about what was analysed, or is about to be, gets its answer; one of a time of which
// nothing is kept is refused at once.
TEST_F(ModelClientTest, QuestionsAboutWindows) {
  start_and_wait();
  EXPECT_EQ(ask("ask-1"), ModelClient::Asked::kNothing);
  scripted::hold(Step::kEncode);
  submit(0);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  EXPECT_EQ(ask("ask-2"), ModelClient::Asked::kYes);  // it comes
  EXPECT_EQ(ask("ask-3", 50), ModelClient::Asked::kNothing);
  scripted::release(Step::kEncode);
  EXPECT_TRUE(listener_.heard("answer ask-2"));
  EXPECT_TRUE(client_.covers(seconds(0), seconds(4)));
  EXPECT_FALSE(client_.covers(seconds(0), seconds(5)));
  EXPECT_EQ(client_.ask(plan_of("ask-4"), seconds(8), seconds(9), window_at(8)),
            ModelClient::Asked::kYes);  // brings its own window
  EXPECT_TRUE(listener_.heard("answer ask-4"));
}

// A question's answer is told before the window that came after it, however many passes it takes.
TEST_F(ModelClientTest, AnAnswerBeforeTheNextWindow) {
  start_and_wait();
  submit(0);
  ASSERT_TRUE(client_.wait_until_idle());
  listener_.take();
  scripted::passes_of_an_answer(5);
  scripted::hold(Step::kPass);
  const int before = scripted::count(Step::kPass);
  ASSERT_EQ(ask("ask-1"), ModelClient::Asked::kYes);
  ASSERT_TRUE(scripted::wait_for(Step::kPass, before + 1));
  scripted::passes_of_an_answer(1);
  submit(4);
  scripted::release(Step::kPass);
  ASSERT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), (Log{"answer ask-1", "window 4"}));
}

// A question whose window is never analysed is told that, instead of waiting for ever.
TEST_F(ModelClientTest, TheWindowOfAQuestionFails) {
  start_and_wait();
  scripted::hold(Step::kEncode);
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"});
  submit(0);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  EXPECT_EQ(ask("ask-1"), ModelClient::Asked::kYes);
  scripted::release(Step::kEncode);
  EXPECT_TRUE(listener_.heard("no answer ask-1"));
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take().front(), "failed, 1 in a row");
}

// An end while a question is read returns, and its late answer goes nowhere.
TEST_F(ModelClientTest, StopWhileAQuestionIsRead) {
  start_and_wait();
  submit(0);
  ASSERT_TRUE(client_.wait_until_idle());
  listener_.take();
  scripted::hold(Step::kAsk);
  const int n_asked = scripted::count(Step::kAsk);
  ASSERT_EQ(ask("ask-1"), ModelClient::Asked::kYes);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, n_asked + 1));
  client_.stop();
  EXPECT_EQ(listener_.take(), Log{});
  EXPECT_EQ(ask("ask-2"), ModelClient::Asked::kNothing);
}

// stop() from another thread returns when the call into the listener is over, and none follows.
TEST_F(ModelClientTest, LeavesWhileItIsCalled) {
  start_and_wait();
  std::promise<void> inside, go_on;
  listener_.on_analysed = [&] {
    inside.set_value();
    go_on.get_future().wait();
  };
  submit(0);
  submit(1);
  inside.get_future().wait();
  std::atomic<bool> left{false};
  std::thread stopper([&] {
    client_.stop();
    left = true;
  });
  while (client_.counters().windows_dropped() == 0) std::this_thread::yield();  // it is at it
  EXPECT_FALSE(left);
  go_on.set_value();
  stopper.join();
  EXPECT_EQ(listener_.take(), Log{"window 0"});
}

// A model of no use: what waits and what comes is dropped, each told.
TEST_F(ModelClientTest, GivesUp) {
  scripted::hold(Step::kOpen);
  scripted::fail(Step::kOpen, {ErrorCode::kDamaged, "broken"});
  start();
  submit(0);
  scripted::release(Step::kOpen);
  ASSERT_TRUE(listener_.heard("model failed"));
  EXPECT_TRUE(client_.has_given_up());
  submit(1);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), (Log{"dropped 0", "model failed", "dropped 1"}));
  EXPECT_EQ(n_dropped(DropReason::kModelFailed), 2u);
  EXPECT_EQ(ask("ask-1"), ModelClient::Asked::kNothing);
}

// A window that does not fit is told as dropped, and the next one is analysed.
TEST_F(ModelClientTest, OutOfMemory) {
  start_and_wait();
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 4);
  submit(0);
  EXPECT_TRUE(client_.wait_until_idle());
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 0);
  submit(1);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), (Log{"dropped 0", "window 1"}));
  EXPECT_EQ(n_dropped(DropReason::kOutOfMemory), 1u);
}

// Kept windows are as many as are wanted, also when that changes, and go when room is needed.
TEST_F(ModelClientTest, KeepsTheLastWindows) {
  client_.set_limits(2, 3);
  start_and_wait();
  for (uint64_t i = 0; i < 10; i += 4) submit(i);
  ASSERT_TRUE(client_.wait_until_idle());
  EXPECT_TRUE(client_.covers(seconds(0), seconds(12)));
  client_.set_limits(2, 2);
  EXPECT_FALSE(client_.covers(seconds(0), seconds(12)));
  EXPECT_TRUE(client_.covers(seconds(4), seconds(12)));
  EXPECT_TRUE(take_room());
  EXPECT_FALSE(client_.covers(seconds(8), seconds(12)));
  EXPECT_FALSE(take_room());
}

// Everybody at once: windows and questions, flushes, limits, counts, and starts and stops.
TEST_F(ModelClientTest, EverybodyAtOnce) {
  scripted::answer_with("0.20-0.60");
  std::atomic<uint64_t> epoch{0};
  std::atomic<bool> over{false};
  const auto until_over = [&over](auto act) {
    return std::thread([&over, act]() mutable {
      for (uint64_t i = 0; !over; ++i) act(i);
    });
  };
  start();
  std::vector<std::thread> threads;
  threads.push_back(until_over([&](uint64_t i) {
    const auto policy = i % 2 ? OverloadPolicy::kDropOldest : OverloadPolicy::kDropNewest;
    client_.submit(window_at(i, epoch), policy);
    client_.look_ahead(window_at(i, epoch)->frames[0]);
  }));
  threads.push_back(until_over([&](uint64_t i) { ask("ask-" + std::to_string(i)); }));
  threads.push_back(until_over([&](uint64_t i) {
    client_.set_limits(1 + i % 3, i % 4);
    expect_account(client_.counters());
    take_room();
  }));
  for (int round = 0; round < 300; ++round) {
    client_.wait_until_idle();
    client_.interrupt(++epoch);
    client_.resume();
    if (round % 20 == 19) client_.stop(), start();
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vidi
