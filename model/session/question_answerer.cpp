#include "model/session/question_answerer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kernels/aten.h"
#include "model/device/device.h"
#include "model/session/encoded_window.h"
#include "model/text/prompt.h"
#include "model/text/read_answer.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

constexpr size_t kQuestionBatch = 32;      // questions that are answered together
constexpr size_t kMaxPromptTokens = 8192;  // the models' own limit on text

using Prompts = std::vector<std::vector<int>>;

void check_request(const Prompts& prompts, const AskOptions& options) {
  if (options.max_new_tokens < 1) {
    throw EngineError(ErrorCode::kBadInput, "at most " + std::to_string(options.max_new_tokens) +
                                                " new tokens asked for, expected 1 or more");
  }
  for (const auto& p : prompts) {
    if (p.empty() || p.size() > kMaxPromptTokens) {
      throw EngineError(ErrorCode::kBadInput, "a question of " + std::to_string(p.size()) +
                                                  " tokens, expected 1 to " +
                                                  std::to_string(kMaxPromptTokens));
    }
  }
}

// So many that all of them, each as long as the longest, are no more text than one may be.
size_t usual_batch(size_t longest) {
  return std::clamp<size_t>(kMaxPromptTokens / std::max<size_t>(longest, 1), 1, kQuestionBatch);
}

size_t longest_of(const Prompts& prompts) {
  size_t longest = 0;
  for (const auto& p : prompts) longest = std::max(longest, p.size());
  return longest;
}

Answer answer_of(Generation g) {
  Answer answer;
  answer.ids = std::move(g.ids);
  answer.probabilities = std::move(g.probabilities);
  answer.stop = g.stop;
  return answer;
}

}  // namespace

QuestionAnswerer::QuestionAnswerer(const DeviceModel& model, const DeviceMemory& memory,
                                   const Tap& tap, std::optional<Tokenizer> tokenizer)
    : model_(model),
      memory_(memory),
      tap_(tap),
      tokenizer_(std::move(tokenizer)),
      generator_(model.decoder()) {
  if (tokenizer_) draft_.emplace(*tokenizer_);
}

std::vector<Answer> QuestionAnswerer::ask_ids(const Encoded& encoded, const Prompts& prompts,
                                              const AskOptions& options, const Cancel& cancel) {
  const auto& window = own_kind<EncodedWindow>(&encoded, "an encoded window");
  check_request(prompts, options);
  const size_t longest = longest_of(prompts);
  const GenerateOptions rules{options, fixed_length_};
  const AnswerDraft* draft = draft_ && !tap_ && !fixed_length_ ? &*draft_ : nullptr;
  size_t at_once = memory_.questions_with_room(encoded.n_tokens(), longest, usual_batch(longest));
  std::vector<Answer> answers;
  while (answers.size() < prompts.size()) {
    const auto first = prompts.begin() + static_cast<std::ptrdiff_t>(answers.size());
    const size_t n = std::min(at_once, prompts.size() - answers.size());
    try {
      auto some = generator_.generate(window.cache, {first, first + static_cast<std::ptrdiff_t>(n)},
                                      rules, draft, tap_, cancel);
      for (Generation& g : some) answers.push_back(answer_of(std::move(g)));
    } catch (const c10::OutOfMemoryError&) {
      if (!memory_.limited()) throw;
      if (n == 1)
        memory_.explain_shortage("a question of " + std::to_string(first->size()) + " tokens");
      at_once = n / 2;  // again, in smaller batches: each answer is its own
      free_device_cache(model_.device());
    }
  }
  return answers;
}

std::vector<int> QuestionAnswerer::prompt_of(const Query& query, double duration_s) const {
  const PromptConfig& config = model_.config().prompt;
  check_query(*tokenizer_, query.text);
  std::vector<int> ids =
      prompt_ids(config, *tokenizer_,
                 make_question(config, query.task, query.prompt_template, query.text, duration_s));
  if (tap_) tap_("prompt.ids", at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong));
  return ids;
}

std::vector<Answer> QuestionAnswerer::ask(const Encoded& encoded, const std::vector<Query>& queries,
                                          const AskOptions& options, const Cancel& cancel) {
  Prompts prompts;
  for (const Query& query : queries) prompts.push_back(prompt_of(query, encoded.duration_s()));
  std::vector<Answer> answers = ask_ids(encoded, prompts, options, cancel);
  for (Answer& answer : answers) read_answer(answer, *tokenizer_, encoded.duration_s());
  return answers;
}

}  // namespace vidi
