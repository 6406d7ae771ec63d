// An element whose model runs on several devices: windows overlap and are told of in their order,
// and kept ones are asked where they are. Under ThreadSanitizer as well (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/support/devices_rig.h"

namespace vidi {
namespace {

using scripted::Step;
using std::chrono::seconds;

// A file's windows are with both devices at once, and are told of in their order.
TEST_F(Devices, WindowsOverlap) {
  start_on();
  EXPECT_EQ(scripted::n_open_sessions(), 2);
  scripted::hold(Step::kEncode);
  for (uint64_t i = 0; i < 6; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 2));
  EXPECT_EQ(scripted::most_sessions_at_work(), 2);
  EXPECT_EQ(client_.counters().pending, 6u);
  scripted::release(Step::kEncode);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(6));
  const Counters counters = client_.counters();
  EXPECT_EQ(counters.device, "cpu,cpu");
  ASSERT_EQ(counters.devices.size(), 2u);
  EXPECT_GT(counters.devices[0].windows_completed, 0u);
  EXPECT_GT(counters.devices[1].windows_completed, 0u);
  EXPECT_EQ(counters.analysed, seconds(9));  // no second is counted twice
}

// One that ends early on its device waits for the one before it, and its device goes on meanwhile.
TEST_F(Devices, TheLaterOneEndsFirst) {
  SlowFirst first;
  start_on();
  client_.submit(first.window(), OverloadPolicy::kBlock);
  for (uint64_t i = 1; i < 9; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 3));
  EXPECT_EQ(listener_.take(), Log{});
  first.go_on();
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(9));
}

// A window that has ended, and waits to be told of, has memory that the next one may take: none is
// lost for want of it.
TEST_F(Devices, WhatWaitsToBeToldGivesItsMemory) {
  SlowFirst first;
  scripted::room_for_windows(2);
  start_on();
  client_.submit(first.window(), OverloadPolicy::kBlock);
  for (uint64_t i = 1; i < 9; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 3));
  first.go_on();
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(9));
  scripted::room_for_windows(-1);
}

// After a flush nobody hears of those that had ended and waited: they are dropped, not completed.
TEST_F(Devices, WhatWaitsToBeToldIsFlushed) {
  SlowFirst first;
  start_on();
  client_.submit(first.window(), OverloadPolicy::kBlock);
  for (uint64_t i = 1; i < 9; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 3));
  client_.interrupt(1);
  first.go_on();
  client_.resume();
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), Log{});
  EXPECT_EQ(client_.counters().windows_completed, 0u);
  EXPECT_EQ(n_dropped(DropReason::kFlush), 9u);
}

// Overlapping windows share pictures, and each device looks at them for itself: the scripted engine
// refuses what another session has made. Every device of a long list takes part.
TEST_F(Devices, PicturesThatWindowsShare) {
  start_on({"cpu", "cpu", "cpu", "cpu", "cpu"});
  std::vector<std::shared_ptr<const SampledFrame>> pictures;
  for (int i = 0; i < 44; ++i) pictures.push_back(test::solid_frame(0, seconds(i)));
  for (uint64_t i = 0; i < 40; ++i) {
    auto window = window_at(i);
    window->frames.assign(pictures.begin() + i, pictures.begin() + i + 4);
    window->needed_from = seconds(i + 1);
    client_.look_ahead(pictures[i + 3]);
    client_.submit(window, OverloadPolicy::kBlock);
  }
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(40));
  for (const DeviceCounters& device : client_.counters().devices)
    EXPECT_GT(device.windows_completed, 0u);
}

// A camera that its device keeps up with stays there: what was made ahead is made once.
TEST_F(Devices, ACameraStays) {
  start_on();
  for (uint64_t i = 0; i < 8; ++i) {
    client_.submit(live(i), OverloadPolicy::kDropOldest);
    EXPECT_TRUE(client_.wait_until_idle());
  }
  const auto devices = client_.counters().devices;
  EXPECT_EQ(std::max(devices[0].windows_completed, devices[1].windows_completed), 8u);
}

// One that is too much for its device has the other as well, and still hears in order; however long
// its results may take, it is the stride that counts.
TEST_F(Devices, ACameraThatIsTooMuchMoves) {
  scripted::answer_with([](const Query&, const scripted::SeenWindow&) {
    test::let_pass(std::chrono::milliseconds(20));
    return std::string("none");
  });
  client_.set_limits(20, 1);
  for (const Time max_delay : {Time(0), Time(seconds(100))}) {
    client_.set_max_delay(max_delay);
    start_on();
    for (uint64_t i = 0; i < 10; ++i) {
      auto window = live(i);
      window->next_start = window->start + std::chrono::milliseconds(2);  // its stride
      client_.submit(window, OverloadPolicy::kDropOldest);
      if (i == 0) {
        EXPECT_TRUE(client_.wait_until_idle());  // then it is known what one takes
      }
    }
    EXPECT_TRUE(client_.wait_until_idle());
    EXPECT_EQ(listener_.take(), windows(10));
    for (const DeviceCounters& device : client_.counters().devices)
      EXPECT_GT(device.windows_completed, 1u);
    client_.stop();
  }
}

