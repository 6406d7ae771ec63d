#include "model/session/answer_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/device/device.h"

namespace vidi {
namespace {

constexpr size_t kMostRows = 128;          // questions in one pass
constexpr size_t kQuestionBatch = 32;      // prompts that are read together
constexpr size_t kMaxPromptTokens = 8192;  // the models' own limit on text

void check_request(const AnswerTable::Prompts& prompts, const GenerateOptions& options) {
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

}  // namespace

AnswerTable::AnswerTable(const DeviceModel& model, const DeviceMemory& memory,
                         const AnswerDraft* draft, const Tap& tap, PassSizes& known_sizes)
    : model_(model),
      memory_(memory),
      batch_(model.decoder(), draft, tap, known_sizes),
      most_rows_(kMostRows),
      most_started_(kQuestionBatch) {}

uint64_t AnswerTable::join(std::shared_ptr<const EncodedWindow> window, Prompts prompts,
                           const GenerateOptions& options) {
  check_request(prompts, options);
  Window& joined = windows_.emplace_back();
  joined.number = ++last_number_;
  joined.window = std::move(window), joined.prompts = std::move(prompts);
  joined.options = options;
  joined.answers.resize(joined.prompts.size());
  for (size_t i = joined.prompts.size(); i-- > 0;) {
    joined.waiting.push_back(i);
    joined.longest = std::max(joined.longest, joined.prompts[i].size());
  }
  return joined.number;
}

bool AnswerTable::has_room() const {
  return batch_.n_rows() < most_rows_ &&
         std::all_of(windows_.begin(), windows_.end(),
                     [](const Window& window) { return window.waiting.empty(); });
}

std::list<AnswerTable::Window>::iterator AnswerTable::first_waiting() {
  return std::find_if(windows_.begin(), windows_.end(),
                      [](const Window& window) { return !window.waiting.empty(); });
}

bool AnswerTable::step(const Cancel& cancel) {
  ran_out_while_starting_ = true;
  for (auto next = first_waiting(); next != windows_.end() && batch_.n_rows() < most_rows_;
       next = first_waiting()) {
    cancel.check();
    start_some(*next, cancel);
  }
  ran_out_while_starting_ = false;
  batch_.step(cancel);
  collect();
  return !windows_.empty();
}

// Where rows are under way there is room for few more, or none.
size_t AnswerTable::most_at_once(const Window& window) const {
  const size_t usual = std::min(usual_batch(window.longest), most_started_);
  const size_t fits =
      memory_.questions_with_room(window.window->n_tokens_here(), window.longest, usual);
  return std::min({fits, most_rows_ - batch_.n_rows(), window.waiting.size()});
}

void AnswerTable::start_some(Window& window, const Cancel& cancel) {
  const size_t n = most_at_once(window);
  Prompts prompts;
  std::vector<Generation*> answers;
  for (size_t i = 0; i < n; ++i) {
    const size_t question = window.waiting[window.waiting.size() - 1 - i];
    prompts.push_back(window.prompts[question]);
    answers.push_back(&window.answers[question]);
  }
  batch_.join(window.number, window.window->cache, prompts, window.options, answers, cancel);
  window.waiting.resize(window.waiting.size() - n);
}

// Windows leave whose questions are all answered.
void AnswerTable::collect() {
  for (auto it = windows_.begin(); it != windows_.end();) {
    if (!it->waiting.empty() || batch_.has_open(it->number)) {
      ++it;
      continue;
    }
    batch_.leave(it->number);
    most_rows_ = std::min(kMostRows, most_rows_ + it->answers.size());
    most_started_ = std::min(kQuestionBatch, most_started_ + it->answers.size());
    done_.push_back({it->number, std::move(it->window), std::move(it->answers), {}});
    it = windows_.erase(it);
  }
}

void AnswerTable::fail(std::list<Window>::iterator window, const Error& error) {
  batch_.leave(window->number);
  done_.push_back({window->number, std::move(window->window), {}, error});
  windows_.erase(window);
}

void AnswerTable::fail_all(const Error& error) {
  batch_.leave_all();
  for (Window& window : windows_)
    done_.push_back({window.number, std::move(window.window), {}, error});
  windows_.clear();
}

Error AnswerTable::shortage(const Window& window, const Error& error) const {
  if (!memory_.limited()) return error;
  try {
    memory_.explain_shortage("a question of " + std::to_string(window.longest) + " tokens");
  } catch (const EngineError& explained) {
    return {explained.code(), explained.what()};
  }
}

void AnswerTable::do_less(const Error& error) {
  free_device_cache(model_.device());
  if (ran_out_while_starting_) {
    const auto next = first_waiting();
    if (next == windows_.end()) return;
    if (const size_t n = most_at_once(*next); n > 1)
      most_started_ = n / 2;
    else if (batch_.n_rows() > 0)
      most_rows_ = batch_.n_rows();  // it waits until one has left
    else
      fail(next, shortage(*next, error));
    return;
  }
  if (batch_.n_rows() == 0) return;
  if (batch_.n_rows() == 1) {
    const auto last = std::find_if(windows_.begin(), windows_.end(), [&](const Window& window) {
      return batch_.has_open(window.number);
    });
    if (last != windows_.end()) fail(last, shortage(*last, error));
    return;
  }
  most_rows_ = batch_.n_rows() / 2;
  for (const Generation* gone : batch_.leave_youngest(most_rows_)) {
    for (Window& window : windows_) {
      if (gone < window.answers.data() || gone >= window.answers.data() + window.answers.size())
        continue;
      window.waiting.push_back(static_cast<size_t>(gone - window.answers.data()));
    }
  }
}

void AnswerTable::leave(uint64_t number) {
  const auto is_it = [number](const auto& window) { return window.number == number; };
  std::erase_if(done_, is_it);
  const auto window = std::find_if(windows_.begin(), windows_.end(), is_it);
  if (window == windows_.end()) return;
  batch_.leave(number);
  windows_.erase(window);
}

std::vector<AnswerTable::Done> AnswerTable::take_done() { return std::exchange(done_, {}); }

}  // namespace vidi
