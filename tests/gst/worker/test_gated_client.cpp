// An element's seat at the model with a gate before it: what is passed by is told and counted, can
// be asked about, and costs the model nothing but a look. Under ThreadSanitizer as well.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using scripted::Step;
using std::chrono::seconds;

constexpr uint32_t kGrey = 0x808080;

// Four seconds from 4 * `index` on, two pictures of this colour.
std::shared_ptr<AnalysisWindow> tile(uint64_t index, uint32_t colour = kGrey, uint64_t epoch = 0) {
  auto window = window_at(index, epoch);
  window->start = seconds(4 * index);
  window->stop = window->next_start = window->needed_from = seconds(4 * index + 4);
  window->frames.clear();
  for (int i = 0; i < 2; ++i)
    window->frames.push_back(test::solid_frame(colour, window->start + seconds(2 * i)));
  return window;
}

class GatedClientTest : public ModelClientTest {
 protected:
  void SetUp() override {
    ModelClientTest::SetUp();
    client_.set_gate({true, 0.9});
  }
  void submit(const std::shared_ptr<AnalysisWindow>& window) {
    client_.submit(window, OverloadPolicy::kBlock);
  }
  void submit_all(const std::vector<std::shared_ptr<AnalysisWindow>>& windows) {
    for (const auto& window : windows) submit(window);
    ASSERT_TRUE(client_.wait_until_idle());
  }
};

// Windows are told of in their order, analysed or not, and each is counted once.
TEST_F(GatedClientTest, ToldInOrderAndCounted) {
  start_and_wait();
  submit_all({tile(0), tile(1), tile(2), tile(3, 0), tile(4, 0)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "gated 1", "gated 2", "window 3", "gated 4"}));
  const Counters counters = client_.counters();
  EXPECT_EQ(counters.windows_completed, 2u);
  EXPECT_EQ(counters.windows_gated, 3u);
  EXPECT_EQ(counters.windows_dropped(), 0u);
  EXPECT_EQ(scripted::count(Step::kEncode), 2);
  EXPECT_EQ(scripted::count(Step::kAsk), 2);
}

// What no other window needs is let go of, analysed or not, the picture that the gate compares
// with, too, which it has for itself.
TEST_F(GatedClientTest, FeaturesAreLetGoOf) {
  start_and_wait();
  const auto windows = {tile(0), tile(1), tile(2, 0)};
  submit_all(windows);
  EXPECT_EQ(listener_.take(), (Log{"window 0", "gated 1", "window 2"}));
  for (const auto& window : windows) {
    for (const auto& frame : window->frames) EXPECT_FALSE(frame->features) << window->index;
  }
}

// Without a gate every window is analysed, and none is compared.
TEST_F(GatedClientTest, OffByDefault) {
  client_.set_gate({});
  start_and_wait();
  submit_all({tile(0), tile(1)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "window 1"}));
  EXPECT_EQ(scripted::count(Step::kCompare), 0);
}

// The gate may be turned on and off while windows come.
TEST_F(GatedClientTest, ChangesWhilePlaying) {
  start_and_wait();
  submit_all({tile(0), tile(1)});
  client_.set_gate({});
  submit_all({tile(2)});
  client_.set_gate({true, 0.9});
  submit_all({tile(3), tile(4)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "gated 1", "window 2", "window 3", "gated 4"}));
}

// After a window that failed, found no memory or was dropped the next one is analysed.
TEST_F(GatedClientTest, AnalysesWhatFollowsALoss) {
  start_and_wait();
  submit_all({tile(0)});
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, 1);
  submit_all({tile(1, 0), tile(2, 0)});
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 4);
  submit_all({tile(3)});
  scripted::fail(Step::kEncode, {}, 0);
  submit_all({tile(4)});
  client_.refuse_small(*tile(5));
  submit_all({tile(6), tile(7)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "failed, 1 in a row", "window 2", "dropped 3",
                                   "window 4", "dropped 5", "window 6", "gated 7"}));
}

// After a flush the first window is analysed, whatever it shows.
TEST_F(GatedClientTest, AnalysesTheFirstAfterAFlush) {
  start_and_wait();
  submit_all({tile(0), tile(1)});
  client_.interrupt(1);
  client_.resume();
  submit_all({tile(2, kGrey, 1), tile(3, kGrey, 1)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "gated 1", "window 2", "gated 3"}));
}

// A flush while the gate looks ends that, and nothing is told of the window.
TEST_F(GatedClientTest, FlushWhileItLooks) {
  start_and_wait();
  submit_all({tile(0)});
  scripted::hold(Step::kEncodeImages);
  const int n_looks = scripted::count(Step::kEncodeImages);
  submit(tile(1));
  ASSERT_TRUE(scripted::wait_for(Step::kEncodeImages, n_looks + 1));
  client_.interrupt(1);
  scripted::release(Step::kEncodeImages);
  client_.resume();
  submit_all({tile(2, kGrey, 1)});
  EXPECT_EQ(listener_.take(), (Log{"window 0", "window 2"}));
  EXPECT_EQ(n_dropped(DropReason::kFlush), 1u);
}

