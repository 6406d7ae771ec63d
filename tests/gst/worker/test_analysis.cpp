// A window through the engine: what is shared is done once, and running out of memory is survived.
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/analyze.h"
#include "tests/support/scripted_session.h"

namespace vidi {
namespace {

using scripted::Step;
using test::analyze;
using test::even_sound;
using test::solid_frame;

const Error kNoMemory{ErrorCode::kOutOfMemory, "CUDA out of memory"};

class AnalysisTest : public test::SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    plan_ = std::make_shared<AskPlan>();
    plan_->questions = {{"0", "a dog", "a dog"}, {"1", "a cat", "a cat"}, {"2", "rain", "rain"}};
  }

  // Pictures of colours 0, 1 ... n - 1, ten seconds from 5 s on.
  std::shared_ptr<AnalysisWindow> window(uint32_t n_frames) const {
    auto made = std::make_shared<AnalysisWindow>();
    made->start = std::chrono::seconds(5);
    made->stop = std::chrono::seconds(15);
    made->plan = plan_;
    for (uint32_t i = 0; i < n_frames; ++i) made->frames.push_back(solid_frame(i));
    return made;
  }
  Result<Analysis> run(std::shared_ptr<const AnalysisWindow> window) {
    return analyze(*session_, std::move(window));
  }
  Result<Analysis> ask_again(const Analysis& before, std::shared_ptr<const AskPlan> plan,
                             std::shared_ptr<Cancel> cancel) {
    return test::answer(*session_, with_questions(before, std::move(plan), std::move(cancel)));
  }

  std::shared_ptr<AskPlan> plan_;
};

// Pictures, sound and length reach the engine in order; each question gets its own answer.
TEST_F(AnalysisTest, WholeWay) {
  scripted::answer_with([](const Query& query, const scripted::SeenWindow&) {
    return query.text == "a cat" ? "0.1-0.2" : "none";
  });
  auto asked = window(3);
  asked->audio = {even_sound(480000, 0.5f), even_sound(9000, 0.25f)};
  const Result<Analysis> analysis = run(asked);
  ASSERT_TRUE(analysis) << analysis.error().message;
  EXPECT_EQ(analysis->window, asked);
  ASSERT_EQ(analysis->answers.size(), 3u);
  EXPECT_TRUE(analysis->answers[0].spans.empty());
  ASSERT_EQ(analysis->answers[1].spans.size(), 1u);
  EXPECT_DOUBLE_EQ(analysis->answers[1].spans[0].start_s, 1.0);
  EXPECT_DOUBLE_EQ(analysis->answers[1].spans[0].confidence, 0.9);
  EXPECT_FALSE(analysis->in_small_steps);
  EXPECT_GT(analysis->inference_time, Time(0));
  EXPECT_TRUE(analysis->encoded->has_audio());
  const scripted::SeenWindow seen = scripted::last_window();
  EXPECT_EQ(seen.frames, (std::vector<uint32_t>{0, 1, 2}));
  ASSERT_EQ(seen.audio.size(), 489000u);
  EXPECT_EQ(seen.audio[480000], 0.25f);
  EXPECT_DOUBLE_EQ(seen.duration_s, 10);
  EXPECT_EQ(scripted::count(Step::kAsk), 1);
}

// Overlapping windows share features: a picture is seen once and a stretch of sound heard once.
TEST_F(AnalysisTest, FeaturesAreShared) {
  auto one = window(4), two = window(1);
  one->audio = {even_sound(480000, 0)};
  two->frames.insert(two->frames.begin(), one->frames.begin() + 2, one->frames.end());
  two->audio = {one->audio[0], even_sound(100, 0)};
  ASSERT_TRUE(run(one));
  ASSERT_TRUE(run(two));
  EXPECT_EQ(scripted::n_frames_seen(), 5);
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 2);
  EXPECT_EQ(scripted::last_window().frames, (std::vector<uint32_t>{2, 3, 0}));
}

// A picture that stands for several targets is seen once and stays in every place.
TEST_F(AnalysisTest, DoubledFrames) {
  auto doubled = window(2);
  doubled->frames = {doubled->frames[1], doubled->frames[0], doubled->frames[1],
                     doubled->frames[1]};
  ASSERT_TRUE(run(doubled));
  EXPECT_EQ(scripted::n_frames_seen(), 2);
  EXPECT_EQ(scripted::last_window().frames, (std::vector<uint32_t>{1, 0, 1, 1}));
}

