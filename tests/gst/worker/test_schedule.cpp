// Whose turn it is: deadlines, questions, files, passes.
#include <gtest/gtest.h>

#include <vector>

#include "gst/worker/schedule.h"
#include "tests/support/offers.h"

namespace vidi {
namespace {

using Turns = std::vector<Schedule::Turn>;

class ScheduleTest : public testing::Test {
 protected:
  Turns order(const Schedule::Offers& offers, UnderWay under_way = {}) {
    return schedule_.order(offers, under_way, at(0s));
  }
  // Does what comes first for so long.
  Schedule::Turn serve(const Schedule::Offers& offers, UnderWay under_way, Time took) {
    const Schedule::Turn turn = order(offers, under_way).at(0);
    const bool is_live =
        turn.kind == Kind::kPass ? under_way.live : offers.at(turn.client).is_live();
    schedule_.did(turn, is_live, took);
    return turn;
  }

  Schedule schedule_;
};

// The earliest deadline comes first, whoever it is; what is made ahead comes last.
TEST_F(ScheduleTest, EarliestDeadlineFirst) {
  const Schedule::Offers offers = {
      {1, ahead()}, {2, window_until(30s)}, {3, window_until(10s)}, {4, window_until(20s)}};
  EXPECT_EQ(order(offers),
            (Turns{{Kind::kWindow, 3}, {Kind::kWindow, 4}, {Kind::kWindow, 2}, {Kind::kAhead, 1}}));
  EXPECT_EQ(order({}), Turns());
}

Offer gated_window_until(Time deadline) {
  Offer offer = window_until(deadline);
  offer.awaits_gate = true;
  return offer;
}

// Whose earlier windows fell out of its queue keeps their place.
TEST_F(ScheduleTest, TheEarlierOfDeadlineAndTurn) {
  Schedule::Offers offers{{1, window_until(5s)}, {2, window_until(9s)}};
  offers[2].turn = at(3s);
  EXPECT_EQ(order(offers), (Turns{{Kind::kWindow, 2}, {Kind::kWindow, 1}}));
}

// Windows are judged before others are analysed, the nearest deadline first; a file's in its turn.
TEST_F(ScheduleTest, GatesBeforeWindows) {
  Offer file = file_window();
  file.awaits_gate = true;
  schedule_.did({Kind::kWindow, 9}, false, 10s);  // files are not due
  EXPECT_EQ(order({{1, window_until(10s)},
                   {2, gated_window_until(30s)},
                   {3, gated_window_until(20s)},
                   {4, file}}),
            (Turns{{Kind::kGate, 3}, {Kind::kGate, 2}, {Kind::kWindow, 1}, {Kind::kGate, 4}}));
}

// A question waits for one of many gates, not for all of them; and so do passes, for their share.
TEST_F(ScheduleTest, GatesLeaveRoom) {
  const Schedule::Offers asked = {{1, question()}, {2, gated_window_until(10s)}};
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(serve(asked, {}, 1s).kind, i % 2 == 0 ? Kind::kAsk : Kind::kGate) << i;
  const Schedule::Offers gates = {{2, gated_window_until(10s)}};
  int n_passes = 0;
  for (int i = 0; i < 1000; ++i) n_passes += serve(gates, {true, true}, 10ms).kind == Kind::kPass;
  EXPECT_NEAR(n_passes, 200, 20);
}

// Nobody is dropped before its gate, and what quiet cameras take is no part of a window's cost.
TEST_F(ScheduleTest, GatesAreNoWindows) {
  const Schedule::Offers late = {{1, gated_window_until(5s)}, {2, gated_window_until(6s)}};
  EXPECT_EQ(schedule_.to_drop(late, {}, at(99s)), std::nullopt);
  schedule_.did({Kind::kGate, 3}, true, 60s);
  schedule_.did({Kind::kLook, 3}, true, 60s);
  schedule_.did({Kind::kWindow, 4}, true, 1s);
  schedule_.answered(true, {1s, 1s});
  EXPECT_EQ(schedule_.to_drop({{1, window_until(5s)}, {2, window_until(5s)}}, {}, at(2s)),
            std::nullopt);
}

// What is made ahead of a window that may never be analysed is told apart.
TEST_F(ScheduleTest, LooksAreNoWorkAhead) {
  Offer quiet = ahead();
  quiet.is_quiet = true;
  EXPECT_EQ(order({{1, quiet}, {2, ahead()}}), (Turns{{Kind::kLook, 1}, {Kind::kAhead, 2}}));
}

// A question goes before windows, and the next one behind a window: neither keeps the other
// waiting.
TEST_F(ScheduleTest, QuestionsInTurnWithWindows) {
  const Schedule::Offers offers = {{1, question()}, {2, window_until(10s)}};
  for (int i = 0; i < 6; ++i) {
    const Kind expected = i % 2 == 0 ? Kind::kAsk : Kind::kWindow;
    EXPECT_EQ(serve(offers, {}, 1s).kind, expected) << i;
  }
}

// Those without a deadline are served in turn, and so is what is made ahead.
TEST_F(ScheduleTest, InTurn) {
  for (const Offer& offer : {file_window(), question(), ahead()}) {
    Schedule schedule;
    const Schedule::Offers offers = {{7, offer}, {8, offer}, {9, offer}};
    std::vector<ClientId> served;
    for (int i = 0; i < 9; ++i) {
      const Schedule::Turn turn = schedule.order(offers, {}, at(0s)).at(0);
      schedule.did(turn, false, 1s);
      served.push_back(turn.client);
    }
    EXPECT_EQ(served, (std::vector<ClientId>{7, 8, 9, 7, 8, 9, 7, 8, 9}));
  }
}

// Where live windows never end, files have a fifth of the time; where there are none, all of it.
TEST_F(ScheduleTest, FilesHaveAFifth) {
  const Schedule::Offers both = {{1, window_until(10s)}, {2, file_window()}};
  Time live{}, files{};
  for (int i = 0; i < 2000; ++i) {
    const bool is_file = serve(both, {}, i % 3 == 0 ? Time(70ms) : Time(50ms)).client == 2;
    (is_file ? files : live) += i % 3 == 0 ? 70ms : 50ms;
  }
  EXPECT_NEAR(static_cast<double>(files.count()) / static_cast<double>((live + files).count()), 0.2,
              0.02);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(serve({{2, file_window()}}, {}, 1s).client, 2u);
  // Afterwards the live ones do not make up for the time without them at the files' cost for long.
  int n_files = 0;
  for (int i = 0; i < 2000; ++i) n_files += serve(both, {}, 50ms).client == 2 ? 1 : 0;
  EXPECT_GT(n_files, 2000 / 6);
}

// Windows join before the next pass, but passes have a fifth of the time while windows wait.
TEST_F(ScheduleTest, PassesBetweenWindows) {
  const Schedule::Offers offers = {{1, window_until(10s)}, {2, window_until(20s)}};
  Time passes{}, windows{};
  for (int i = 0; i < 1000; ++i) {
    const bool is_pass = serve(offers, {true, true}, 10ms).kind == Kind::kPass;
    (is_pass ? passes : windows) += 10ms;
  }
  EXPECT_NEAR(static_cast<double>(passes.count()) / static_cast<double>((passes + windows).count()),
              0.2, 0.01);
  // Without windows that wait each is a pass, and nothing is made ahead meanwhile.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(serve({{1, ahead()}}, {true, true}, 1s).kind, Kind::kPass);
  EXPECT_EQ(serve({{1, ahead()}}, {}, 1s).kind, Kind::kAhead);
}

// Nobody joins any more while an answer would come too late for that.
TEST_F(ScheduleTest, PassesForAnAnswerInTime) {
  const Schedule::Offers offers = {{1, window_until(20s)}};
  schedule_.did({Kind::kWindow, 2}, true, 1s);
  schedule_.did({Kind::kPass}, true, 100ms);
  UnderWay under_way{true, true, at(5s), 10};
  EXPECT_EQ(schedule_.order(offers, under_way, at(1900ms)).at(0).kind, Kind::kWindow);
  EXPECT_EQ(schedule_.order(offers, under_way, at(2100ms)).at(0).kind, Kind::kPass);
  // It is too late in any case: nobody waits for it in vain.
  EXPECT_EQ(schedule_.order(offers, under_way, at(4500ms)).at(0).kind, Kind::kWindow);
  under_way.passes_left = 2;
  EXPECT_EQ(schedule_.order(offers, under_way, at(2100ms)).at(0).kind, Kind::kWindow);
}

// A file's window does not stand in the way of live answers, but for its share.
TEST_F(ScheduleTest, LiveAnswersBeforeFiles) {
  schedule_.did({Kind::kWindow, 2}, false, 10s);
  schedule_.did({Kind::kPass}, true, 10ms);
  EXPECT_EQ(order({{2, file_window()}}, {true, true}).at(0).kind, Kind::kPass);
  EXPECT_EQ(order({{2, file_window()}}, {true, false}).at(0).kind, Kind::kWindow);
}

}  // namespace
}  // namespace vidi