// A file does not wait for a device that works for another element, while one has nothing to do.
TEST_F(Devices, AFileGoesWhereNobodyElseIs) {
  start_on({"cuda:0", "cuda:1"});
  Recorder heard;
  ModelClient other(heard);
  other.start_on(*vidi_engine_api(), {"a", ""}, {"cuda:0"});
  ASSERT_TRUE(heard.heard("ready"));
  SlowFirst first;
  other.submit(first.window(), OverloadPolicy::kBlock);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  for (uint64_t i = 1; i < 20; ++i) submit(i);
  ASSERT_TRUE(listener_.heard("window 19"));
  EXPECT_EQ(heard.take(), Log{"ready"});
  EXPECT_EQ(client_.counters().devices[1].windows_completed, 19u);
  first.go_on();
  EXPECT_TRUE(other.wait_until_idle());
  other.stop();
}

// Nor does it help itself to one that is much slower, as a window with a red picture is here: alone
// the quick one is done sooner, since windows are told of in order.
TEST_F(Devices, AFileLeavesTheSlowDeviceAlone) {
  scripted::answer_with([](const Query&, const scripted::SeenWindow& window) {
    if (window.frames[0] == 0xff0000) test::let_pass(std::chrono::milliseconds(300));
    return std::string("none");
  });
  start_on();
  uint64_t n = 0;
  for (int i = 0; i < 2; ++i) {  // one on each; the first is not counted
    scripted::hold(Step::kEncode);
    auto slow = window_at(n++);
    slow->frames[0] = test::solid_frame(0xff0000, slow->start);
    client_.submit(slow, OverloadPolicy::kBlock);
    submit(n++);
    ASSERT_TRUE(scripted::wait_for(Step::kEncode, static_cast<int>(n)));
    scripted::release(Step::kEncode);
    ASSERT_TRUE(client_.wait_until_idle());
  }
  for (int i = 0; i < 10; ++i) submit(n++);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), windows(n));
  const auto devices = client_.counters().devices;
  EXPECT_EQ(std::min(devices[0].windows_completed, devices[1].windows_completed), 2u);
}

// Elements are spread over the devices, each at home with one.
TEST_F(Devices, CamerasAreSpread) {
  start_on();
  Recorder heard;
  ModelClient other(heard);
  other.start_on(*vidi_engine_api(), {"a", ""}, {"cpu", "cpu"});
  ASSERT_TRUE(heard.heard("ready"));
  EXPECT_EQ(scripted::n_open_sessions(), 2);  // shared
  scripted::hold(Step::kEncode);
  client_.submit(live(0), OverloadPolicy::kDropOldest);
  other.submit(live(0), OverloadPolicy::kDropOldest);
  EXPECT_TRUE(scripted::wait_for(Step::kEncode, 2));
  EXPECT_EQ(scripted::most_sessions_at_work(), 2);
  scripted::release(Step::kEncode);
  EXPECT_TRUE(heard.heard("window 0"));
  EXPECT_TRUE(listener_.heard("window 0"));
  other.stop();
}

// As many windows are kept as are wanted, whichever devices have them, and each is asked where it
// is.
TEST_F(Devices, QuestionsGoWhereTheirWindowsAre) {
  client_.set_limits(8, 3);
  start_on();
  for (uint64_t i = 0; i < 24; i += 4) submit(i);
  ASSERT_TRUE(client_.wait_until_idle());
  EXPECT_FALSE(client_.covers(seconds(8), seconds(24)));
  EXPECT_TRUE(client_.covers(seconds(12), seconds(24)));
  listener_.take();
  for (const int second : {13, 17, 21}) {
    const std::string id = "ask-" + std::to_string(second);
    EXPECT_EQ(ask(id, second, second + 1), ModelClient::Asked::kYes);
    EXPECT_TRUE(listener_.heard("answer " + id));
  }
  listener_.take();
  EXPECT_EQ(ask("all", 12, 24), ModelClient::Asked::kYes);
  EXPECT_EQ(ask("gone", 0, 4), ModelClient::Asked::kNothing);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 6 + 3 + 3));  // each of the kept windows
  EXPECT_TRUE(listener_.heard("answer all"));
}

