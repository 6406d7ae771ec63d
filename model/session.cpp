#include "model/session.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "kernels/aten.h"
#include "kernels/log_mel.h"
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

struct VidiSession::EncodedWindow final : Encoded {
  MediaCache cache;
  HeldBytes held;
  double seconds = 0;
  bool has_frames() const override { return cache.has(Modality::kImage); }
  bool has_audio() const override { return cache.has(Modality::kAudio); }
  int64_t n_tokens() const override { return cache.n_tokens[0] + cache.n_tokens[1]; }
  double duration_s() const override { return seconds; }
};

// A window's stretches joined.
struct VidiSession::Sound {
  at::Tensor states;       // the encoder's, cut to what the samples fill; undefined: none
  int64_t audio_size = 0;  // frames of the log-mel picture that the samples fill
  int64_t n_tokens = 0;
};

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

// The encoder's states of a window's sound, joined and cut to what the samples fill; undefined when
// that is less than two tokens, which counts as no audio.
static at::Tensor joined_states(const Window& window, int64_t min_steps, int64_t& audio_size) {
  std::vector<at::Tensor> chunks;
  audio_size = 0;
  for (size_t i = 0; i < window.audio.size(); ++i) {
    const auto& audio = own_kind<TowerAudio>(window.audio[i].get(), "a stretch of sound");
    if (audio.samples < kChunkSamples && i + 1 < window.audio.size()) {
      throw EngineError(ErrorCode::kBadInput,
                        "stretch " + std::to_string(i) + " of a window has " +
                            std::to_string(audio.samples) + " samples, expected " +
                            std::to_string(kChunkSamples) + " in all but the last");
    }
    audio_size += audio.samples / kHopSamples;
    chunks.push_back(audio.states);
  }
  const int64_t steps = audio_size / 2;
  if (steps < min_steps) return {};
  return at::cat(chunks).narrow(0, 0, steps);
}

static void check_window(const Window& window) {
  if (window.frames.size() == 1) {
    throw EngineError(ErrorCode::kBadInput, "a window with 1 frame, expected none or at least 2");
  }
  if (!(window.duration_s >= 0) || !std::isfinite(window.duration_s)) {
    throw EngineError(ErrorCode::kBadInput, "a window of " + std::to_string(window.duration_s) +
                                                " s, expected a length of 0 or more");
  }
}

std::shared_ptr<const Encoded> VidiSession::encode_window(const Window& window,
                                                          const Cancel& cancel) {
  check_window(window);
  Sound sound;
  sound.states = joined_states(window, 2 * model_.config().projector.audio_pool, sound.audio_size);
  if (sound.states.defined())
    sound.n_tokens = model_.projector().n_audio_tokens(sound.states.size(0));
  if (window.frames.empty() && sound.n_tokens == 0) {
    throw EngineError(ErrorCode::kBadInput,
                      "a window without frames and with less than two tokens "
                      "of sound, expected at least one of them");
  }
  auto encoded = encode_in_room(window, sound, cancel);
  synchronize(model_.device());  // a CUDA error surfaces here and not in somebody's first question
  return encoded;
}

// By the plan; where the allocator finds no room in spite of it, once more with all the room there
// can be.
std::shared_ptr<const Encoded> VidiSession::encode_in_room(const Window& window, const Sound& sound,
                                                           const Cancel& cancel) {
  const int64_t n_frames = window.frames.size();
  const int64_t n_image =
      n_frames > 0 ? n_frames * model_.projector().tokens_per_frame(n_frames) : 0;
  WindowNeed need = memory_.need_of(n_image, sound.n_tokens);
  if (check_prepared(window)) need.keys = memory_.need_of(0, sound.n_tokens).keys;
  const MemoryPlan plan = memory_.make_room(need);
  try {
    return encode_in_pieces(window, sound, plan.piece_tokens, cancel);
  } catch (const c10::OutOfMemoryError&) {
    if (!memory_.limited()) throw;
  }
  memory_.make_most_room();
  return memory_.explained("a window of " + std::to_string(need.n_tokens) + " tokens",
                           [&] { return encode_in_pieces(window, sound, kSmallestPiece, cancel); });
}

std::shared_ptr<VidiSession::EncodedWindow> VidiSession::encode_in_pieces(const Window& window,
                                                                          const Sound& sound,
                                                                          int64_t piece,
                                                                          const Cancel& cancel) {
  auto encoded = std::make_shared<EncodedWindow>();
  encoded->seconds = window.duration_s;
  MediaCache& cache = encoded->cache;
  if (!window.frames.empty()) cache = picture_keys(window, piece, cancel);
  if (sound.n_tokens > 0) {
    model_.decoder().add_media(cache, Modality::kAudio, sound.n_tokens);
    tap_into(tap_, "audio.size", at::full({1}, sound.audio_size, at::kLong));
    tap_into(tap_, "audio.encoder", sound.states);
    model_.decoder().prefill_media(model_.projector().audio_tokens(sound.states, tap_),
                                   Modality::kAudio, 0, cache, cancel, piece);
  }
  encoded->held = memory_.count_keys(cache.n_tokens[0], cache.n_tokens[1]);
  tap_keys(cache);
  return encoded;
}

void VidiSession::tap_keys(const MediaCache& cache) const {
  for (int m = 0; tap_ && m < 2; ++m) {
    const std::string modality = m == 0 ? "image" : "audio";
    for (size_t i = 0; i < cache.layers[m].size(); ++i) {
      const std::string name = "decoder.layer" + std::to_string(i) + "." + modality;
      tap_(name + "_key", cache.layers[m][i].key);
      tap_(name + "_value", cache.layers[m][i].value);
    }
  }
}

Result<std::shared_ptr<const Encoded>> VidiSession::encode(const Window& window,
                                                           const Cancel& cancel) noexcept {
  return to_result<std::shared_ptr<const Encoded>>(cancel,
                                                   [&] { return encode_window(window, cancel); });
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
