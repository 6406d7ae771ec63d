// Many clients of one model: who joins, who waits for memory, who leaves in what state, and that
// every window is accounted for. Under ThreadSanitizer as well (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using scripted::Step;

struct Camera {
  Recorder heard;
  ModelClient client{heard};
};

template <size_t kCameras>
class Cameras : public testing::Test {
 protected:
  void SetUp() override { scripted::reset(); }
  void TearDown() override {
    for (Camera& camera : cameras_) {
      camera.client.stop();
      const Counters c = camera.client.counters();
      EXPECT_EQ(c.pending, 0u);
      EXPECT_EQ(c.windows_submitted, c.windows_completed + c.windows_failed + c.windows_dropped());
    }
    EXPECT_EQ(scripted::n_open_sessions(), 0);
    EXPECT_EQ(scripted::n_encoded_windows(), 0);
    EXPECT_EQ(scripted::n_partial_windows(), 0);
  }
  void start_all() {
    for (Camera& camera : cameras_) camera.client.start(*vidi_engine_api(), {"a", "cpu"});
    for (Camera& camera : cameras_) {
      ASSERT_TRUE(camera.client.wait_until_loaded());
      ASSERT_TRUE(camera.heard.heard("ready"));
      camera.heard.take();
    }
  }
  // Live, of this moment; of a stride of a second, so that nothing is late in a test but on
  // purpose.
  static std::shared_ptr<AnalysisWindow> live_window(uint64_t index, std::chrono::milliseconds age,
                                                     uint64_t epoch = 0) {
    auto window = window_at(index, epoch);
    window->next_start = window->start + std::chrono::seconds(100);
    window->closed_at = std::chrono::steady_clock::now() - age;
    return window;
  }
  void submit(size_t camera, uint64_t index, std::chrono::milliseconds age = {}) {
    cameras_[camera].client.submit(live_window(index, age), OverloadPolicy::kDropOldest);
  }
  // In which those after the first are encoded when each has a window of that age.
  std::vector<size_t> order_of(const std::vector<std::chrono::milliseconds>& ages) {
    start_all();
    scripted::hold(Step::kEncode);
    submit(0, 0);  // with the model when the others come
    EXPECT_TRUE(scripted::wait_for(Step::kEncode, 1));
    std::mutex mutex;
    std::vector<size_t> order;
    for (size_t i = 1; i < kCameras; ++i) {
      cameras_[i].heard.on_analysed = [&, i] {
        std::lock_guard lock(mutex);
        order.push_back(i);
      };
    }
    for (size_t i = 1; i < kCameras; ++i) submit(i, 0, ages[i - 1]);
    scripted::release(Step::kEncode);
    for (Camera& camera : cameras_) {
      EXPECT_TRUE(camera.heard.heard("window 0"));
      camera.heard.on_analysed = nullptr;
    }
    return order;
  }

  std::array<Camera, kCameras> cameras_;
};
using FourCameras = Cameras<4>;
using TwelveCameras = Cameras<12>;

// The window whose deadline is nearest is encoded first, whoever submitted first.
TEST_F(FourCameras, ByDeadline) {
  using std::chrono::milliseconds;
  EXPECT_EQ(order_of({milliseconds(1000), milliseconds(3000), milliseconds(2000)}),
            (std::vector<size_t>{2, 3, 1}));
}

// A camera may want its results sooner, or have more patience, than its stride.
TEST_F(FourCameras, ByTheDelayThatEachMayHave) {
  using std::chrono::seconds;
  cameras_[1].client.set_max_delay(seconds(50));
  cameras_[2].client.set_max_delay(seconds(30));
  cameras_[3].client.set_max_delay(seconds(40));
  EXPECT_EQ(order_of({seconds(0), seconds(0), seconds(0)}), (std::vector<size_t>{2, 3, 1}));
}

// Questions of several windows are answered together, and one that comes meanwhile joins them.
TEST_F(FourCameras, AnsweredTogether) {
  scripted::passes_of_an_answer(50);
  start_all();
  scripted::hold(Step::kPass);
  for (size_t i = 0; i < 4; ++i) submit(i, 0);
  ASSERT_TRUE(scripted::wait_for(Step::kPass, 1));
  scripted::release(Step::kPass);
  for (Camera& camera : cameras_) EXPECT_TRUE(camera.heard.heard("window 0"));
  EXPECT_EQ(scripted::most_answered_together(), 4);
  EXPECT_LT(scripted::count(Step::kPass), 4 * 50);
}