// With a gate windows are judged one after the other, by the last that was analysed.
TEST_F(Devices, WithAGate) {
  client_.set_gate({true, 0.9});
  start_on();
  for (uint64_t i = 0; i < 6; ++i) {
    auto window = window_at(4 * i);
    window->next_start = seconds(4 * i + 4);
    static const auto plan = plan_of("0");
    window->plan = plan;
    client_.submit(window, OverloadPolicy::kBlock);
  }
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(),
            (Log{"window 0", "gated 4", "gated 8", "gated 12", "gated 16", "gated 20"}));
}

// Weights leave each device by themselves, which is said once all have; the next window brings back
// those that it needs.
TEST_F(Devices, WeightsThatAreAway) {
  ModelKey key{"a", ""};
  key.unload_after = 20'000'000;
  client_.start_on(*vidi_engine_api(), key, {"cpu", "cpu"});
  ASSERT_TRUE(listener_.heard("unloaded"));
  EXPECT_EQ(scripted::count(Step::kUnload), 2);
  listener_.take();
  submit(0);
  EXPECT_TRUE(client_.wait_until_idle());
  Log log = listener_.take();
  ASSERT_GE(log.size(), 3u);
  EXPECT_EQ((Log{log[0], log[1], log[2]}), (Log{"loading", "ready", "window 0"}));
  EXPECT_EQ(scripted::count(Step::kLoad), 1);
}

// A question loads the device that has its window, and no other.
TEST_F(Devices, AQuestionLoadsOneDevice) {
  ModelKey key{"a", ""};
  key.unload_after = 20'000'000;
  client_.set_limits(8, 8);
  client_.start_on(*vidi_engine_api(), key, {"cpu", "cpu", "cpu"});
  ASSERT_TRUE(client_.wait_until_loaded());
  for (uint64_t i = 0; i < 24; i += 4) submit(i);
  EXPECT_TRUE(client_.wait_until_idle());
  for (int second = 1; second < 24; second += 4) {
    listener_.take();
    ASSERT_TRUE(listener_.heard("unloaded"));
    const int before = scripted::count(Step::kLoad);
    ask("0", second, second + 1);
    ASSERT_TRUE(listener_.heard("answer 0"));
    EXPECT_EQ(scripted::count(Step::kLoad), before + 1);
  }
}

// A flush while both are at it: nothing of before is told, every window is accounted for.
TEST_F(Devices, Flush) {
  start_on();
  scripted::hold(Step::kEncode);
  for (uint64_t i = 0; i < 4; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 2));
  client_.interrupt(1);
  scripted::release(Step::kEncode);
  client_.resume();
  submit(9, 1);
  EXPECT_TRUE(client_.wait_until_idle());
  EXPECT_EQ(listener_.take(), Log{"window 9"});
  EXPECT_EQ(n_dropped(DropReason::kFlush), 4u);
}

// A stop while both are at it returns, and nothing is told any more.
TEST_F(Devices, Stop) {
  start_on();
  scripted::hold(Step::kEncode);
  for (uint64_t i = 0; i < 4; ++i) submit(i);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 2));
  client_.stop();
  EXPECT_EQ(listener_.take(), Log{});
  EXPECT_EQ(n_dropped(DropReason::kStopped), 4u);
}

// Everybody at once, on three devices of which one breaks and mends.
TEST_F(Devices, EverybodyAtOnce) {
  scripted::answer_with("0.20-0.60");
  std::atomic<uint64_t> epoch{0};
  std::atomic<bool> over{false};
  const auto until_over = [&over](auto act) {
    return std::thread([&over, act]() mutable {
      for (uint64_t i = 0; !over; ++i) act(i);
    });
  };
  const auto start_three = [&] {
    client_.start_on(*vidi_engine_api(), {"a", ""}, {"cuda:0", "cuda:1", "cuda:1"});
  };
  start_three();
  std::vector<std::thread> threads;
  threads.push_back(until_over([&](uint64_t i) {
    const auto policy = i % 3 == 0   ? OverloadPolicy::kBlock
                        : i % 3 == 1 ? OverloadPolicy::kDropOldest
                                     : OverloadPolicy::kDropNewest;
    if (i % 3 == 0) client_.wait_for_room([&] { return !over.load(); });
    const auto window = window_at(i, epoch);
    client_.look_ahead(window->frames[0]);
    client_.submit(window, policy);
  }));
  threads.push_back(until_over([&](uint64_t i) { ask("ask-" + std::to_string(i)); }));
  threads.push_back(until_over([&](uint64_t i) {
    client_.set_limits(1 + i % 3, i % 4);
    client_.set_gate({i % 7 == 0, 0.9});
    expect_account(client_.counters());
    scripted::break_device(i % 5 == 0 ? "cuda:1" : "");
  }));
  for (int round = 0; round < 200; ++round) {
    client_.wait_until_idle();
    client_.interrupt(++epoch);
    client_.resume();
    if (round % 20 == 19) client_.stop(), start_three();
  }
  over = true;
  client_.interrupt(++epoch);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vidi
