#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "gst/results/hit_merger.h"
#include "gst/worker/analysis.h"

namespace vidi {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kGap = seconds(1);

// ---- From an analysis to hits ----

struct Case {
  Analysis analysis;
  std::shared_ptr<AskPlan> plan = std::make_shared<AskPlan>();
  std::shared_ptr<AnalysisWindow> window = std::make_shared<AnalysisWindow>();

  // A window of 100 s to 160 s and two questions without answers.
  Case() {
    window->start = seconds(100);
    window->stop = seconds(160);
    plan->questions = {{"0", "ask a dog", "a dog"}, {"1", "ask a cat", "a cat"}};
    window->plan = plan;
    analysis.window = window;
    analysis.answers.resize(2);
    analysis.inference_time = milliseconds(7);
  }
  void hit(size_t question, double start_s, double stop_s, double confidence = 0.9) {
    analysis.answers[question].spans.push_back(
        {start_s / 60, stop_s / 60, start_s, stop_s, confidence, ""});
  }
};

// A hit gets the times of the stream and everything else its result tells.
TEST(Findings, CarryWhatTheResultTells) {
  Case c;
  c.hit(1, 6, 12.5, 0.75);
  c.analysis.answers[1].spans[0].label = "a title";
  c.analysis.answers[1].text = "0.10-0.21";
  const auto found = hits_of(c.analysis);
  ASSERT_EQ(found.size(), 1u);
  const Hit& f = found[0];
  EXPECT_EQ(f.start, seconds(106));
  EXPECT_EQ(f.stop, milliseconds(112500));
  EXPECT_DOUBLE_EQ(f.relative_start, 0.1);
  EXPECT_DOUBLE_EQ(f.relative_stop, 12.5 / 60);
  EXPECT_EQ(f.query_id, "1");
  EXPECT_EQ(f.query, "a cat");
  EXPECT_EQ(f.label, "a title");
  EXPECT_EQ(f.task, "retrieval");
  EXPECT_FALSE(f.from_queries);
  EXPECT_EQ(f.confidence, 0.75);
  EXPECT_EQ(f.text, "0.10-0.21");
  EXPECT_FALSE(f.truncated);
  EXPECT_EQ(f.window, c.window);
  EXPECT_EQ(f.inference_time, milliseconds(7));
  EXPECT_EQ(f.result_id, 0u);
}

// Highlights are told as such, and whether they came from the model or out of queries.
TEST(Findings, TellTheirTaskAndSource) {
  Case c;
  c.hit(0, 1, 2);
  c.plan->ranked = true;
  EXPECT_EQ(hits_of(c.analysis).at(0).task, "highlight");
  EXPECT_TRUE(hits_of(c.analysis).at(0).from_queries);
  c.plan->ranked = false;
  c.plan->task = "highlight";
  EXPECT_EQ(hits_of(c.analysis).at(0).task, "highlight");
  EXPECT_FALSE(hits_of(c.analysis).at(0).from_queries);
}

// An answer that ended by its length or by repeating itself is truncated.
TEST(Findings, AreTruncatedUnlessTheModelEndedThem) {
  Case c;
  c.hit(0, 1, 2);
  for (const StopReason stop : {StopReason::kMaxTokens, StopReason::kRepetition}) {
    c.analysis.answers[0].stop = stop;
    EXPECT_TRUE(hits_of(c.analysis).at(0).truncated);
  }
}

// Times are rounded to the nanosecond and never leave the window, whatever the model said.
TEST(Findings, StayInsideTheWindow) {
  Case c;
  c.hit(0, 0.0000000016, 60.0000000004);
  c.hit(0, -5, 1e300);
  c.hit(0, 30, 20);
  const auto found = hits_of(c.analysis);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].start, seconds(100));
  EXPECT_EQ(found[0].stop, seconds(160));
  EXPECT_EQ(found[1].start, seconds(100) + Time(2));
  EXPECT_EQ(found[1].stop, seconds(160));
  EXPECT_EQ(found[2].start, seconds(120)) << "a reversed range is turned around";
  EXPECT_EQ(found[2].stop, seconds(130));
}

