// Questions about several windows in one pass: each gets the answer that it gets alone, whoever
// joins, leaves or has no room meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "model/session/vidi_session.h"
#include "tests/support/answers.h"
#include "tests/support/aten.h"
#include "tests/support/golden.h"
#include "tests/support/refused.h"

namespace vidi {
namespace {

using Encodeds = std::vector<std::shared_ptr<const Encoded>>;
using AllAnswers = std::map<uint64_t, std::vector<Answer>>;

OpenOptions on_cpu() {
  OpenOptions options;
  options.device = "cpu";
  return options;
}

std::unique_ptr<VidiSession> open_set(const std::string& set, OpenOptions options) {
  options.folder =
      set == "demo" ? VIDI_DEMO_CHECKPOINT : VIDI_TEST_DATA "/golden/" + set + "/checkpoint";
  return VidiSession::load(options, Cancel());
}

// `n` windows out of one: of 2, 3 ... pictures, every third without sound.
Encodeds windows_of(VidiSession& session, const std::string& set, size_t n) {
  const Case c = read_case(VIDI_TEST_DATA "/golden/" + set + "/" +
                           (set == "demo" ? "heard" : "base") + "/input.safetensors");
  const Window all = look_and_listen(session, c, Cancel());
  Encodeds encoded;
  for (size_t i = 0; i < n; ++i) {
    Window window = all;
    window.frames.resize(2 + i % (all.frames.size() - 1));
    if (i % 3 == 2) window.audio.clear();
    encoded.push_back(value_of(session.encode(window, Cancel())));
  }
  return encoded;
}

Query query(const std::string& text) {
  Query query;
  query.text = text;
  return query;
}

// One to three questions of different lengths about the window `i`.
std::vector<Query> queries_of(size_t i) {
  const std::vector<std::string> texts = {
      "a child", "kite.", "a very long question about three dancers who turn and turn again", ""};
  std::vector<Query> queries;
  for (size_t q = 0; q <= i % 3; ++q) queries.push_back(query(texts[(i + q) % texts.size()]));
  return queries;
}

// Answers of different lengths.
AskOptions options_of(size_t i) {
  AskOptions options;
  options.max_new_tokens = 6 + static_cast<int>(i * 5 % 23);
  return options;
}

void take(AnswerBatch& batch, AllAnswers& all) {
  for (auto& answered : batch.take_answered())
    all[answered.number] = value_of(std::move(answered.answers));
}

AllAnswers finish(AnswerBatch& batch) {
  AllAnswers all;
  while (value_of(batch.step(Cancel()))) take(batch, all);
  take(batch, all);
  return all;
}

uint64_t join(AnswerBatch& batch, const Encodeds& windows, size_t i) {
  return value_of(batch.join(windows[i], queries_of(i), options_of(i), Cancel()));
}

void expect_as_alone(VidiSession& session, const Encodeds& windows, size_t i,
                     const std::vector<Answer>& found, float rounding) {
  SCOPED_TRACE(testing::Message() << "window " << i << " of " << windows.size());
  const auto alone = value_of(session.ask(*windows[i], queries_of(i), options_of(i), Cancel()));
  ASSERT_EQ(found.size(), alone.size());
  for (size_t q = 0; q < alone.size(); ++q) expect_same_answer(found[q], alone[q], rounding);
}

class JointAnswersTest : public testing::Test {
 protected:
  void open(const std::string& set, size_t n, const OpenOptions& options = on_cpu()) {
    batch_.reset();  // it is of the session before
    session_ = open_set(set, options);
    windows_ = windows_of(*session_, set, n);
    batch_ = session_->begin_answers();
  }
  uint64_t join_window(size_t i) { return join(*batch_, windows_, i); }
  void expect_as_alone(size_t i, const std::vector<Answer>& found,
                       float rounding = kProbabilityRounding) {
    vidi::expect_as_alone(*session_, windows_, i, found, rounding);
  }
  // All windows at once.
  void expect_all_as_alone(float rounding = kProbabilityRounding) {
    const size_t n = windows_.size();
    for (size_t i = 0; i < n; ++i) EXPECT_EQ(join_window(i), i + 1);
    const AllAnswers found = finish(*batch_);
    ASSERT_EQ(found.size(), n);
    for (size_t i = 0; i < n; ++i) expect_as_alone(i, found.at(i + 1), rounding);
    EXPECT_EQ(batch_->n_rows(), 0u);
  }

