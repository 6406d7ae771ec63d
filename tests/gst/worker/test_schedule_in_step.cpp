// Who loses a window where many cameras' windows end at the same moment and are answered together.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "gst/worker/schedule.h"
#include "tests/support/offers.h"

namespace vidi {
namespace {

constexpr Time kStride = 10s;
constexpr size_t kMostAtOnce = 32;
constexpr int kPasses = 34;  // of an answer

// What a 9B model takes on a large GPU, about: 0.08 s until a window has joined, and passes over
// one row and over 32 of 11 and 20 ms.
constexpr Time kJoin = 80ms;
constexpr Time pass_over(size_t n_rows) {
  return 11ms + static_cast<Time::rep>(n_rows) * Time(280us);
}

struct Camera {
  int n_windows = 0, n_dropped = 0, n_answered = 0;
  std::deque<Time> ends;  // of its windows that wait
};

class InStep {
 public:
  explicit InStep(size_t n_cameras) : cameras(n_cameras) {}

  void watch(Time until) {
    while (now < until) {
      for (; next_end_ <= now; next_end_ += kStride)
        for (Camera& camera : cameras) camera.ends.push_back(next_end_), ++camera.n_windows;
      if (!drops_one() && !works()) now = next_end_;
    }
  }

  std::vector<Camera> cameras;
  Time now{}, longest{};
  Time first_join{};         // what the first window takes more than others, 0.9 s on such a GPU
  Time stall_at{}, stall{};  // once, then, a pass takes so much more

 private:
  struct Job {
    size_t camera;
    Time end, turn;
    int passes = 0;
    Time in_passes{}, share{};
  };

  Schedule::Offers offers() const {
    Schedule::Offers all;
    for (size_t i = 0; i < cameras.size(); ++i) {
      if (cameras[i].ends.empty()) continue;
      all[i].has_window = true;
      all[i].deadline = at(cameras[i].ends.front() + kStride);
      all[i].patience = kStride;
    }
    return all;
  }
  UnderWay under_way() const {
    if (jobs_.empty()) return {};
    return {true, true, at(jobs_[0].end + kStride), kPasses - jobs_[0].passes, jobs_.size()};
  }
  bool drops_one() {
    const auto victim = schedule_.to_drop(offers(), under_way(), at(now));
    if (!victim) return false;
    schedule_.dropped(*victim);
    cameras[*victim].ends.pop_front();
    ++cameras[*victim].n_dropped;
    return true;
  }
  bool works() {
    for (const Schedule::Turn& turn : schedule_.order(offers(), under_way(), at(now))) {
      if (turn.kind == Kind::kPass) return pass(), true;
      if (jobs_.size() < kMostAtOnce) return join(turn), true;
    }
    return false;
  }
  void join(const Schedule::Turn& turn) {
    auto& ends = cameras[turn.client].ends;
    jobs_.push_back({turn.client, ends.front(), now});
    ends.pop_front();
    const Time took = kJoin + std::exchange(first_join, Time(0));
    now += took;
    schedule_.did(turn, true, took);
  }
  void pass() {
    const bool stalls = now >= stall_at;
    const Time took = pass_over(jobs_.size()) + (stalls ? std::exchange(stall, Time(0)) : Time(0));
    now += took;
    for (Job& job : jobs_) {
      ++job.passes;
      job.in_passes += took, job.share += took / static_cast<Time::rep>(jobs_.size());
    }
    schedule_.did({Kind::kPass}, true, took);
    std::erase_if(jobs_, [this](const Job& job) { return job.passes == kPasses && ends(job); });
  }
  bool ends(const Job& job) {
    schedule_.answered(true, {now - job.turn, job.in_passes, job.share});
    longest = std::max(longest, now - job.end);
    ++cameras[job.camera].n_answered;
    return true;
  }

  Schedule schedule_;
  std::vector<Job> jobs_;
  Time next_end_{};
};

int sum(const InStep& all, int Camera::*count) {
  int n = 0;
  for (const Camera& camera : all.cameras) n += camera.*count;
  return n;
}

// Windows of a stride that the model could answer if it never did anything else and all its passes
// were full.
constexpr double kCapacity =
    static_cast<double>(kStride.count()) /
    static_cast<double>((kJoin + kPasses * pass_over(kMostAtOnce) / kMostAtOnce).count());

// Two thirds of that lose nothing, though their windows end at the same moment and the first
// answers come when much of the work is done.
TEST(ScheduleInStep, WhatCanBeDoneIsDone) {
  for (const size_t n : {2u, 40u, 60u, 65u}) {
    InStep all(n);
    all.watch(60s);
    for (const Camera& camera : all.cameras) EXPECT_EQ(camera.n_dropped, 0) << n;
    EXPECT_LE(all.longest, kStride) << n;
  }
}

// What is done once, for the first window of all, is not taken for what the others cost.
TEST(ScheduleInStep, AColdFirstWindowCostsNoOther) {
  for (const Time first : {500ms, 900ms}) {
    InStep all(60);
    all.first_join = first;
    all.watch(60s);
    for (const Camera& camera : all.cameras) EXPECT_EQ(camera.n_dropped, 0) << first.count();
    EXPECT_LE(all.longest, kStride);
  }
}

// A moment in which something else had the device costs about the windows of that time, and no
// later ones.
TEST(ScheduleInStep, AStallCostsItsTime) {
  for (const Time at : {20'200ms, 22'000ms, 24'000ms}) {
    InStep all(60);
    all.stall_at = at, all.stall = 2s;
    all.watch(60s);
    EXPECT_LE(sum(all, &Camera::n_dropped), 2s / kJoin) << at.count();
    EXPECT_LE(all.longest, kStride);
  }
}

// With more cameras no fewer windows are answered, none later than a stride, and the loss is
// spread.
TEST(ScheduleInStep, OverloadLosesWhatIsTooMuch) {
  constexpr int kStrides = 20;
  for (const size_t n : {90u, 120u, 200u}) {
    InStep all(n);
    all.watch(kStrides * kStride);
    EXPECT_GE(sum(all, &Camera::n_answered), 0.75 * kCapacity * kStrides) << n;
    EXPECT_LE(all.longest, kStride) << n;
    const auto [least, most] = std::minmax_element(
        all.cameras.begin(), all.cameras.end(),
        [](const Camera& a, const Camera& b) { return a.n_answered < b.n_answered; });
    EXPECT_LE(most->n_answered - least->n_answered, kStrides / 5) << n;
  }
}

}  // namespace
}  // namespace vidi