// Pictures go in batches of 16: none is lost or doubled at the seams.
TEST_F(AnalysisTest, Batches) {
  int calls = 0;
  for (const uint32_t n : {2u, 15u, 16u, 17u, 32u, 33u}) {
    ASSERT_TRUE(run(window(n)));
    calls += static_cast<int>((n + 15) / 16);
    EXPECT_EQ(scripted::count(Step::kEncodeImages), calls) << n;
    const auto seen = scripted::last_window().frames;
    ASSERT_EQ(seen.size(), n);
    for (uint32_t i = 0; i < n; ++i) EXPECT_EQ(seen[i], i);
  }
}

// Sound alone is a window too, and so are pictures alone.
TEST_F(AnalysisTest, OneKindAlone) {
  auto sound = window(0);
  sound->audio = {even_sound(16000, 0.1f)};
  ASSERT_TRUE(run(sound));
  EXPECT_EQ(scripted::count(Step::kEncodeImages), 0);
  const Result<Analysis> pictures = run(window(2));
  ASSERT_TRUE(pictures);
  EXPECT_FALSE((*pictures).encoded->has_audio());
}

// A stretch without samples counts as no sound.
TEST_F(AnalysisTest, EmptyChunk) {
  auto asked = window(2);
  asked->audio = {even_sound(0, 0)};
  ASSERT_TRUE(run(asked));
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 0);
}

// The plan's task, sentence and texts are what the engine is asked.
TEST_F(AnalysisTest, QueriesOfThePlan) {
  plan_->task = "highlight";
  plan_->prompt_template = "Find {query} in {duration}";
  ASSERT_TRUE(run(window(2)));
  const std::vector<Query> asked = scripted::queries();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[2].text, "rain");
  EXPECT_EQ(asked[2].task, "highlight");
  EXPECT_EQ(asked[2].prompt_template, "Find {query} in {duration}");
}

// A plan without questions encodes the window and asks nothing.
TEST_F(AnalysisTest, NoQuestions) {
  plan_->questions.clear();
  const Result<Analysis> analysis = run(window(2));
  ASSERT_TRUE(analysis);
  EXPECT_TRUE((*analysis).answers.empty());
  EXPECT_TRUE((*analysis).encoded);
  EXPECT_EQ(scripted::count(Step::kAsk), 0);
}

// The plan's limit on tokens reaches the engine, which refuses a limit of 0.
TEST_F(AnalysisTest, TokenLimit) {
  plan_->max_new_tokens = 0;
  const Result<Analysis> analysis = run(window(2));
  ASSERT_TRUE(analysis);
  ASSERT_EQ((*analysis).refusals.size(), 3u);
  for (const std::string& why : (*analysis).refusals) EXPECT_FALSE(why.empty());
}

// Questions that the model refuses cost the others nothing, wherever they stand and however many
// there are.
TEST_F(AnalysisTest, RefusedQuestions) {
  scripted::answer_with("0.25-0.50");
  for (const std::string pattern : {"100000000", "000000001", "010101010", "001100000"}) {
    plan_->questions.clear();
    for (size_t i = 0; i < pattern.size(); ++i) {
      const std::string id = std::to_string(i);
      plan_->questions.push_back({id, pattern[i] == '1' ? "<pad>" : "cat " + id, "cat"});
    }
    const Result<Analysis> analysis = run(window(2));
    ASSERT_TRUE(analysis);
    ASSERT_EQ((*analysis).answers.size(), pattern.size());
    ASSERT_EQ((*analysis).refusals.size(), pattern.size());
    for (size_t i = 0; i < pattern.size(); ++i) {
      EXPECT_EQ((*analysis).refusals[i].empty(), pattern[i] == '0') << pattern << " " << i;
      EXPECT_EQ((*analysis).answers[i].spans.size(), pattern[i] == '0' ? 1u : 0u);
    }
  }
}

// Whatever step of encoding runs out of memory, everything is done once more in the smallest steps.
TEST_F(AnalysisTest, OutOfMemoryOnce) {
  for (const Step step : {Step::kEncodeImages, Step::kEncodeAudio, Step::kEncode}) {
    scripted::reset();
    scripted::fail(step, kNoMemory);
    auto asked = window(20);
    asked->audio = {even_sound(5000, 0)};
    const Result<Analysis> analysis = run(asked);
    ASSERT_TRUE(analysis) << analysis.error().message;
    EXPECT_TRUE(analysis->in_small_steps);
    EXPECT_EQ(analysis->answers.size(), 3u);
    EXPECT_EQ(scripted::n_caches_freed(), 1);
    const int batches_before = step == Step::kEncodeAudio ? 0 : step == Step::kEncodeImages ? 1 : 2;
    EXPECT_EQ(scripted::count(Step::kEncodeImages), batches_before + 20);
    EXPECT_EQ(scripted::last_window().frames.size(), 20u);
  }
}

