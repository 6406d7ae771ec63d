// What holds now, by the last window that was analysed.
#include <gtest/gtest.h>

#include "gst/results/present_hits.h"

namespace vidi {
namespace {

using std::chrono::seconds;

Hit hit(const char* id, int start, int stop, std::optional<double> confidence = 0.5) {
  Hit hit;
  hit.query_id = id, hit.start = seconds(start), hit.stop = seconds(stop);
  hit.confidence = confidence;
  return hit;
}

std::vector<std::string> ids(const PresentHits& present, int second) {
  std::vector<std::string> ids;
  for (const PresentHit& hit : present.at(seconds(second))) ids.push_back(hit.query_id);
  return ids;
}
using Ids = std::vector<std::string>;

// A picture inside a hit has it, from its start to before its end.
TEST(PresentHits, HoldFromStartToStop) {
  PresentHits present;
  present.enable(true);
  present.set({hit("0", 2, 4), hit("1", 3, 6)}, seconds(10), seconds(1));
  EXPECT_EQ(ids(present, 1), Ids{});
  EXPECT_EQ(ids(present, 2), Ids{"0"});
  EXPECT_EQ(ids(present, 3), (Ids{"0", "1"}));
  EXPECT_EQ(ids(present, 4), Ids{"1"});
  EXPECT_EQ(ids(present, 6), Ids{});
}

// One that reached its window's end may be going on: it holds until the next window says otherwise.
TEST(PresentHits, WhatReachedTheEndGoesOn) {
  PresentHits present;
  present.enable(true);
  present.set({hit("0", 2, 4), hit("1", 8, 9)}, seconds(10), seconds(1));
  EXPECT_EQ(ids(present, 25), Ids{"1"});
  present.set({hit("1", 8, 12)}, seconds(20), seconds(1));
  EXPECT_EQ(ids(present, 25), Ids{});
}

// Two hits of one question are one class, as sure as the surer of the two; unknown is 0.
TEST(PresentHits, AQuestionIsOneClass) {
  PresentHits present;
  present.enable(true);
  present.set({hit("0", 2, 5, 0.4), hit("0", 4, 6, 0.9), hit("1", 4, 6, std::nullopt)}, seconds(10),
              seconds(1));
  ASSERT_EQ(present.at(seconds(4)).size(), 2u);
  EXPECT_EQ(present.at(seconds(4))[0].confidence, 0.9);
  EXPECT_EQ(present.at(seconds(4))[1].confidence, 0);
}

// Until somebody asks for it nothing holds.
TEST(PresentHits, NothingHoldsUnlessEnabled) {
  PresentHits present;
  present.set({hit("0", 2, 10)}, seconds(10), seconds(1));
  EXPECT_EQ(ids(present, 5), Ids{});
  present.enable(true);
  EXPECT_EQ(ids(present, 5), Ids{"0"});
}

// Nothing is left of it after a flush.
TEST(PresentHits, ClearForgetsAll) {
  PresentHits present;
  present.enable(true);
  present.set({hit("0", 2, 10)}, seconds(10), seconds(1));
  present.clear();
  EXPECT_EQ(ids(present, 5), Ids{});
}

}  // namespace
}  // namespace vidi