// A hit without a real time is dropped.
TEST(Findings, HaveTimes) {
  Case c;
  c.hit(0, std::nan(""), 3);
  c.hit(0, 3, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(hits_of(c.analysis).empty());
}

// What is known to be less sure than asked is left out; unknown passes and is never a 0.
TEST(Findings, AreAsSureAsAsked) {
  Case c;
  c.plan->min_confidence = 0.5;
  c.hit(0, 1, 2, 0.4999);
  c.hit(0, 3, 4, 0.5);
  for (const double unknown : {0.0, -1.0, std::nan(""), 1.0 / 0.0}) c.hit(1, 5, 6, unknown);
  const auto found = hits_of(c.analysis);
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0].start, seconds(103));
  for (size_t i = 1; i < 5; ++i) EXPECT_FALSE(found[i].confidence.has_value());
}

// Findings come by question, then by start.
TEST(Findings, ComeByQuestionThenStart) {
  Case c;
  c.hit(1, 1, 2);
  c.hit(0, 9, 10);
  c.hit(0, 4, 5);
  const auto found = hits_of(c.analysis);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].start, seconds(104));
  EXPECT_EQ(found[1].start, seconds(109));
  EXPECT_EQ(found[2].query_id, "1");
}

// More or fewer answers than questions, or no window at all, break nothing.
TEST(Findings, SurviveAnswersThatDoNotFit) {
  Case c;
  c.analysis.answers.resize(3);
  c.hit(0, 1, 2);
  c.hit(2, 1, 2);
  EXPECT_EQ(hits_of(c.analysis).size(), 1u);
  c.analysis.answers.resize(1);
  EXPECT_EQ(hits_of(c.analysis).size(), 1u);
  c.window->plan = nullptr;
  EXPECT_TRUE(hits_of(c.analysis).empty());
  EXPECT_TRUE(hits_of(Analysis{}).empty());
}

// ---- From hits to what is sent ----

Hit hit(double start_s, double stop_s, const std::string& query_id = "0",
        std::optional<double> confidence = std::nullopt) {
  Hit hit;
  hit.query_id = query_id;
  hit.query = "query " + query_id;
  hit.task = "retrieval";
  hit.start = Time(std::llround(start_s * 1e9));
  hit.stop = Time(std::llround(stop_s * 1e9));
  hit.confidence = confidence;
  return hit;
}

// "id start-stop final" of each, in order.
std::string shown(const std::vector<Hit>& hits) {
  std::string text;
  for (const Hit& f : hits) {
    const auto ms = [](Time time) {
      return std::to_string(std::chrono::duration_cast<milliseconds>(time).count());
    };
    text += (text.empty() ? "" : ", ") + std::to_string(f.result_id) + " " + ms(f.start) + "-" +
            ms(f.stop) + (f.final ? " final" : " open");
  }
  return text;
}

// A hit that no later window can extend is sent once, final, in order of start and query.
TEST(HitMerger, SendsWhatCannotGrowOnce) {
  HitMerger merger;
  EXPECT_EQ(
      shown(merger.add({hit(8, 9, "1"), hit(8, 9, "0"), hit(2, 3, "0")}, seconds(30), kGap, true)),
      "1 2000-3000 final, 2 8000-9000 final, 3 8000-9000 final");
  EXPECT_EQ(shown(merger.add({}, seconds(60), kGap, true)), "");
  EXPECT_EQ(shown(merger.finish()), "");
}

// A hit that may still grow is sent as tentative, and once more under its id, grown.
TEST(HitMerger, SendsWhatGrowsTwice) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(25, 40)}, seconds(30), kGap, true)), "1 25000-40000 open");
  EXPECT_EQ(shown(merger.add({hit(30, 45)}, seconds(60), kGap, true)), "1 25000-45000 final");
  EXPECT_EQ(shown(merger.finish()), "");
}

// A hit through many windows is sent exactly twice.
TEST(HitMerger, SendsALongHitTwice) {
  HitMerger merger;
  std::vector<Hit> sent;
  for (int n = 0; n < 20; ++n) {
    for (const Hit& f : merger.add({hit(n * 30, n * 30 + 60)}, seconds((n + 1) * 30), kGap, true)) {
      sent.push_back(f);
    }
  }
  for (const Hit& f : merger.finish()) sent.push_back(f);
  EXPECT_EQ(shown(sent), "1 0-60000 open, 1 0-630000 final");
}

