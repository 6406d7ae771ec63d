// Ctrl-C in a program that does not come back to its main loop: the first one gives it a few
// seconds, the second ends it at once. Each case is a process of its own, whose status tells how it
// ended: kRanOn when it was not ended.
#include <glib.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>

#include "examples/watch/stop_signals.h"

namespace {

constexpr int kRanOn = 7, kTidy = 8;

// Hangs for so long, whatever signals come.
void hang(gint64 milliseconds) {
  const gint64 end = g_get_monotonic_time() + milliseconds * 1000;
  while (g_get_monotonic_time() < end) sched_yield();
}

class StopSignals : public ::testing::Test {
 protected:
  StopSignals() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// The second one ends what hangs, long before the time that the first one gives is over.
TEST_F(StopSignals, TheSecondOneEndsItAtOnce) {
  const auto hangs = [] {
    stop_at_signals([] {}, [] {});
    std::raise(SIGINT);
    hang(400);
    std::raise(SIGINT);
    hang(1'000);
    _exit(kRanOn);
  };
  EXPECT_EXIT(hangs(), ::testing::ExitedWithCode(0), "");
}

// One Ctrl-C that comes twice, to the process and to its group, is one.
TEST_F(StopSignals, OneThatComesTwiceIsOne) {
  const auto ends_well = [] {
    stop_at_signals([] { _exit(kRanOn); }, [] {});
    std::raise(SIGINT);
    std::raise(SIGINT);
    while (true) g_main_context_iteration(nullptr, TRUE);
  };
  EXPECT_EXIT(ends_well(), ::testing::ExitedWithCode(kRanOn), "");
}

// Within three seconds the first one alone has ended what hangs.
TEST_F(StopSignals, WhatHangsIsEndedInTime) {
  const auto hangs = [] {
    stop_at_signals([] {}, [] {});
    std::raise(SIGTERM);
    hang(10'000);
    _exit(kRanOn);
  };
  const gint64 began = g_get_monotonic_time();
  EXPECT_EXIT(hangs(), ::testing::ExitedWithCode(0), "");
  EXPECT_LT(g_get_monotonic_time() - began, 8 * G_USEC_PER_SEC);
}

// What has to be put away is, also where the process is ended in the middle of its work.
TEST_F(StopSignals, AHardEndTidiesUp) {
  const auto hangs = [] {
    stop_at_signals([] {}, [] { _exit(kTidy); });
    std::raise(SIGINT);
    hang(10'000);
    _exit(kRanOn);
  };
  EXPECT_EXIT(hangs(), ::testing::ExitedWithCode(kTidy), "");
}

// Tidying up that hangs, as on a disk that does not answer, has half a second.
TEST_F(StopSignals, TidyingUpHasItsTime) {
  const auto hangs = [] {
    stop_at_signals([] {}, [] { hang(10'000), _exit(kTidy); });
    std::raise(SIGINT);
    hang(10'000);
    _exit(kRanOn);
  };
  EXPECT_EXIT(hangs(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