  std::unique_ptr<VidiSession> session_;
  Encodeds windows_;
  std::unique_ptr<AnswerBatch> batch_;
};

// 1, 2, 8 and 16 windows of any lengths answered together: the ids that each gets alone.
TEST_F(JointAnswersTest, AsEachAlone) {
  for (const char* set : {"vidi15", "vidi7b", "demo"}) {
    for (const size_t n : {1u, 2u, 8u, 16u}) {
      if (std::string(set) == "demo" && n != 8) continue;  // the largest
      SCOPED_TRACE(set);
      open(set, n);
      expect_all_as_alone();
    }
  }
}

// Likewise on a GPU, where their rows go through kernels that take many windows at once, and passes
// are recorded: in float32 the same ids, in half precision but for near ties, also with 8 bits.
TEST_F(JointAnswersTest, AsEachAloneOnAGpu) {
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  struct Mode {
    const char* name;
    Precision precision;
    bool packed;
    float rounding;
  };
  const Mode modes[] = {{"float32", Precision::kFp32, false, kProbabilityRounding},
                        {"half", Precision::kFp16, false, kProbabilityOfHalf},
                        {"half, 8 bits", Precision::kFp16, true, kProbabilityOfHalf}};
  for (const Mode& mode : modes) {
    OpenOptions options;
    options.device = "cuda", options.precision = mode.precision;
    if (mode.packed) options.weights = WeightFormat::kInt8, options.keys = KeyFormat::kInt8;
    for (const char* set : {"vidi15", "vidi7b", "demo"}) {
      for (const size_t n : {1u, 2u, 8u, 16u}) {
        SCOPED_TRACE(testing::Message() << set << ", " << n << " windows, " << mode.name);
        open(set, n, options);
        expect_all_as_alone(mode.rounding);
      }
    }
  }
}

// Windows that come between any two passes, and others that are given up, change nothing.
TEST_F(JointAnswersTest, JoinsAndLeavesBetweenPasses) {
  for (const char* set : {"vidi15", "demo"}) {
    SCOPED_TRACE(set);
    open(set, 9);
    AllAnswers found;
    for (size_t i = 0; i < windows_.size(); ++i) {
      EXPECT_EQ(join_window(i), i + 1);
      for (size_t pass = 0; pass <= i % 4; ++pass) value_of(batch_->step(Cancel()));
      if (i == 3) batch_->leave(3), batch_->leave(4);
      if (i == 4) batch_->leave(99);  // there is none
      take(*batch_, found);
    }
    found.merge(finish(*batch_));
    for (size_t i = 0; i < windows_.size(); ++i) {
      if (found.count(i + 1)) expect_as_alone(i, found.at(i + 1));
    }
    EXPECT_GE(found.size(), windows_.size() - 2);
    EXPECT_EQ(batch_->n_rows(), 0u);
    batch_.reset();
  }
}

// A window is held for as long as it is asked about, and no longer.
TEST_F(JointAnswersTest, HoldsItsWindows) {
  open("vidi15", 2);
  const std::weak_ptr<const Encoded> first = windows_[0], second = windows_[1];
  join_window(0), join_window(1);
  windows_.clear();
  EXPECT_TRUE(value_of(batch_->step(Cancel())));
  EXPECT_FALSE(first.expired());
  batch_->leave(1);
  EXPECT_TRUE(first.expired());
  finish(*batch_);
  EXPECT_TRUE(second.expired());
}

// A pass that is cancelled is as if it had not been; the next one goes on.
TEST_F(JointAnswersTest, ACancelledPassChangesNothing) {
  open("vidi15", 3);
  Cancel cancel;
  cancel.cancel();
  for (size_t i = 0; i < 3; ++i) {
    join_window(i);
    EXPECT_EQ(batch_->step(cancel).error().code, ErrorCode::kCancelled);
    value_of(batch_->step(Cancel()));
    EXPECT_EQ(batch_->step(cancel).error().code, ErrorCode::kCancelled);
  }
  const AllAnswers found = finish(*batch_);
  for (size_t i = 0; i < 3; ++i) expect_as_alone(i, found.at(i + 1));
}

// With less memory than was hoped for questions begin anew later: the same answers. One that has no
// room alone gets the reason.
TEST_F(JointAnswersTest, DoesLess) {
  open("vidi15", 6);
  const Error shortage{ErrorCode::kOutOfMemory, "too much"};
  for (size_t i = 0; i < 6; ++i) join_window(i);
  for (int pass = 0; pass < 3; ++pass) value_of(batch_->step(Cancel()));
  const size_t before = batch_->n_rows();
  batch_->do_less(shortage);
  EXPECT_EQ(batch_->n_rows(), before / 2);
  EXPECT_FALSE(batch_->has_room());
  const AllAnswers found = finish(*batch_);
  ASSERT_EQ(found.size(), 6u);
  for (size_t i = 0; i < 6; ++i) expect_as_alone(i, found.at(i + 1));

  join_window(0);
  value_of(batch_->step(Cancel()));
  ASSERT_EQ(batch_->n_rows(), 1u);
  batch_->do_less(shortage);
  const auto failed = batch_->take_answered();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].answers.error().message, "too much");
  EXPECT_FALSE(value_of(batch_->step(Cancel())));
}

