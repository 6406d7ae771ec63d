#include "model/text/answer_draft.h"

#include <algorithm>
#include <string>

namespace vidi {
namespace {

constexpr const char* kSample = "0.00-0.00, 0.00-0.00, 0.00-0.00";
constexpr int kStart = -1, kDigits = -2;  // the place before an answer; digits after a point
constexpr size_t kMaxContext = 8;

// How many tokens before `at` are the same as at the end of `text`.
size_t like_context(const std::vector<int>& history, size_t at, const std::vector<int>& text) {
  size_t n = 0;
  const size_t most = std::min({kMaxContext, at, text.size()});
  while (n < most && history[at - 1 - n] == text[text.size() - 1 - n]) ++n;
  return n;
}

struct Match {
  const std::vector<int>* history = nullptr;
  size_t at = 0, length = 0;
};

// The latest of the longest contexts in `history` that are like the end of `text`. Digits alone
// are none: they are everywhere.
void look_in(const std::vector<int>& history, const std::vector<int>& text, Match& best) {
  for (size_t at = history.size() - 1; at > 0; --at) {
    const size_t n = like_context(history, at, text);
    const bool only_digits = std::all_of(text.end() - static_cast<std::ptrdiff_t>(n), text.end(),
                                         [](int token) { return token == kDigits; });
    if (n > best.length && !only_digits) best = {&history, at, n};
  }
}

// How many digits the answer's last finished number has after its point; 2 where there is none.
size_t decimals(const std::vector<int>& text) {
  auto end = text.rbegin();
  while (end != text.rend() && *end == kDigits) ++end;
  end = std::find(end, text.rend(), kDigits);
  auto start = std::find_if(end, text.rend(), [](int token) { return token != kDigits; });
  return end == text.rend() ? 2 : static_cast<size_t>(start - end);
}

// The text with `n` digits after every point.
std::vector<int> with_decimals(const std::vector<int>& text, size_t n) {
  std::vector<int> out;
  for (int token : text) {
    if (token != kDigits)
      out.push_back(token);
    else if (out.back() != kDigits)
      out.insert(out.end(), n, kDigits);
  }
  return out;
}

std::vector<int> encode(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<int> ids = tokenizer.encode(text);
  return {ids.begin() + 1, ids.end()};  // without the start token
}

bool all_digits(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

AnswerDraft::AnswerDraft(const Tokenizer& tokenizer) {
  for (int hundredths = 0; hundredths < 100; ++hundredths) {
    const std::string digits = std::to_string(100 + hundredths).substr(1);
    for (int id : encode(tokenizer, "0." + digits)) {
      const std::string text = tokenizer.decode({id});
      if (all_digits(text)) kinds_[id] = Kind::kDigits;
      if (!text.empty() && text.back() == '.') kinds_[id] = Kind::kPoint;
    }
  }
  sample_ = wildcards(encode(tokenizer, kSample));
  size_t run = 0;
  for (size_t i = 2; i < sample_.size(); ++i) {  // after the first token, which the prompt gives
    run = sample_[i] < 0 ? 0 : run + 1;
    usual_guess_ = std::max(usual_guess_, run);
  }
}

// The start and the ids, digits after a point all alike.
std::vector<int> AnswerDraft::wildcards(const std::vector<int>& ids) const {
  std::vector<int> out{kStart};
  bool in_fraction = false;
  for (int id : ids) {
    const auto kind = kinds_.find(id);
    const bool digits = kind != kinds_.end() && kind->second == Kind::kDigits;
    out.push_back(digits && in_fraction ? kDigits : id);
    in_fraction = kind != kinds_.end() && (in_fraction || kind->second == Kind::kPoint);
  }
  return out;
}

std::vector<int> AnswerDraft::guess(const std::vector<int>& ids, size_t n) const {
  const std::vector<int> text = wildcards(ids);
  Match best;
  look_in(text, text, best);
  const std::vector<int> sample = with_decimals(sample_, decimals(text));
  look_in(sample, text, best);
  std::vector<int> guesses;
  if (!best.history) return guesses;
  for (size_t i = best.at; i < best.history->size() && guesses.size() < n; ++i) {
    const int token = (*best.history)[i];
    if (token < 0) break;
    guesses.push_back(token);
  }
  return guesses;
}

}  // namespace vidi
