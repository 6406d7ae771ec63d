#include "model/session.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "kernels/aten.h"
#include "model/decoder/generate.h"
#include "model/device/device.h"
#include "model/session/vidi_session.h"
#include "model/text/prompt.h"
#include "model/text/read_answer.h"
#include "model/to_result.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

constexpr size_t kQuestionBatch = 32;      // questions that are answered together
constexpr size_t kMaxPromptTokens = 8192;  // the models' own limit on text

void check_prompts(const std::vector<std::vector<int>>& prompts) {
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

size_t longest_of(const std::vector<std::vector<int>>& prompts) {
  size_t longest = 0;
  for (const auto& p : prompts) longest = std::max(longest, p.size());
  return longest;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const OpenOptions& options,
                                               const Cancel& cancel) noexcept {
  return to_result<std::unique_ptr<Session>>(
      cancel, [&]() -> std::unique_ptr<Session> { return VidiSession::load(options, cancel); });
}

Result<FrameList> VidiSession::encode_images(const std::vector<Frame>& frames,
                                             const Cancel& cancel) noexcept {
  return to_result<FrameList>(cancel, [&] { return features_.encode_images(frames, cancel); });
}

Result<std::shared_ptr<const AudioFeatures>> VidiSession::encode_audio(
    const float* samples, int n, const Cancel& cancel) noexcept {
  return to_result<std::shared_ptr<const AudioFeatures>>(
      cancel, [&] { return features_.encode_audio(samples, n, cancel); });
}

Result<std::shared_ptr<PartialWindow>> VidiSession::begin_window(size_t n_frames) noexcept {
  return to_result<std::shared_ptr<PartialWindow>>([&] { return windows_.begin(n_frames); });
}

Result<bool> VidiSession::append(PartialWindow& partial, size_t first, const FrameList& frames,
                                 const Cancel& cancel) noexcept {
  return to_result<bool>(cancel,
                         [&] { return windows_.append(partial, first, frames, cancel), true; });
}

Result<std::shared_ptr<const Encoded>> VidiSession::encode(const Window& window,
                                                           const Cancel& cancel) noexcept {
  return to_result<std::shared_ptr<const Encoded>>(cancel,
                                                   [&] { return windows_.encode(window, cancel); });
}

static Answer answer_of(Generation g) {
  Answer answer;
  answer.ids = std::move(g.ids);
  answer.probabilities = std::move(g.probabilities);
  answer.stop = g.stop;
  return answer;
}

std::vector<Answer> VidiSession::ask_ids(const Encoded& encoded,
                                         const std::vector<std::vector<int>>& prompts,
                                         const AskOptions& options, const Cancel& cancel) const {
  c10::InferenceMode inference;
  const auto& window = own_kind<EncodedWindow>(&encoded, "an encoded window");
  if (options.max_new_tokens < 1) {
    throw EngineError(ErrorCode::kBadInput, "at most " + std::to_string(options.max_new_tokens) +
                                                " new tokens asked for, expected 1 or more");
  }
  check_prompts(prompts);
  const size_t longest = longest_of(prompts);
  size_t at_once = memory_.questions_with_room(longest, usual_batch(longest));
  std::vector<Answer> answers;
  for (size_t at = 0; at < prompts.size();) {
    const auto first = prompts.begin() + static_cast<std::ptrdiff_t>(at);
    const size_t n = std::min(at_once, prompts.size() - at);
    const AnswerDraft* draft = draft_ && !tap_ ? &*draft_ : nullptr;
    try {
      auto some =
          generate(model_.decoder(), window.cache, {first, first + static_cast<std::ptrdiff_t>(n)},
                   options, draft, tap_, cancel);
      for (Generation& g : some) answers.push_back(answer_of(std::move(g)));
      at += n;
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

std::vector<Answer> VidiSession::ask_all(const Encoded& encoded, const std::vector<Query>& queries,
                                         const AskOptions& options, const Cancel& cancel) {
  std::vector<std::vector<int>> prompts;
  for (const Query& q : queries) {
    check_query(*tokenizer_, q.text);
    const std::string question = make_question(model_.config().prompt, q.task, q.prompt_template,
                                               q.text, encoded.duration_s());
    prompts.push_back(prompt_ids(model_.config().prompt, *tokenizer_, question));
    if (tap_) {
      std::vector<int64_t> ids(prompts.back().begin(), prompts.back().end());
      tap_("prompt.ids", at::tensor(ids, at::kLong));
    }
  }
  std::vector<Answer> answers = ask_ids(encoded, prompts, options, cancel);
  for (Answer& answer : answers) read_answer(answer, *tokenizer_, encoded.duration_s());
  return answers;
}

Result<std::vector<Answer>> VidiSession::ask(const Encoded& encoded,
                                             const std::vector<Query>& queries,
                                             const AskOptions& options,
                                             const Cancel& cancel) noexcept {
  return to_result<std::vector<Answer>>(cancel,
                                        [&] { return ask_all(encoded, queries, options, cancel); });
}

int64_t VidiSession::device_memory_bytes() const noexcept {
  const auto held = to_result<int64_t>([&] { return memory_use(model_.device()).held; });
  return held ? *held : 0;
}

void VidiSession::free_caches() noexcept {
  (void)to_result<int>([&] {
    free_device_cache(model_.device());
    return 0;
  });
}

}  // namespace vidi