// A client's windows are told of in their order, one after the other.
TEST_F(FourCameras, EachInItsOrder) {
  scripted::passes_of_an_answer(3);
  start_all();
  for (uint64_t index = 0; index < 10; ++index) {
    for (Camera& camera : cameras_) camera.client.submit(window_at(index), OverloadPolicy::kBlock);
  }
  Log expected;
  for (int i = 0; i < 10; ++i) expected.push_back("window " + std::to_string(i));
  for (Camera& camera : cameras_) {
    EXPECT_TRUE(camera.client.wait_until_idle());
    EXPECT_EQ(camera.heard.take(), expected);
  }
}

// What is kept for questions gives its memory to windows, the oldest first, and never does a window
// fail for that; a question about one that went is told so.
TEST_F(FourCameras, KeptWindowsGiveWay) {
  scripted::room_for_windows(3);
  start_all();
  for (uint64_t round = 0; round < 5; ++round) {
    for (size_t i = 0; i < 4; ++i) {
      submit(i, 4 * round);
      EXPECT_TRUE(cameras_[i].client.wait_until_idle());
    }
  }
  EXPECT_LE(scripted::most_encoded_windows(), 3);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(cameras_[i].client.counters().windows_completed, 5u);
    using std::chrono::seconds;
    const auto asked = cameras_[i].client.ask(plan_of("ask"), seconds(16), seconds(20), nullptr);
    EXPECT_EQ(asked, i == 0 ? ModelClient::Asked::kGaveWay : ModelClient::Asked::kYes) << i;
  }
}

// Windows that have no room wait for those that are being answered.
TEST_F(TwelveCameras, WindowsWaitForRoom) {
  scripted::room_for_windows(4);
  scripted::passes_of_an_answer(5);
  for (Camera& camera : cameras_) camera.client.set_limits(4, 0);
  start_all();
  for (uint64_t round = 0; round < 4; ++round) {
    for (size_t i = 0; i < 12; ++i) submit(i, 4 * round);
  }
  for (Camera& camera : cameras_) {
    EXPECT_TRUE(camera.client.wait_until_idle());
    EXPECT_EQ(camera.client.counters().windows_completed, 4u);
  }
  EXPECT_EQ(scripted::most_encoded_windows(), 4);
  EXPECT_GT(scripted::most_answered_together(), 1);
}

// Out of memory in spite of all that: the window is dropped with its reason, the others go on.
TEST_F(FourCameras, OutOfMemoryAllTheSame) {
  start_all();
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 2);
  submit(0, 0);
  EXPECT_TRUE(cameras_[0].heard.heard("dropped 0"));
  for (size_t i = 1; i < 4; ++i) submit(i, 0);
  for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(cameras_[i].heard.heard("window 0"));
}

// A flush in each state of a window: what it was in goes on with the others' windows.
TEST_F(FourCameras, FlushInEachState) {
  scripted::passes_of_an_answer(3);
  start_all();
  uint64_t epoch = 0;
  for (const Step step : {Step::kEncodeImages, Step::kEncode, Step::kAsk, Step::kPass}) {
    scripted::hold(step);
    const int before = scripted::count(step);
    cameras_[0].client.submit(live_window(epoch, {}, epoch), OverloadPolicy::kDropOldest);
    ASSERT_TRUE(scripted::wait_for(step, before + 1));
    for (size_t i = 1; i < 4; ++i) submit(i, 4 * epoch);
    cameras_[0].client.interrupt(++epoch);
    cameras_[0].client.resume();
    scripted::release(step);
    for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(cameras_[i].client.wait_until_idle());
  }
  cameras_[0].client.submit(live_window(99, {}, epoch), OverloadPolicy::kDropOldest);
  EXPECT_TRUE(cameras_[0].heard.heard("window 99"));
  EXPECT_EQ(cameras_[0].client.counters().dropped[static_cast<size_t>(DropReason::kFlush)], 4u);
}

