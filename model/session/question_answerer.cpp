#include "model/session/question_answerer.h"

#include <string>
#include <utility>

#include "kernels/aten.h"
#include "model/session/encoded_window.h"
#include "model/text/prompt.h"
#include "model/text/read_answer.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

Answer answer_of(Generation g) {
  Answer answer;
  answer.ids = std::move(g.ids);
  answer.probabilities = std::move(g.probabilities);
  answer.stop = g.stop;
  return answer;
}

std::vector<Answer> answers_of(std::vector<Generation> generations) {
  std::vector<Answer> answers;
  for (Generation& g : generations) answers.push_back(answer_of(std::move(g)));
  return answers;
}

}  // namespace

QuestionAnswerer::QuestionAnswerer(const DeviceModel& model, DeviceMemory& memory,
                                   const Tap& tap, std::optional<Tokenizer> tokenizer)
    : model_(model), memory_(memory), tap_(tap), tokenizer_(std::move(tokenizer)) {
  if (tokenizer_) draft_.emplace(*tokenizer_);
}

AnswerTable QuestionAnswerer::new_table() {
  const AnswerDraft* draft = draft_ && !tap_ && !fixed_length_ ? &*draft_ : nullptr;
  return {model_, memory_, draft, tap_, known_sizes_};
}

// In a table of its own.
std::vector<Answer> QuestionAnswerer::ask_ids(const Encoded& encoded,
                                              const AnswerTable::Prompts& prompts,
                                              const AskOptions& options, const Cancel& cancel) {
  const auto& window = own_kind<EncodedWindow>(&encoded, "an encoded window");
  AnswerTable table = new_table();
  // It is the caller's, and stays where it is for the time of this call.
  table.join({std::shared_ptr<const void>(), &window}, prompts, {options, fixed_length_});
  for (bool goes_on = true; goes_on;) {
    try {
      goes_on = table.step(cancel);
    } catch (const c10::OutOfMemoryError&) {
      memory_.found_short();
      if (!memory_.limited()) throw;
      table.do_less({});
      goes_on = !table.empty();
    }
  }
  AnswerTable::Done done = std::move(table.take_done().front());
  if (done.error) throw EngineError(done.error->code, done.error->message);
  return answers_of(std::move(done.answers));
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

AnswerTable::Prompts QuestionAnswerer::prompts_of(const Encoded& encoded,
                                                  const std::vector<Query>& queries) const {
  AnswerTable::Prompts prompts;
  for (const Query& query : queries) prompts.push_back(prompt_of(query, encoded.duration_s()));
  return prompts;
}

std::vector<Answer> QuestionAnswerer::ask(const Encoded& encoded, const std::vector<Query>& queries,
                                          const AskOptions& options, const Cancel& cancel) {
  std::vector<Answer> answers = ask_ids(encoded, prompts_of(encoded, queries), options, cancel);
  for (Answer& answer : answers) read_answer(answer, *tokenizer_, encoded.duration_s());
  return answers;
}

uint64_t QuestionAnswerer::join(AnswerTable& table, std::shared_ptr<const Encoded> encoded,
                                const std::vector<Query>& queries,
                                const AskOptions& options) const {
  const auto& window = own_kind<EncodedWindow>(encoded.get(), "an encoded window");
  return table.join({std::move(encoded), &window}, prompts_of(window, queries),
                    {options, fixed_length_});
}

std::vector<Answer> QuestionAnswerer::read(AnswerTable::Done done) const {
  std::vector<Answer> answers = answers_of(std::move(done.answers));
  for (Answer& answer : answers) read_answer(answer, *tokenizer_, done.window->duration_s());
  return answers;
}

}  // namespace vidi
