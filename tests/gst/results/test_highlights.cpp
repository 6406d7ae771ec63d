#include <gtest/gtest.h>

#include <cmath>

#include "gst/results/highlights.h"

namespace vidi {
namespace {

using std::chrono::seconds;

struct Range {
  std::string query;
  double start_s = 0, stop_s = 0;
  std::optional<double> confidence;
};

std::vector<Hit> in_window(int start_s, int stop_s, const std::vector<Range>& ranges) {
  auto window = std::make_shared<AnalysisWindow>();
  window->start = seconds(start_s);
  window->stop = seconds(stop_s);
  std::vector<Hit> found;
  for (const Range& range : ranges) {
    Hit hit;
    hit.query = range.query;
    hit.label = "as the model said";
    hit.from_queries = true;
    hit.start = Time(std::llround(range.start_s * 1e9));
    hit.stop = Time(std::llround(range.stop_s * 1e9));
    hit.confidence = range.confidence;
    hit.window = window;
    found.push_back(hit);
  }
  return found;
}

// Labels with their start in seconds, in order.
std::string shown(const std::vector<Hit>& hits) {
  std::string text;
  for (const Hit& f : hits) {
    text += (text.empty() ? "" : ", ") + f.label + "@" +
            std::to_string(std::chrono::duration_cast<seconds>(f.start).count());
  }
  return text;
}

// As many as a minute may have stay, the best ones, by start, labelled with their query.
TEST(Highlights, BestOnesStay) {
  HighlightRanker ranker;
  EXPECT_EQ(shown(ranker.keep_best(in_window(0, 60,
                                             {{"a", 50, 52, 0.9},
                                              {"b", 1, 2, 0.5},
                                              {"c", 10, 12, 0.8},
                                              {"d", 20, 22, 0.7},
                                              {"e", 30, 32, 0.6}}),
                                   3)),
            "c@10, d@20, a@50");
}

// So it is with the list that the model itself makes, but its titles are its own, and moments that
// overlap are several: it was asked once for all.
TEST(Highlights, TheModelsOwnListIsLimitedToo) {
  const auto own = [](std::vector<Hit> found) {
    for (Hit& hit : found) {
      hit.label = hit.query, hit.query.clear();
      hit.from_queries = false;
    }
    return found;
  };
  const std::vector<Hit> list = own(in_window(
      0, 60,
      {{"goal", 10, 20, 0.9}, {"cheers", 11, 20, 0.8}, {"c", 30, 32, 0.7}, {"d", 40, 42, 0.6}}));
  EXPECT_EQ(shown(HighlightRanker().keep_best(list, 3)), "goal@10, cheers@11, c@30");
  EXPECT_EQ(shown(HighlightRanker().keep_best(list, 1)), "goal@10");
  EXPECT_EQ(shown(HighlightRanker().keep_best(list, 0)), "goal@10, cheers@11, c@30, d@40");
  HighlightRanker ranker;
  ranker.keep_best(list, 2);
  EXPECT_EQ(shown(ranker.keep_best(
                own(in_window(10, 70, {{"d", 40, 42, 0.9}, {"cheers", 11, 21, 0.2}})), 2)),
            "cheers@11")
      << "two are told already, and the same moment again is free";
}

// The budget follows the window's length, rounded up, and is never nothing.
TEST(Highlights, BudgetFollowsTheLength) {
  const auto n_kept = [](int length_s, unsigned max_per_minute) {
    std::vector<Range> ranges;
    for (int i = 0; i < 9; ++i) ranges.push_back({"a", i * 2.0, i * 2.0 + 1, 0.5});
    HighlightRanker ranker;
    return ranker.keep_best(in_window(0, length_s, ranges), max_per_minute).size();
  };
  EXPECT_EQ(n_kept(60, 3), 3u);
  EXPECT_EQ(n_kept(61, 3), 4u);
  EXPECT_EQ(n_kept(120, 3), 6u);
  EXPECT_EQ(n_kept(20, 3), 1u);
  EXPECT_EQ(n_kept(21, 3), 2u);
  EXPECT_EQ(n_kept(1, 1), 1u);
  EXPECT_EQ(n_kept(0, 1), 1u);
  EXPECT_EQ(n_kept(20, 0), 9u) << "0 = all";
  EXPECT_EQ(n_kept(60, 4294967295u), 9u);
}

// Of hits that overlap by more than half the surest stays, also without a budget.
TEST(Highlights, OfDoublesTheSurestStays) {
  HighlightRanker ranker;
  EXPECT_EQ(shown(ranker.keep_best(
                in_window(0, 60, {{"a", 10, 20, 0.5}, {"b", 12, 20, 0.9}, {"c", 40, 41, 0.1}}), 0)),
            "b@12, c@40");
  // Exactly a half is no double: 10 of 20 seconds.
  ranker.clear();
  EXPECT_EQ(shown(ranker.keep_best(in_window(0, 60, {{"a", 0, 20, 0.5}, {"b", 0, 10, 0.9}}), 0)),
            "b@0, a@0");
  ranker.clear();
  EXPECT_EQ(shown(ranker.keep_best(in_window(0, 60, {{"a", 0, 20, 0.5}, {"b", 0, 10.1, 0.9}}), 0)),
            "b@0");
}

// A hit that only a suppressed one covers stays: suppression is by what is kept.
TEST(Highlights, SuppressedHitsSuppressNothing) {
  HighlightRanker ranker;
  EXPECT_EQ(shown(ranker.keep_best(
                in_window(0, 60, {{"a", 0, 10, 0.9}, {"b", 3, 13, 0.8}, {"c", 6, 16, 0.7}}), 0)),
            "a@0, c@6");
}

// Moments of no length: the same instant is one, different instants are two.
TEST(Highlights, InstantsAreCompared) {
  HighlightRanker ranker;
  EXPECT_EQ(shown(ranker.keep_best(
                in_window(0, 60, {{"a", 5, 5, 0.5}, {"b", 5, 5, 0.9}, {"c", 6, 6, 0.1}}), 0)),
            "b@5, c@6");
}

// An unknown confidence ranks last; of equals the earlier one is better.
TEST(Highlights, UnknownRanksLastAndTiesByStart) {
  HighlightRanker ranker;
  EXPECT_EQ(shown(ranker.keep_best(
                in_window(0, 60, {{"a", 1, 2, std::nullopt}, {"b", 30, 31, 0.01}}), 1)),
            "b@30");
  ranker.clear();
  EXPECT_EQ(shown(ranker.keep_best(in_window(0, 60, {{"a", 30, 31, 0.5}, {"b", 1, 2, 0.5}}), 1)),
            "b@1");
}

// What an earlier window kept of the same minute counts, and leaves the budget when it is past.
TEST(Highlights, EarlierWindowsCount) {
  HighlightRanker ranker;
  ranker.keep_best(in_window(0, 60, {{"a", 5, 6, 0.9}, {"b", 40, 41, 0.9}}), 2);
  EXPECT_EQ(shown(ranker.keep_best(in_window(30, 90, {{"c", 70, 71, 0.5}, {"d", 80, 81, 0.9}}), 2)),
            "d@80");
  EXPECT_EQ(
      shown(ranker.keep_best(in_window(60, 120, {{"e", 85, 86, 0.9}, {"f", 90, 91, 0.8}}), 2)),
      "e@85");
  EXPECT_EQ(
      shown(ranker.keep_best(in_window(120, 180, {{"g", 130, 131, 0.9}, {"h", 140, 141, 0.8}}), 2)),
      "g@130, h@140");
}

// The same moment seen again by the next window is kept and costs nothing.
TEST(Highlights, SameMomentIsFree) {
  HighlightRanker ranker;
  ranker.keep_best(in_window(0, 60, {{"a", 40, 60, 0.9}}), 2);
  EXPECT_EQ(
      shown(ranker.keep_best(
          in_window(30, 90, {{"a", 58, 70, 0.1}, {"b", 75, 76, 0.5}, {"c", 80, 81, 0.4}}), 2)),
      "a@58, b@75");
  // It has grown, so the window after that knows it by its later part.
  EXPECT_EQ(
      shown(ranker.keep_best(in_window(60, 120, {{"a", 69, 80, 0.1}, {"d", 99, 100, 0.9}}), 2)),
      "a@69");
}

// A moment that ends where the next window starts is known there, and takes none of its budget.
TEST(Highlights, MomentAtTheEdgeIsKnownAndNotCounted) {
  HighlightRanker ranker;
  ranker.keep_best(in_window(0, 60, {{"a", 50, 60, 0.9}}), 1);
  EXPECT_EQ(
      shown(ranker.keep_best(in_window(60, 120, {{"a", 60, 70, 0.1}, {"b", 80, 81, 0.5}}), 1)),
      "a@60, b@80");
}

// When windows become shorter, a moment behind the window's end takes none of its budget.
TEST(Highlights, MomentBehindTheWindowIsNotCounted) {
  HighlightRanker ranker;
  ranker.keep_best(in_window(0, 60, {{"a", 50, 51, 0.9}}), 1);
  EXPECT_EQ(shown(ranker.keep_best(in_window(10, 20, {{"b", 12, 13, 0.5}}), 1)), "b@12");
}

// A moment that was told under one query is not told again under another, be it surer now.
TEST(Highlights, MomentIsToldUnderOneQuery) {
  HighlightRanker ranker;
  ranker.keep_best(in_window(0, 60, {{"cheers", 40, 50, 0.9}, {"goal", 41, 50, 0.8}}), 0);
  EXPECT_EQ(shown(ranker.keep_best(
                in_window(30, 90, {{"cheers", 40, 50, 0.7}, {"goal", 41, 50, 0.8}}), 0)),
            "cheers@40");
}

// A stream that jumps back, or is flushed, starts anew.
TEST(Highlights, JumpBackForgets) {
  HighlightRanker ranker;
  const auto first = in_window(60, 120, {{"a", 70, 71, 0.9}});
  const auto second = in_window(0, 60, {{"b", 1, 2, 0.9}});
  const auto third = in_window(50, 110, {{"c", 90, 91, 0.9}});
  ranker.keep_best(first, 1);
  EXPECT_EQ(shown(ranker.keep_best(second, 1)), "b@1");
  EXPECT_EQ(shown(ranker.keep_best(third, 1)), "c@90");
  EXPECT_EQ(shown(ranker.keep_best(third, 1)), "c@90") << "the same moment";
  const auto fourth = in_window(50, 110, {{"d", 60, 61, 0.9}});
  EXPECT_EQ(shown(ranker.keep_best(fourth, 1)), "");
  ranker.clear();
  EXPECT_EQ(shown(ranker.keep_best(fourth, 1)), "d@60");
}

// Nothing found is nothing kept.
TEST(Highlights, NothingStaysNothing) {
  HighlightRanker ranker;
  EXPECT_TRUE(ranker.keep_best({}, 3).empty());
}

}  // namespace
}  // namespace vidi
