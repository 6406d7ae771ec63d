// Questions about encoded windows to answers: prompts, tables of them through the decoder, the
// model's words to times. One thread at a time; throws EngineError.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/cancel.h"
#include "model/decoder/generate.h"
#include "model/session/answer_table.h"
#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/tap.h"
#include "model/text/answer_draft.h"
#include "model/text/tokenizer.h"
#include "model/window.h"

namespace vidi {

class QuestionAnswerer {
 public:
  // What is given by reference must outlive it. Without a tokenizer only ask_ids() is for it.
  QuestionAnswerer(const DeviceModel& model, DeviceMemory& memory, const Tap& tap,
                   std::optional<Tokenizer> tokenizer);

  // As the API says (model/session.h).
  std::vector<Answer> ask(const Encoded& encoded, const std::vector<Query>& queries,
                          const AskOptions& options, const Cancel& cancel);
  // Answers to prompts that are ids already, in batches; their text is left out. While a tap is set
  // no tokens are guessed, so that every pass is one token.
  std::vector<Answer> ask_ids(const Encoded& encoded, const std::vector<std::vector<int>>& prompts,
                              const AskOptions& options, const Cancel& cancel);

  // Questions of any number of windows together: a table, which must go before this does, those who
  // join it, and their answers.
  AnswerTable new_table();
  uint64_t join(AnswerTable& table, std::shared_ptr<const Encoded> encoded,
                const std::vector<Query>& queries, const AskOptions& options) const;
  std::vector<Answer> read(AnswerTable::Done done) const;

  // From now on every answer has as many tokens as it may have (GenerateOptions): for benchmarks.
  void fix_lengths() { fixed_length_ = true; }

  // The weights leave the device; others may come that were never used.
  void forget_sizes() { known_sizes_.clear(); }

 private:
  std::vector<int> prompt_of(const Query& query, double duration_s) const;
  AnswerTable::Prompts prompts_of(const Encoded& encoded, const std::vector<Query>& queries) const;

  const DeviceModel& model_;
  DeviceMemory& memory_;
  const Tap& tap_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<AnswerDraft> draft_;  // none without a tokenizer
  PassSizes known_sizes_;
  bool fixed_length_ = false;
};

}  // namespace vidi
