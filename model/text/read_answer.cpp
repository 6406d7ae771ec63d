#include "model/text/read_answer.h"

#include <algorithm>
#include <cmath>

#include "model/text/answer.h"

namespace vidi {
namespace {

// Geometric mean of the probabilities of the tokens that wrote bytes [begin, end) of the text.
// ends[k]: length of the text after token k.
double mean_probability(const Answer& answer, const std::vector<size_t>& ends, size_t begin,
                        size_t end) {
  double sum = 0;
  int n = 0;
  for (size_t k = 0; k < ends.size(); ++k) {
    const size_t from = k == 0 ? 0 : ends[k - 1];
    if (ends[k] <= begin || from >= end || ends[k] == from) continue;
    sum += std::log(std::max(answer.probabilities[k], 1e-30f));
    ++n;
  }
  return n > 0 ? std::exp(sum / n) : 0;
}

// Length of the decoded text after each token.
std::vector<size_t> text_ends(const std::vector<int>& ids, const Tokenizer& tokenizer) {
  std::vector<size_t> ends;
  std::vector<int> so_far;
  for (const int id : ids) {
    so_far.push_back(id);
    ends.push_back(tokenizer.decode(so_far).size());
  }
  return ends;
}

}  // namespace

void read_answer(Answer& answer, const Tokenizer& tokenizer, double duration_s) {
  answer.text = tokenizer.decode(answer.ids);
  answer.parsed = parse_answer(answer.text);
  const std::vector<size_t> ends = text_ends(answer.ids, tokenizer);
  for (const AnswerRange& r : answer.parsed.ranges) {
    answer.spans.push_back({r.start, r.stop, r.start * duration_s, r.stop * duration_s,
                            mean_probability(answer, ends, r.text_begin, r.text_end), r.label});
  }
}

}  // namespace vidi