// The end of a hit decides whether it is open: exactly a gap before the next window it still is.
TEST(HitMerger, OpenEndsAtTheGap) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(1, 28.999, "0"), hit(2, 29, "1")}, seconds(30), kGap, true)),
            "1 1000-28999 final, 2 2000-29000 open");
  // The gap still joins, a nanosecond more does not.
  Hit far = hit(30, 31, "1");
  far.start += Time(1);
  HitMerger copy = merger;
  EXPECT_EQ(shown(copy.add({hit(30, 31, "1")}, seconds(60), kGap, true)), "2 2000-31000 final");
  EXPECT_EQ(shown(merger.add({far}, seconds(60), kGap, true)),
            "2 2000-29000 final, 3 30000-31000 final");
}

// Hits of one window join too; a hit inside another changes nothing but the confidence.
TEST(HitMerger, JoinsInsideAWindow) {
  HitMerger merger;
  const auto sent = merger.add({hit(5, 6, "0", 0.2), hit(1, 20, "0", 0.5), hit(10, 12, "0", 0.8),
                                hit(20.5, 21), hit(1, 2, "1", 0.9)},
                               kForever, kGap, true);
  EXPECT_EQ(shown(sent), "1 1000-21000 final, 2 1000-2000 final");
  EXPECT_EQ(sent[0].confidence, 0.8);
  EXPECT_EQ(sent[1].confidence, 0.9);
}

// Without a gap only hits that overlap or touch are joined.
TEST(HitMerger, GapOfZeroJoinsWhatTouches) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(1, 2), hit(2, 3), hit(3.001, 4)}, kForever, Time{}, true)),
            "1 1000-3000 final, 2 3001-4000 final");
}

// Queries, labels, tasks and changed texts under an old id stay apart.
TEST(HitMerger, KeepsSubjectsApart) {
  std::vector<Hit> found(5, hit(1, 2));
  found[1].query_id = "1";
  found[2].label = "goal";
  found[3].task = "highlight";
  found[4].query = "another text";
  HitMerger merger;
  EXPECT_EQ(merger.add(found, kForever, kGap, true).size(), 5u);
}

// A joined hit keeps what was found first, the known confidence, and is truncated if a part is.
TEST(HitMerger, KeepsTheFirstPart) {
  Hit first = hit(25, 40, "0", std::nullopt), second = hit(20, 45, "0", 0.25);
  first.text = "first";
  second.text = "second";
  first.relative_start = 0.5;
  second.truncated = true;
  first.window = std::make_shared<AnalysisWindow>();
  HitMerger merger;
  merger.add({first}, seconds(30), kGap, true);
  const auto sent = merger.add({second}, kForever, kGap, true);
  ASSERT_EQ(shown(sent), "1 20000-45000 final");
  EXPECT_EQ(sent[0].text, "first");
  EXPECT_EQ(sent[0].relative_start, 0.5);
  EXPECT_EQ(sent[0].window, first.window);
  EXPECT_EQ(sent[0].confidence, 0.25);
  EXPECT_TRUE(sent[0].truncated);
}

// Unknown and unknown stays unknown.
TEST(HitMerger, UnknownConfidenceStaysUnknown) {
  HitMerger merger;
  const auto sent = merger.add({hit(1, 2), hit(2, 3)}, kForever, kGap, true);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_FALSE(sent[0].confidence.has_value());
}

// Two tentative hits that a later one bridges end as one, under the lower id.
TEST(HitMerger, BridgedHitsBecomeOne) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(31, 35), hit(40, 45)}, seconds(30), kGap, true)),
            "1 31000-35000 open, 2 40000-45000 open");
  EXPECT_EQ(shown(merger.add({hit(34, 42)}, seconds(60), kGap, true)), "1 31000-45000 final");
  EXPECT_EQ(shown(merger.finish()), "");
}

// merge = false: everything is final at once, what was open too, and nothing is joined.
TEST(HitMerger, WithoutMergingAllIsFinal) {
  HitMerger merger;
  merger.add({hit(25, 40)}, seconds(30), kGap, true);
  EXPECT_EQ(shown(merger.add({hit(30, 45), hit(30, 45)}, seconds(60), kGap, false)),
            "1 25000-40000 final, 2 30000-45000 final, 3 30000-45000 final");
  EXPECT_EQ(shown(merger.finish()), "");
}

