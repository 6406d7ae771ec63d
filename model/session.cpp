#include "model/session.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "kernels/log_mel.h"
#include "model/at_the_door.h"
#include "model/device.h"
#include "model/generate.h"
#include "model/hits.h"
#include "model/preprocess.h"
#include "model/prompt.h"
#include "model/tower_features.h"
#include "model/vidi_session.h"

namespace vidi {
namespace {

constexpr size_t kVisionBatch = 16;        // frames that go through the tower together
constexpr size_t kQuestionBatch = 32;      // questions that are answered together
constexpr size_t kMaxPromptTokens = 8192;  // the models' own limit on text

struct TowerAudio final : AudioFeatures {
  at::Tensor states;  // [1500, d]
  int samples = 0;
  int n_samples() const override { return samples; }
};

struct EncodedWindow final : Encoded {
  MediaCache cache;
  double seconds = 0;
  bool has_frames() const override { return cache.has(Modality::kImage); }
  bool has_audio() const override { return cache.has(Modality::kAudio); }
  int64_t n_tokens() const override { return cache.n_tokens[0] + cache.n_tokens[1]; }
  double duration_s() const override { return seconds; }
};

void check_prompts(const std::vector<std::vector<int>>& prompts) {
  for (const auto& p : prompts) {
    if (p.empty() || p.size() > kMaxPromptTokens) {
      throw EngineError(ErrorCode::kBadInput, "a question of " + std::to_string(p.size()) +
                                                  " tokens, expected 1 to " +
                                                  std::to_string(kMaxPromptTokens));
    }
  }
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const OpenOptions& options,
                                               const Cancel& cancel) noexcept {
  return at_the_door<std::unique_ptr<Session>>(
      [&]() -> std::unique_ptr<Session> { return VidiSession::load(options, cancel); });
}

void VidiSession::see_batch(const Frame* frames, size_t n,
                            std::vector<std::shared_ptr<const FrameFeatures>>& out) {
  at::Tensor pixels = make_pixels(frames, n, config_.vision.image_size, device_, dtype_);
  tap_into(tap_, "frames.pixel_values", pixels);
  at::Tensor features = vision_(pixels);
  tap_into(tap_, "vision.features", features);
  for (size_t i = 0; i < n; ++i) {
    auto frame = std::make_shared<TowerFrame>();
    frame->patches = features[i];
    out.push_back(std::move(frame));
  }
}

Result<std::vector<std::shared_ptr<const FrameFeatures>>> VidiSession::see(
    const std::vector<Frame>& frames, const Cancel& cancel) noexcept {
  using Out = std::vector<std::shared_ptr<const FrameFeatures>>;
  return at_the_door<Out>([&] {
    Out out;
    for (size_t at = 0; at < frames.size(); at += kVisionBatch) {
      cancel.check();
      see_batch(frames.data() + at, std::min(kVisionBatch, frames.size() - at), out);
    }
    return out;
  });
}

std::shared_ptr<const AudioFeatures> VidiSession::hear_chunk(const float* samples, int n) {
  if (n < 1 || n > kChunkSamples || !samples) {
    throw EngineError(ErrorCode::kBadInput, "a stretch of " + std::to_string(n) +
                                                " samples, expected 1 to " +
                                                std::to_string(kChunkSamples));
  }
  at::Tensor mel = make_mel(samples, n, config_.audio.n_mels, device_, dtype_);
  tap_into(tap_, "audio.mel", mel);
  auto audio = std::make_shared<TowerAudio>();
  audio->states = audio_(mel).squeeze(0);
  audio->samples = n;
  return audio;
}

Result<std::shared_ptr<const AudioFeatures>> VidiSession::hear(const float* samples, int n,
                                                               const Cancel& cancel) noexcept {
  return at_the_door<std::shared_ptr<const AudioFeatures>>([&] {
    cancel.check();
    return hear_chunk(samples, n);
  });
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

std::shared_ptr<const Encoded> VidiSession::encode_window(const Window& window,
                                                          const Cancel& cancel) {
  const int64_t n_frames = window.frames.size();
  if (n_frames == 1) {
    throw EngineError(ErrorCode::kBadInput, "a window with 1 frame, expected none or at least 2");
  }
  if (!(window.duration_s >= 0) || !std::isfinite(window.duration_s)) {
    throw EngineError(ErrorCode::kBadInput, "a window of " + std::to_string(window.duration_s) +
                                                " s, expected a length of 0 or more");
  }
  int64_t audio_size = 0;
  at::Tensor states = joined_states(window, 2 * config_.projector.audio_pool, audio_size);
  const int64_t n_audio = states.defined() ? projector_.n_audio_tokens(states.size(0)) : 0;
  const int64_t n_image = n_frames > 0 ? n_frames * projector_.tokens_per_frame(n_frames) : 0;
  if (n_audio + n_image == 0) {
    throw EngineError(ErrorCode::kBadInput,
                      "a window without frames and with less than two tokens "
                      "of sound, expected at least one of them");
  }
  auto encoded = std::make_shared<EncodedWindow>();
  encoded->seconds = window.duration_s;
  if (n_image > 0) encoded->cache = encode_images(window, cancel);
  if (n_audio > 0) {
    decoder_.add_media(encoded->cache, Modality::kAudio, n_audio);
    tap_into(tap_, "audio.size", at::full({1}, audio_size, at::kLong));
    tap_into(tap_, "audio.encoder", states);
    decoder_.stream(projector_.audio_tokens(states, tap_), Modality::kAudio, 0, encoded->cache,
                    cancel);
  }
  for (int m = 0; tap_ && m < 2; ++m) {
    const std::string modality = m == 0 ? "image" : "audio";
    for (size_t i = 0; i < encoded->cache.layers[m].size(); ++i) {
      const std::string name = "decoder.layer" + std::to_string(i) + "." + modality;
      tap_(name + "_key", encoded->cache.layers[m][i].key);
      tap_(name + "_value", encoded->cache.layers[m][i].value);
    }
  }
  synchronize(device_);  // a CUDA error surfaces here and not in somebody's first question
  return encoded;
}

Result<std::shared_ptr<const Encoded>> VidiSession::encode(const Window& window,
                                                           const Cancel& cancel) noexcept {
  return at_the_door<std::shared_ptr<const Encoded>>([&] { return encode_window(window, cancel); });
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
  std::vector<Answer> answers;
  for (size_t at = 0; at < prompts.size(); at += kQuestionBatch) {
    const auto first = prompts.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last =
        first + static_cast<std::ptrdiff_t>(std::min(kQuestionBatch, prompts.size() - at));
    const AnswerForm* form = tap_ ? nullptr : form_.get();
    for (Generation& g :
         generate(decoder_, window.cache, {first, last}, options, form, tap_, cancel)) {
      Answer answer;
      answer.ids = std::move(g.ids);
      answer.probabilities = std::move(g.probabilities);
      answer.stop = g.stop;
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

std::vector<Answer> VidiSession::ask_all(const Encoded& encoded, const std::vector<Query>& queries,
                                         const AskOptions& options, const Cancel& cancel) {
  std::vector<std::vector<int>> prompts;
  for (const Query& q : queries) {
    check_query(*tokenizer_, q.text);
    const std::string question =
        make_question(config_.prompt, q.task, q.prompt_template, q.text, encoded.duration_s());
    prompts.push_back(prompt_ids(config_.prompt, *tokenizer_, question));
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
  return at_the_door<std::vector<Answer>>(
      [&] { return ask_all(encoded, queries, options, cancel); });
}

int64_t VidiSession::device_memory_bytes() const noexcept {
  const auto held = at_the_door<int64_t>([&] { return device_memory(device_).held; });
  return held ? *held : 0;
}

void VidiSession::free_caches() noexcept {
  (void)at_the_door<int>([&] {
    free_device_cache(device_);
    return 0;
  });
}

}  // namespace vidi
