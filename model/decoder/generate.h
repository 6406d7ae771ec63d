// What greedy generation makes of a question, and when it ends: the most likely id (the lowest on a
// tie) until the stop id, max_new_tokens or, if asked, a repetition. vidi-model page, section 7.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "model/window.h"

namespace vidi {

struct Generation {
  std::vector<int> ids;              // the stop id, if it came, is the last
  std::vector<float> probabilities;  // of each id, softmax over the logits
  StopReason stop = StopReason::kEndToken;
};

struct GenerateOptions : AskOptions {
  // Every answer has max_new_tokens tokens, whatever they are, and none is guessed: for benchmarks.
  bool fixed_length = false;
};

// True when `ids` ends in the same words four times in a row, and in at least 24 tokens of such
// repetition. Looks at the tail alone, so that calling it after every token is cheap.
bool repeats_itself(const std::vector<int>& ids);

// Sizes of passes, [rows, tokens], that have run before, so that all they need on the device is
// loaded: such a pass may be recorded at once (cuda_graph.h).
using PassSizes = std::set<std::pair<int64_t, int64_t>>;

}  // namespace vidi