// A question about a window that was passed by is answered from that window, which is encoded then;
// the analysed one before it has gone, as it would have without a gate.
TEST_F(GatedClientTest, QuestionsAboutWhatWasPassedBy) {
  start_and_wait();
  submit_all({tile(0), tile(1, kGrey + 1)});
  ASSERT_EQ(ask("ask-1", 0, 4), ModelClient::Asked::kNothing);
  EXPECT_TRUE(client_.covers(seconds(4), seconds(8)));
  ASSERT_EQ(ask("ask-2", 4, 8), ModelClient::Asked::kYes);
  EXPECT_TRUE(listener_.heard("answer ask-2"));
  EXPECT_EQ(scripted::last_window().frames, std::vector<uint32_t>(2, kGrey + 1));
  submit_all({tile(2, kGrey + 2)});  // compared as before
  EXPECT_EQ(listener_.take(), (Log{"window 0", "gated 1", "answer ask-2", "gated 2"}));
}

// A question that fails says so, and the windows go on.
TEST_F(GatedClientTest, AQuestionThatFails) {
  start_and_wait();
  submit_all({tile(0), tile(1)});
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, 1);
  ASSERT_EQ(ask("ask-1", 4, 8), ModelClient::Asked::kYes);
  EXPECT_TRUE(listener_.heard("no answer ask-1"));
  submit_all({tile(2)});
  EXPECT_TRUE(listener_.heard("gated 2"));
}

// Several windows that are kept are asked in turn, whichever way they were dealt with.
TEST_F(GatedClientTest, QuestionsAboutBothKinds) {
  client_.set_limits(2, 3);
  start_and_wait();
  submit_all({tile(0), tile(1), tile(2)});
  listener_.take();
  ASSERT_EQ(ask("ask-1"), ModelClient::Asked::kYes);
  const Log three(3, "answer ask-1");
  Log heard;
  while (heard.size() < 3) {
    ASSERT_TRUE(listener_.heard("answer ask-1"));
    for (const std::string& line : listener_.take()) heard.push_back(line);
  }
  EXPECT_EQ(heard, three);
  // Memory is what the encoded one can give; those that hold none stay.
  EXPECT_TRUE(take_room());
  EXPECT_FALSE(take_room());
  EXPECT_TRUE(client_.covers(seconds(4), seconds(12)));
  EXPECT_FALSE(client_.covers(seconds(0), seconds(4)));
}

// The decoder does nothing ahead of a window until it is known that it will be analysed.
TEST_F(GatedClientTest, LookaheadWaitsForTheGate) {
  start_and_wait();
  submit_all({tile(0)});
  const auto show = [&](const std::vector<uint32_t>& colours) {
    auto open = std::make_shared<OpenWindow>();
    open->index = 1;
    open->n_frames = 4;
    for (size_t i = 0; i < colours.size(); ++i)
      open->frames.push_back(test::solid_frame(colours[i], seconds(4 + i)));
    for (const auto& frame : open->frames) client_.look_ahead(frame);
    client_.set_open_window(open);
  };
  const int n_compared = scripted::count(Step::kCompare);
  show({kGrey, kGrey});
  ASSERT_TRUE(scripted::wait_for(Step::kCompare, n_compared + 1));
  show({kGrey, kGrey, 0});
  ASSERT_TRUE(scripted::wait_for(Step::kAppend, 1));
  EXPECT_EQ(scripted::count(Step::kCompare), n_compared + 2);
}

// A window that waits for its turn behind the gate may be dropped there, and the next is analysed.
TEST_F(GatedClientTest, DroppedWhileTheGateLooks) {
  client_.set_limits(1, 1);
  start_and_wait();
  submit_all({tile(0)});
  scripted::hold(Step::kEncodeImages);
  const int n_looks = scripted::count(Step::kEncodeImages);
  client_.submit(tile(1), OverloadPolicy::kDropOldest);
  ASSERT_TRUE(scripted::wait_for(Step::kEncodeImages, n_looks + 1));
  client_.submit(tile(2), OverloadPolicy::kDropOldest);
  scripted::release(Step::kEncodeImages);
  ASSERT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), (Log{"window 0", "dropped 1", "window 2"}));
}

// Everybody at once: windows that differ and do not, questions, flushes, changes of the gate, and
// starts and stops.
TEST_F(GatedClientTest, EverybodyAtOnce) {
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
    client_.submit(tile(i, i / 3 % 2 ? kGrey : 0, epoch), OverloadPolicy::kDropOldest);
    client_.look_ahead(tile(i, kGrey, epoch)->frames[0]);
  }));
  threads.push_back(until_over([&](uint64_t i) { ask("ask-" + std::to_string(i)); }));
  threads.push_back(until_over([&](uint64_t i) {
    client_.set_gate({i % 8 != 0, 0.9});
    client_.set_limits(1 + i % 3, 1 + i % 4);
    expect_account(client_.counters());
    take_room();
  }));
  for (int round = 0; round < 200; ++round) {
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