// One that leaves while its questions are being answered does not wait for them, and the others'
// go on.
TEST_F(FourCameras, LeavesWhileItsRowsRun) {
  start_all();
  scripted::hold(Step::kPass);
  for (size_t i = 0; i < 4; ++i) submit(i, 0);
  ASSERT_TRUE(scripted::wait_for(Step::kPass, 1));
  cameras_[2].client.stop();  // the pass is held: returning at all is the point
  EXPECT_EQ(cameras_[2].client.counters().windows_dropped(), 1u);
  scripted::release(Step::kPass);
  for (const size_t i : {0u, 1u, 3u}) EXPECT_TRUE(cameras_[i].heard.heard("window 0"));
  EXPECT_EQ(cameras_[2].heard.take(), Log{});
}

// A pass that nobody wants any more ends at once.
TEST_F(FourCameras, AllFlushDuringAPass) {
  start_all();
  scripted::hold(Step::kPass);
  submit(0, 0);
  ASSERT_TRUE(scripted::wait_for(Step::kPass, 1));
  cameras_[0].client.interrupt(1);
  cameras_[0].client.resume();
  EXPECT_TRUE(cameras_[0].client.wait_until_idle());  // it is still held
  EXPECT_EQ(scripted::n_cancelled(), 1);
  scripted::release(Step::kPass);
}

// A failure of the model during a pass is told to every window of it; the next ones are answered.
TEST_F(FourCameras, FailureOfAPass) {
  start_all();
  scripted::hold(Step::kPass);
  for (size_t i = 0; i < 4; ++i) submit(i, 0);
  scripted::fail(Step::kPass, {ErrorCode::kInternal, "broken"});
  scripted::release(Step::kPass);
  for (Camera& camera : cameras_) EXPECT_TRUE(camera.client.wait_until_idle());
  for (size_t i = 0; i < 4; ++i) {
    submit(i, 4);
    EXPECT_TRUE(cameras_[i].heard.heard("window 4"));
  }
}

// More than the model can do: late windows go for overload, each camera's turn comes, none fails.
TEST_F(TwelveCameras, Overload) {
  start_all();
  scripted::hold(Step::kEncode);
  for (size_t i = 0; i < 12; ++i) submit(i, 0, std::chrono::seconds(i < 6 ? 0 : 200));
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  scripted::release(Step::kEncode);
  uint64_t completed = 0, dropped = 0;
  for (Camera& camera : cameras_) {
    EXPECT_TRUE(camera.client.wait_until_idle());
    const Counters c = camera.client.counters();
    completed += c.windows_completed;
    dropped += c.dropped[static_cast<size_t>(DropReason::kOverload)];
  }
  EXPECT_EQ(completed + dropped, 12u);
  EXPECT_GE(dropped, 4u);
  EXPECT_GE(completed, 6u);
}

// Twelve that come, go, seek, ask and run out of memory at once: nothing hangs, nothing is left,
// and every window is accounted for.
TEST_F(TwelveCameras, EverybodyAtOnce) {
  scripted::passes_of_an_answer(2);
  scripted::room_for_windows(6);
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 3);
  std::atomic<int> n_done{0};
  const auto live = [&](Camera& camera, uint64_t seed) {
    uint64_t epoch = 0;
    camera.client.start(*vidi_engine_api(), {"a", "cpu"});
    for (uint64_t i = 0; i < 120; ++i) {
      const uint64_t dice = (seed * 7919 + i * 104729) % 23;
      const auto policy = seed % 4 == 0 ? OverloadPolicy::kBlock : OverloadPolicy::kDropOldest;
      camera.client.submit(live_window(i, std::chrono::seconds(dice % 3 * 60), epoch), policy);
      const auto ahead = window_at(i + 1, epoch);
      camera.client.look_ahead(ahead->frames[0]);
      if (dice % 4 == 0)
        camera.client.ask(plan_of("ask"), Time(0), std::chrono::seconds(i + 4), nullptr);
      if (dice == 5) camera.client.interrupt(++epoch), camera.client.resume();
      if (dice == 6) camera.client.wait_until_idle();
      if (dice == 7) camera.client.set_limits(1 + i % 3, i % 3);
      if (dice == 8) scripted::fail(Step::kPass, {ErrorCode::kOutOfMemory, "too much"});
      if (dice == 9) camera.client.stop(), camera.client.start(*vidi_engine_api(), {"a", "cpu"});
      const Counters c = camera.client.counters();
      EXPECT_EQ(c.windows_submitted,
                c.windows_completed + c.windows_failed + c.windows_dropped() + c.pending);
    }
    ++n_done;
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < cameras_.size(); ++i) threads.emplace_back(live, std::ref(cameras_[i]), i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_done, 12);
}

}  // namespace
}  // namespace vidi