// Where a pass over the questions runs out of memory what is kept goes first, then there is less at
// once; the window stays encoded. When that is of no use either it is the error.
TEST_F(AnalysisTest, OutOfMemoryWhileItIsAsked) {
  for (const int failures : {1, 2, 3, 4}) {
    for (const Step step : {Step::kAsk, Step::kPass}) {
      scripted::reset();
      scripted::fail(step, kNoMemory, failures);
      int n_kept = 1;
      const auto analysis = analyze(*session_, window(3), [&] { return n_kept-- > 0; });
      ASSERT_EQ(static_cast<bool>(analysis), failures < 3) << failures;
      if (analysis) {
        EXPECT_EQ(analysis->in_small_steps, failures > 1);
        EXPECT_EQ(analysis->answers.size(), 3u);
      } else {
        EXPECT_EQ(analysis.error().message, kNoMemory.message);
      }
      EXPECT_EQ(scripted::count(Step::kEncode), 1);
      EXPECT_EQ(scripted::n_caches_freed(), std::min(failures, 3));
    }
  }
}

// Out of memory twice is the error, and nothing of the window stays on the device.
TEST_F(AnalysisTest, OutOfMemoryTwice) {
  scripted::fail(Step::kEncode, kNoMemory, 2);
  auto asked = window(3);
  asked->audio = {even_sound(5000, 0)};
  const Result<Analysis> analysis = run(asked);
  ASSERT_FALSE(analysis);
  EXPECT_EQ(analysis.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(analysis.error().message, kNoMemory.message);
  EXPECT_EQ(scripted::count(Step::kEncode), 2);
  for (const auto& picture : asked->frames) EXPECT_FALSE(picture->features);
  EXPECT_FALSE(asked->audio[0]->features);
  EXPECT_TRUE(run(asked));  // the next one starts from the beginning
}

// Out of memory once while earlier windows are there: they go, and the window is tried again as it
// was, with the features that it has.
TEST_F(AnalysisTest, EarlierWindowsGoFirst) {
  scripted::fail(Step::kEncode, kNoMemory);
  int n_forgotten = 0;
  const auto analysis = analyze(*session_, window(3), [&] { return ++n_forgotten == 1; });
  ASSERT_TRUE(analysis);
  EXPECT_EQ(n_forgotten, 1);
  EXPECT_FALSE(analysis->in_small_steps);
  EXPECT_EQ(scripted::n_frames_seen(), 3);
  EXPECT_EQ(scripted::n_caches_freed(), 1);
}

// When that is not enough, or there are none, the small steps follow.
TEST_F(AnalysisTest, SmallStepsFollowWhereNothingCanGo) {
  for (const bool has_windows : {true, false}) {
    scripted::reset();
    scripted::fail(Step::kEncode, kNoMemory, has_windows ? 2 : 1);
    int n_windows = has_windows ? 1 : 0;
    const auto analysis = analyze(*session_, window(3), [&] { return n_windows-- > 0; });
    ASSERT_TRUE(analysis);
    EXPECT_TRUE(analysis->in_small_steps);
  }
}

// Who gives up windows may have more of them, and neighbours who have some: each is tried, but not
// without end, since others go on making new ones.
TEST_F(AnalysisTest, WindowsGiveWayInTurnAndNotForEver) {
  for (const int failures : {3, 100}) {
    scripted::reset();
    scripted::fail(Step::kEncode, kNoMemory, failures);
    int n_asked = 0;
    const auto analysis = analyze(*session_, window(3), [&] { return ++n_asked > 0; });
    EXPECT_EQ(static_cast<bool>(analysis), failures == 3);
    EXPECT_FALSE(analysis && analysis->in_small_steps);
    EXPECT_EQ(n_asked, failures == 3 ? 3 : 4);
  }
}

// More than the memory limit allows is told at once: no attempt in small steps.
TEST_F(AnalysisTest, OverLimitIsFinal) {
  scripted::fail(Step::kEncode, {ErrorCode::kOverLimit, "2 GB are missing"}, -1);
  int n_forgotten = 0;
  const auto analysis = analyze(*session_, window(3), [&] { return ++n_forgotten > 0; });
  ASSERT_FALSE(analysis);
  EXPECT_EQ(analysis.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(n_forgotten, 0);
  EXPECT_EQ(scripted::count(Step::kEncode), 1);
}

// Any other failure comes through unchanged, without a second attempt.
TEST_F(AnalysisTest, OtherErrors) {
  for (const Step step : {Step::kEncodeImages, Step::kEncodeAudio, Step::kEncode, Step::kAsk}) {
    scripted::reset();
    scripted::fail(step, {ErrorCode::kInternal, "a reason"});
    auto asked = window(2);
    asked->audio = {even_sound(5000, 0)};
    const Result<Analysis> analysis = run(asked);
    ASSERT_FALSE(analysis);
    EXPECT_EQ(analysis.error().code, ErrorCode::kInternal);
    EXPECT_EQ(analysis.error().message, "a reason");
    EXPECT_EQ(scripted::count(step), 1);
    EXPECT_EQ(scripted::n_caches_freed(), 0);
  }
}

// A cancelled window ends in whatever step it is, with kCancelled and no second attempt.
TEST_F(AnalysisTest, Cancelled) {
  for (const Step step : {Step::kEncodeImages, Step::kEncodeAudio, Step::kEncode, Step::kAsk}) {
    scripted::reset();
    scripted::hold(step);
    auto asked = window(2);
    asked->audio = {even_sound(5000, 0)};
    std::thread canceller([&] {
      scripted::wait_for(step, 1);
      asked->cancel->cancel();
    });
    const Result<Analysis> analysis = run(asked);
    canceller.join();
    ASSERT_FALSE(analysis);
    EXPECT_EQ(analysis.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(scripted::n_cancelled(), 1);
    EXPECT_EQ(scripted::count(step), 1);
  }
}

// Windows the engine refuses are refused with its sentence: one frame, nothing at all, no length.
TEST_F(AnalysisTest, RefusedWindows) {
  auto no_length = window(2);
  no_length->stop = no_length->start;
  auto no_plan = window(2);
  no_plan->plan = nullptr;
  auto short_picture = window(2);
  short_picture->frames.push_back(std::make_shared<SampledFrame>());
  for (const auto& bad : {window(1), window(0), no_length, no_plan, short_picture,
                          std::shared_ptr<AnalysisWindow>()}) {
    const Result<Analysis> analysis = run(bad);
    ASSERT_FALSE(analysis);
    EXPECT_EQ(analysis.error().code, ErrorCode::kBadInput);
    EXPECT_FALSE(analysis.error().message.empty());
  }
}

// A picture that failed leaves no half-made features: the next attempt sees what is missing only.
TEST_F(AnalysisTest, GoesOnWhereItFailed) {
  auto asked = window(20);
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "no"});
  asked->audio = {even_sound(5000, 0)};
  ASSERT_FALSE(run(asked));
  ASSERT_TRUE(run(asked));
  EXPECT_EQ(scripted::n_frames_seen(), 20);
  EXPECT_EQ(scripted::count(Step::kEncodeAudio), 1);
}

// Other questions on what is encoded: nothing is seen or encoded again, and the window stays.
TEST_F(AnalysisTest, AskAgain) {
  const Result<Analysis> before = run(window(2));
  ASSERT_TRUE(before);
  scripted::answer_with("0.5-1.0");
  auto plan = std::make_shared<AskPlan>();
  plan->questions = {{"ask-1", "a bird", "a bird"}};
  const Result<Analysis> again = ask_again(*before, plan, std::make_shared<Cancel>());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->window->plan, plan);
  EXPECT_EQ(again->window->start, before->window->start);
  EXPECT_EQ(before->window->plan, plan_);
  EXPECT_EQ(again->encoded, before->encoded);
  ASSERT_EQ(again->answers.size(), 1u);
  EXPECT_DOUBLE_EQ(again->answers[0].spans.at(0).stop_s, 10);
  EXPECT_EQ(scripted::count(Step::kEncode), 1);
  EXPECT_EQ(scripted::count(Step::kEncodeImages), 1);
}

// Asking again has a cancel of its own, and survives one lack of memory.
TEST_F(AnalysisTest, AskAgainTrouble) {
  const Result<Analysis> before = run(window(2));
  ASSERT_TRUE(before);
  before->window->cancel->cancel();  // the window's own: it is done
  scripted::fail(Step::kAsk, kNoMemory);
  auto cancel = std::make_shared<Cancel>();
  const Result<Analysis> again = ask_again(*before, plan_, cancel);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->in_small_steps);
  EXPECT_EQ(again->answers.size(), 3u);
  EXPECT_TRUE(before->window->frames[0]->features);  // not needed to ask, and not dropped
  cancel->cancel();
  const Result<Analysis> cancelled = ask_again(*before, plan_, cancel);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace vidi