// A window that brought nothing closes what it could have extended, and only that.
TEST(HitMerger, PassClosesWhatNothingExtends) {
  HitMerger merger;
  merger.add({hit(25, 40, "0"), hit(25, 59.5, "1")}, seconds(30), kGap, true);
  EXPECT_EQ(shown(merger.pass(seconds(60), kGap)), "1 25000-40000 final");
  EXPECT_EQ(shown(merger.pass(kForever, kGap)), "2 25000-59500 final");
}

// Times before 0, as of sound before a first picture, are times like others.
TEST(HitMerger, TimesBeforeZero) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(-8, -7), hit(-4, -2)}, Time{}, kGap, true)),
            "1 -8000--7000 final, 2 -4000--2000 final");
}

// One that ran at the end of the last analysed window.
Hit running(double start_s, double stop_s, const std::string& query_id = "0") {
  Hit made = hit(start_s, stop_s, query_id);
  made.runs = true;
  return made;
}

// What ran at the end of the last analysed window stays open through windows that the gate was
// closed for, and ends with what was seen when the next analysed one does not find it.
TEST(HitMerger, AClosedGateEndsNothingAndClaimsNothing) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({running(5, 10), hit(3, 8, "1")}, seconds(10), kGap, true)),
            "1 3000-8000 final, 2 5000-10000 open");
  for (int i = 1; i < 5; ++i)
    EXPECT_EQ(shown(merger.hold(seconds(10 * i + 10), seconds(10 * i + 10), kGap)), "") << i;
  merger.end_hold(seconds(50));
  EXPECT_EQ(shown(merger.add({}, seconds(60), kGap, true)), "2 5000-10000 final");
}

// Where the next analysed window begins with it, it is one hit.
TEST(HitMerger, GoesOnBehindAClosedGate) {
  HitMerger merger;
  merger.add({running(5, 10)}, seconds(10), kGap, true);
  merger.hold(seconds(20), seconds(20), kGap);
  merger.hold(seconds(30), seconds(30), kGap);
  merger.end_hold(seconds(30));
  EXPECT_EQ(shown(merger.add({running(30, 40)}, seconds(40), kGap, true)), "");
  merger.hold(seconds(50), seconds(50), kGap);
  merger.end_hold(seconds(50));
  EXPECT_EQ(shown(merger.add({hit(50, 55)}, seconds(60), kGap, true)), "1 5000-55000 final");
}

// Where the next analysed window finds it later, it is another: what that one says of its own time
// holds, also of the part that it shares with windows before it.
TEST(HitMerger, TheNextAnalysedWindowTells) {
  HitMerger merger;
  merger.add({running(15, 20)}, seconds(10), kGap, true);  // windows of 20 s, each 10 s
  EXPECT_EQ(shown(merger.hold(seconds(30), seconds(20), kGap)), "");
  EXPECT_EQ(shown(merger.hold(seconds(40), seconds(30), kGap)), "");
  merger.end_hold(seconds(30));
  EXPECT_EQ(shown(merger.add({hit(39, 45)}, seconds(60), kGap, true)),
            "1 15000-20000 final, 2 39000-45000 final");
}

// Of two that reach the end, as where pictures are far apart, the later one goes on, and they stay
// two.
TEST(HitMerger, AClosedGateHoldsTheLast) {
  HitMerger merger;
  merger.add({running(10, 16), running(18, 20)}, seconds(10), kGap, true);
  EXPECT_EQ(shown(merger.hold(seconds(30), seconds(20), kGap)), "1 10000-16000 final");
  merger.end_hold(seconds(30));
  EXPECT_EQ(shown(merger.add({hit(30, 35)}, seconds(50), kGap, true)), "2 18000-35000 final");
}

// What had ended before the end of the last analysed window is final as it would have been; so is
// everything where no window follows, or the one that follows is lost.
TEST(HitMerger, AClosedGateHoldsOnlyWhatRan) {
  HitMerger merger;
  merger.add({hit(11, 15, "0"), running(15, 20, "1")}, seconds(10), kGap, true);
  EXPECT_EQ(shown(merger.hold(seconds(30), seconds(20), kGap)), "1 11000-15000 final");
  HitMerger copy = merger;
  EXPECT_EQ(shown(copy.hold(seconds(40), kForever, kGap)), "2 15000-20000 final");
  EXPECT_EQ(shown(merger.pass(seconds(40), kGap)), "2 15000-20000 final");
}

