// Who loses a window where there is more to do than can be done: nobody without need, all evenly.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "gst/worker/schedule.h"
#include "tests/support/offers.h"

namespace vidi {
namespace {

class ScheduleDropsTest : public testing::Test {
 protected:
  // Twice: what happened once is not what is usual.
  void were_answered(Time took) {
    for (int i = 0; i < 2; ++i) schedule_.answered(true, {took, took});
  }
  void joined(Time took) {
    for (int i = 0; i < 2; ++i) schedule_.did({Kind::kWindow, 9}, true, took);
  }
  Schedule schedule_;
};

// A window that can meet its deadline is never dropped, and a client alone loses none here.
TEST_F(ScheduleDropsTest, DropsNothingWithoutNeed) {
  EXPECT_EQ(schedule_.to_drop({}, {}, at(0s)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop({{1, window_until(5s)}}, {}, at(9s)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop({{1, window_until(5s)}, {2, window_until(6s)}}, {}, at(4s)),
            std::nullopt);
  EXPECT_EQ(schedule_.to_drop({{1, file_window()}, {2, file_window()}}, {}, at(99s)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop({{1, window_until(5s)}, {2, file_window()}}, {}, at(99s)),
            std::nullopt);
}

// What the model did for files before does not count as a live window's cost.
TEST_F(ScheduleDropsTest, FilesAreNoLiveWindows) {
  for (int i = 0; i < 100; ++i) {
    schedule_.did({Kind::kWindow, 1}, false, 60s);
    schedule_.answered(false, {60s, 60s});
  }
  schedule_.did({Kind::kWindow, 2}, true, 1s);
  schedule_.answered(true, {1s, 1s});
  EXPECT_EQ(schedule_.to_drop({{2, window_until(5s)}, {3, window_until(5s)}}, {}, at(2s)),
            std::nullopt);
}

// Where answers take longer than windows have, however soon they are begun, windows are not dropped
// for that; they may wait for half of their patience.
TEST_F(ScheduleDropsTest, LongAnswersAreNotGivenUp) {
  were_answered(14s);
  const Schedule::Offers offers = {{1, window_until(10s)}, {2, window_until(10s)}};  // ended at 0
  EXPECT_EQ(schedule_.to_drop(offers, {}, at(0s)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop(offers, {}, at(4900ms)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop(offers, {}, at(5100ms)), 1u);
}

// One that is too late goes, and then not the same client's again.
TEST_F(ScheduleDropsTest, DropsWhoWasDroppedLeastLately) {
  const Schedule::Offers late = {
      {1, window_until(5s)}, {2, window_until(6s)}, {3, window_until(7s)}};
  EXPECT_EQ(schedule_.to_drop(late, {}, at(5500ms)), 1u);
  were_answered(1s);  // from turn to answer
  EXPECT_EQ(schedule_.to_drop(late, {}, at(4500ms)), 1u);
  schedule_.dropped(1);
  // A second each and a second until the answer: the third is too late, so one of three goes.
  joined(1s);
  EXPECT_EQ(schedule_.to_drop(late, {}, at(4s)), std::nullopt);
  EXPECT_EQ(schedule_.to_drop({{1, window_until(5s)}, {2, window_until(6s)}, {3, window_until(6s)}},
                              {}, at(4s)),
            2u);
}

struct Camera {
  int n_windows = 0, n_dropped = 0;
  std::deque<Time> deadlines;  // of its windows that wait
};

// Cameras of a window each 10 s on a model that takes `cost` for one, one after the other, for
// 1,000 s; and the longest wait beyond a window's end.
std::pair<std::vector<Camera>, Time> watch(size_t n_cameras, Time cost) {
  constexpr Time kStride = 10s;
  Schedule schedule;
  std::vector<Camera> cameras(n_cameras);
  Time now{}, longest{};
  std::vector<Time> next(n_cameras);
  for (size_t i = 0; i < n_cameras; ++i)
    next[i] = kStride * static_cast<int64_t>(i) / static_cast<int64_t>(n_cameras);
  while (now < 1000s) {
    Schedule::Offers offers;
    for (size_t i = 0; i < n_cameras; ++i) {
      for (; next[i] <= now; next[i] += kStride) {
        cameras[i].deadlines.push_back(next[i] + kStride);
        ++cameras[i].n_windows;
      }
      if (!cameras[i].deadlines.empty()) offers[i] = window_until(cameras[i].deadlines.front());
    }
    if (const auto victim = schedule.to_drop(offers, {}, at(now))) {
      schedule.dropped(*victim);
      cameras[*victim].deadlines.pop_front();
      ++cameras[*victim].n_dropped;
      continue;
    }
    const auto turns = schedule.order(offers, {}, at(now));
    if (turns.empty()) {
      now = *std::min_element(next.begin(), next.end());
      continue;
    }
    auto& served = cameras[turns[0].client].deadlines;
    now += cost;
    longest = std::max(longest, now - (served.front() - kStride));
    served.pop_front();
    schedule.did(turns[0], true, cost);
    schedule.answered(true, {cost, cost});
  }
  return {cameras, longest};
}

// 20 % more than can be done, spread evenly: no camera loses more than 30 % of its windows, however
// their phases and the model's pace fall together, and no result comes later than a stride.
TEST_F(ScheduleDropsTest, OverloadIsSpread) {
  for (const size_t n : {50u, 48u, 60u, 7u}) {
    const auto [cameras, longest] = watch(n, Time(12s) / static_cast<int64_t>(n));
    int n_windows = 0, n_dropped = 0;
    for (const Camera& camera : cameras) {
      EXPECT_LE(camera.n_dropped, 0.3 * camera.n_windows) << n;
      n_windows += camera.n_windows, n_dropped += camera.n_dropped;
    }
    EXPECT_NEAR(static_cast<double>(n_dropped) / n_windows, 1.0 / 6, 0.03) << n;
    EXPECT_LE(longest, Time(10s)) << n;
  }
}

// Five times as much as can be done: four of five go, still spread.
TEST_F(ScheduleDropsTest, HeavyOverloadIsSpread) {
  const auto [cameras, longest] = watch(40, Time(50s) / 40);
  for (const Camera& camera : cameras) {
    EXPECT_NEAR(static_cast<double>(camera.n_dropped) / camera.n_windows, 0.8, 0.08);
  }
  EXPECT_LE(longest, Time(10s));
}

// Less than can be done: nothing goes.
TEST_F(ScheduleDropsTest, NoOverload) {
  const auto [cameras, longest] = watch(50, Time(9500ms) / 50);
  for (const Camera& camera : cameras) EXPECT_EQ(camera.n_dropped, 0);
  EXPECT_LE(longest, Time(1s));
}

// Clients that have gone are forgotten: a new one has no history.
TEST_F(ScheduleDropsTest, ForgetsWhoHasGone) {
  const Schedule::Offers late = {{1, window_until(5s)}, {2, window_until(5s)}};
  joined(2s);
  were_answered(0s);  // two seconds each: one of the two is too late
  schedule_.dropped(1);
  EXPECT_EQ(schedule_.to_drop(late, {}, at(4s)), 2u);
  schedule_.forget_all_but({});
  EXPECT_EQ(schedule_.to_drop(late, {}, at(4s)), 1u);
}

}  // namespace
}  // namespace vidi