// More questions than a pass has rows wait for theirs.
TEST_F(JointAnswersTest, MoreQuestionsThanRows) {
  open("vidi15", 2);
  AskOptions options;
  options.max_new_tokens = 5;
  std::vector<Query> queries(90, query("a child"));
  for (size_t i = 0; i < queries.size(); i += 7) queries[i].text = "kite.";
  for (const auto& window : windows_) value_of(batch_->join(window, queries, options, Cancel()));
  value_of(batch_->step(Cancel()));
  EXPECT_EQ(batch_->n_rows(), 128u);
  EXPECT_FALSE(batch_->has_room());
  const AllAnswers found = finish(*batch_);
  for (size_t w = 0; w < 2; ++w) {
    const auto alone = value_of(
        session_->ask(*windows_[w], {query("kite."), query("a child")}, options, Cancel()));
    ASSERT_EQ(found.at(w + 1).size(), queries.size());
    for (size_t i = 0; i < queries.size(); ++i)
      expect_same_answer(found.at(w + 1)[i], alone[i % 7 == 0 ? 0 : 1]);
  }
}

// What is refused does not join; without questions a window is answered at once.
TEST_F(JointAnswersTest, RefusesAndAsksNothing) {
  open("vidi15", 1);
  expect_refused(batch_->join(windows_[0], {query("\xff")}, {}, Cancel()), ErrorCode::kBadInput,
                 "UTF-8");
  expect_refused(batch_->join(nullptr, queries_of(0), {}, Cancel()), ErrorCode::kBadInput,
                 "encoded window");
  AskOptions none;
  none.max_new_tokens = 0;
  expect_refused(batch_->join(windows_[0], queries_of(0), none, Cancel()), ErrorCode::kBadInput,
                 "at most 0 new tokens");
  EXPECT_FALSE(value_of(batch_->step(Cancel())));
  EXPECT_EQ(value_of(batch_->join(windows_[0], {}, {}, Cancel())), 1u);
  EXPECT_EQ(finish(*batch_).at(1).size(), 0u);
}

// Without weights nobody joins and no pass is made; when they are back it goes on.
TEST_F(JointAnswersTest, WithoutWeights) {
  open("vidi15", 2);
  join_window(0);
  value_of(batch_->step(Cancel()));
  session_->unload();
  expect_refused(batch_->step(Cancel()), ErrorCode::kInternal, "not loaded");
  expect_refused(batch_->join(windows_[1], queries_of(1), {}, Cancel()), ErrorCode::kInternal,
                 "not loaded");
  value_of(session_->load(Cancel()));
  expect_as_alone(0, finish(*batch_).at(1));
}

}  // namespace
}  // namespace vidi