// Hits of a question that is not asked any more become final, and once only.
TEST(HitMerger, QuestionThatIsGoneBecomesFinal) {
  HitMerger merger;
  merger.add({hit(25, 40, "old")}, seconds(30), kGap, true);
  EXPECT_EQ(shown(merger.add({hit(70, 80, "new")}, seconds(60), kGap, true)),
            "1 25000-40000 final, 2 70000-80000 open");
  EXPECT_EQ(shown(merger.finish()), "2 70000-80000 final");
}

// A flush forgets what is open; ids are never used twice.
TEST(HitMerger, IdsGoOnAfterClear) {
  HitMerger merger;
  merger.add({hit(25, 40)}, seconds(30), kGap, true);
  merger.clear();
  EXPECT_EQ(shown(merger.add({hit(25, 40)}, kForever, kGap, true)), "2 25000-40000 final");
}

// A gap as long as time itself overflows nothing.
TEST(HitMerger, EndlessGapJoinsAll) {
  HitMerger merger;
  EXPECT_EQ(shown(merger.add({hit(1, 2), hit(1e6, 2e6)}, seconds(30), kForever, true)),
            "1 1000-2000000000 open");
  EXPECT_EQ(shown(merger.finish()), "1 1000-2000000000 final");
}

// In each call the finals stand first, by start; new ids rise in the order of sending.
void check_order(const std::vector<Hit>& sent, uint64_t* last_new_id,
                 const std::set<uint64_t>& known) {
  bool seen_open = false;
  Time last_final{};
  for (const Hit& f : sent) {
    EXPECT_LE(f.start, f.stop);
    if (f.final) {
      EXPECT_FALSE(seen_open);
      EXPECT_GE(f.start, last_final);
      last_final = f.start;
    }
    seen_open = seen_open || !f.final;
    if (known.count(f.result_id)) continue;
    EXPECT_EQ(f.result_id, *last_new_id + 1);
    *last_new_id = f.result_id;
  }
}

// Whatever comes: an id is at most once tentative, then at most once final; the finals of a query
// are apart by more than the gap, and together they cover exactly what was found.
TEST(HitMerger, RandomStreamsKeepThePromises) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int n) { return int(random() % unsigned(n)); };
    HitMerger merger;
    std::vector<Hit> finals, all;
    std::set<uint64_t> tentative, known;
    uint64_t last_new_id = 0;
    const auto take = [&](const std::vector<Hit>& sent) {
      check_order(sent, &last_new_id, known);
      for (const Hit& f : sent) {
        if (f.final)
          finals.push_back(f);
        else
          EXPECT_TRUE(tentative.insert(f.result_id).second);
        known.insert(f.result_id);
      }
    };
    for (int window = 0; window < 8; ++window) {
      std::vector<Hit> found;
      for (int n = below(6); n > 0; --n) {
        const int start = window * 10 + below(20);
        found.push_back(
            hit(start, std::min(start + below(9), window * 10 + 20), std::to_string(below(2))));
      }
      all.insert(all.end(), found.begin(), found.end());
      take(merger.add(found, seconds((window + 1) * 10), kGap, true));
    }
    take(merger.finish());

    std::set<uint64_t> ids;
    for (const Hit& f : finals) EXPECT_TRUE(ids.insert(f.result_id).second);
    for (const Hit& a : finals) {
      for (const Hit& b : finals) {
        if (a.result_id == b.result_id || a.query_id != b.query_id || a.start > b.start) continue;
        EXPECT_GT(b.start - a.stop, kGap);
      }
    }
    for (const Hit& one : all) {
      EXPECT_EQ(std::count_if(finals.begin(), finals.end(),
                              [&](const Hit& f) {
                                return f.query_id == one.query_id && f.start <= one.start &&
                                       one.stop <= f.stop;
                              }),
                1);
    }
    for (const Hit& f : finals) {
      const auto has = [&](auto edge) {
        return std::any_of(all.begin(), all.end(),
                           [&](const Hit& one) { return one.query_id == f.query_id && edge(one); });
      };
      EXPECT_TRUE(has([&](const Hit& one) { return one.start == f.start; }));
      EXPECT_TRUE(has([&](const Hit& one) { return one.stop == f.stop; }));
    }
  }
}

}  // namespace
}  // namespace vidi
