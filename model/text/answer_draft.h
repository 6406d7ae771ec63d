// Guesses an answer's next tokens from the form that answers have, "0.25-0.31, 0.52-0.60": of a
// range only the digits after a point carry news. The decoder checks the guesses in one pass
// (speculative decoding with prompt lookup), so they change no answer, only the number of passes.
// Torch-free. Const methods may run on several threads.
#pragma once

#include <unordered_map>
#include <vector>

#include "model/text/tokenizer.h"

namespace vidi {

class AnswerDraft {
 public:
  explicit AnswerDraft(const Tokenizer& tokenizer);

  // The longest guess that the sample itself gives.
  size_t usual_guess() const { return usual_guess_; }

  // At most `n` tokens that the form alone lets follow the answer `ids`: what followed the longest
  // like context, in this answer or else in the sample, up to the first digit after a point.
  std::vector<int> guess(const std::vector<int>& ids, size_t n) const;

 private:
  enum class Kind { kDigits, kPoint };
  std::vector<int> wildcards(const std::vector<int>& ids) const;

  std::unordered_map<int, Kind> kinds_;  // of the tokens that numbers are made of
  std::vector<int> sample_;              // with wildcards
  size_t usual_guess_ = 0;
};

}  // namespace vidi
