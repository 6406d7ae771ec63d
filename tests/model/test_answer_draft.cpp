#include <gtest/gtest.h>

#include <string>

#include "model/checkpoint/config.h"
#include "model/text/answer_draft.h"

namespace vidi {
namespace {

// On the tokenizers of both families, which have one token a digit.
class AnswerDraftTest : public testing::TestWithParam<std::string> {
 protected:
  AnswerDraftTest()
      : tokenizer_(
            Tokenizer::open(std::string(VIDI_TEST_DATA) + "/golden/" + GetParam() + "/checkpoint",
                            prompt(), 1 << 20)),
        draft_(tokenizer_) {}

  static PromptConfig prompt() {
    PromptConfig prompt;
    prompt.family = GetParam() == "vidi15" ? Family::kVidi15 : Family::kVidi7b;
    return prompt;
  }

  // What is guessed to follow `text`, as text.
  std::string guess(const std::string& text, size_t n = 8) {
    std::vector<int> ids = tokenizer_.encode(text);
    ids.erase(ids.begin());  // the start token
    const size_t known = ids.size();
    const std::vector<int> more = draft_.guess(ids, n);
    EXPECT_LE(more.size(), n);
    ids.insert(ids.end(), more.begin(), more.end());
    return tokenizer_.decode(ids).substr(
        tokenizer_.decode({ids.begin(), ids.begin() + known}).size());
  }

  Tokenizer tokenizer_;
  AnswerDraft draft_;
};

// Between the digits of two-decimal ranges everything is guessed, from the first range on.
TEST_P(AnswerDraftTest, KnowsTheFormOfRanges) {
  EXPECT_EQ(guess("0.13"), "-0.");
  EXPECT_EQ(guess("0.13-0.57"), ", 0.");
  EXPECT_EQ(guess("0.13-0.57, 0.61"), "-0.");
  EXPECT_EQ(guess("0.13-0.57, 0"), ".");
}

// A digit after a point is never guessed.
TEST_P(AnswerDraftTest, GuessesNoDigits) {
  EXPECT_EQ(guess("0."), "");
  EXPECT_EQ(guess("0.13-0."), "");
  EXPECT_EQ(guess("0.13-0.57, 0."), "");
}

// The answer's own form counts before the sample's: three decimals, and words between the ranges.
TEST_P(AnswerDraftTest, LearnsFromTheAnswerItself) {
  EXPECT_EQ(guess("0.131-0.577, 0.61"), "");
  EXPECT_EQ(guess("0.131-0.577, 0.612"), "-0.");
  EXPECT_EQ(guess("0.131-0.577 dog, 0.612-0.700"), " dog, 0.");
}

// No more tokens than asked for, and none for an empty answer's end that cannot be known.
TEST_P(AnswerDraftTest, KeepsToTheLimit) {
  EXPECT_EQ(guess("0.13-0.57", 1).size(), 1u);
  EXPECT_EQ(guess("0.13-0.57", 0), "");
}

INSTANTIATE_TEST_SUITE_P(Families, AnswerDraftTest, testing::Values("vidi15", "vidi7b"));

}  // namespace
}  // namespace vidi
