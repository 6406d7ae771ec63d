// Greedy generation for a batch of questions, with the probability of every token. vidi-model page,
// section 7.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "model/decoder/decoder.h"
#include "model/text/answer_draft.h"
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

// Any number of batches of questions, one after the other. One thread.
class Generator {
 public:
  // `decoder` must outlive it.
  explicit Generator(const Decoder& decoder) : decoder_(decoder) {}

  // Picks the most likely id (the lowest on a tie) until the stop id, max_new_tokens or, if asked,
  // a repetition; the repetition guard only ever ends an answer, it changes no id. Finished
  // questions leave the batch. With `draft` a pass also reads what it lets follow, and keeps what
  // it picks itself at each place: the ids of one pass a token in fewer passes, unless two ids are
  // as likely but for rounding. Reads one small tensor from the device a pass. `tap` gets the
  // logits of every pass; for these to be one token's each, give no draft.
  std::vector<Generation> generate(const MediaCache& media,
                                   const std::vector<std::vector<int>>& prompts,
                                   const GenerateOptions& options, const AnswerDraft* draft,
                                   const Tap& tap, const Cancel& cancel);

  void forget_sizes() { known_sizes_.clear(); }  // of passes: the decoder has other weights now

 private:
  const Decoder& decoder_;
  PassSizes known_sizes_;
};

}  // namespace vidi
