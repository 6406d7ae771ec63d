#include "model/session/vidi_session.h"

#include <c10/core/InferenceMode.h>

#include "model/checkpoint/open_checkpoint.h"
#include "model/session/joint_answers.h"
#include "model/to_result.h"
#include "model/towers/similarity.h"

namespace vidi {

VidiSession::VidiSession(const ModelConfig& config, std::optional<Tokenizer> tokenizer,
                         const OpenOptions& options)
    : devices_(config, options, tap_),
      answerer_(devices_.first().model, devices_.first().memory, tap_, std::move(tokenizer)) {}

std::unique_ptr<VidiSession> VidiSession::load(const OpenOptions& options, const Cancel& cancel) {
  c10::InferenceMode inference;
  Checkpoint checkpoint = open_checkpoint(options.folder);
  const ModelConfig& config = checkpoint.config;
  Tokenizer tokenizer = Tokenizer::open(options.folder, config.prompt, config.decoder.vocab);
  std::unique_ptr<VidiSession> session(new VidiSession(config, std::move(tokenizer), options));
  session->source_ = [&](at::Device device, at::ScalarType dtype) {
    return Weights(checkpoint.files, device, dtype);
  };
  session->devices_.load(session->source_, cancel);
  // Later the files may be others; their shapes are compared with the config that was read first.
  session->source_ = [folder = options.folder](at::Device device, at::ScalarType dtype) {
    return Weights(open_checkpoint_files(folder), device, dtype);
  };
  return session;
}

std::unique_ptr<VidiSession> VidiSession::random(const ModelConfig& config, CheckpointFiles shapes,
                                                 const OpenOptions& options, uint64_t seed) {
  c10::InferenceMode inference;
  std::unique_ptr<VidiSession> session(new VidiSession(config, std::nullopt, options));
  session->source_ = [shapes = std::move(shapes), seed](at::Device device, at::ScalarType dtype) {
    return Weights::random(shapes, device, dtype, seed);
  };
  session->devices_.load(session->source_, Cancel());
  return session;
}

Result<std::unique_ptr<Session>> Session::open(const OpenOptions& options,
                                               const Cancel& cancel) noexcept {
  return to_result<std::unique_ptr<Session>>(
      cancel, [&]() -> std::unique_ptr<Session> { return VidiSession::load(options, cancel); });
}

void VidiSession::check_loaded() const {
  if (!devices_.is_loaded()) throw EngineError(why_unloaded_.code, why_unloaded_.message);
}

template <class T, class Body>
Result<T> VidiSession::with_weights(const Cancel& cancel, Body body) noexcept {
  return to_result<T>(cancel, [&]() -> T {
    check_loaded();
    try {
      return body();
    } catch (const c10::Error& e) {
      if (is_shortage(e.what_without_backtrace())) devices_.found_short();
      throw;
    }
  });
}

Result<FrameList> VidiSession::encode_images(const std::vector<Frame>& frames,
                                             const Cancel& cancel) noexcept {
  return with_weights<FrameList>(cancel, [&] { return devices_.encode_images(frames, cancel); });
}

Result<std::shared_ptr<const AudioFeatures>> VidiSession::encode_audio(
    const float* samples, int n, const Cancel& cancel) noexcept {
  return with_weights<std::shared_ptr<const AudioFeatures>>(
      cancel, [&] { return devices_.encode_audio(samples, n, cancel); });
}

Result<std::vector<double>> VidiSession::similarities(const FrameFeatures& reference,
                                                      const FrameList& frames) noexcept {
  return to_result<std::vector<double>>([&] { return similarities_to(reference, frames); });
}

Result<std::shared_ptr<PartialWindow>> VidiSession::begin_window(size_t n_frames) noexcept {
  return with_weights<std::shared_ptr<PartialWindow>>(Cancel(),
                                                      [&] { return devices_.begin(n_frames); });
}

Result<std::shared_ptr<PartialWindow>> VidiSession::begin_complete_window(
    const WindowSize& size) noexcept {
  return with_weights<std::shared_ptr<PartialWindow>>(
      Cancel(), [&] { return devices_.begin_complete(size); });
}

Result<bool> VidiSession::append(PartialWindow& partial, size_t first, const FrameList& frames,
                                 const Cancel& cancel) noexcept {
  return with_weights<bool>(cancel,
                            [&] { return devices_.append(partial, first, frames, cancel), true; });
}

Result<std::shared_ptr<const Encoded>> VidiSession::encode(const Window& window,
                                                           const Cancel& cancel) noexcept {
  return with_weights<std::shared_ptr<const Encoded>>(
      cancel, [&] { return devices_.encode(window, cancel); });
}

Result<std::vector<Answer>> VidiSession::ask(const Encoded& encoded,
                                             const std::vector<Query>& queries,
                                             const AskOptions& options,
                                             const Cancel& cancel) noexcept {
  return with_weights<std::vector<Answer>>(
      cancel, [&] { return answerer_.ask(encoded, queries, options, cancel); });
}

std::vector<Answer> VidiSession::ask_ids(const Encoded& encoded,
                                         const std::vector<std::vector<int>>& prompts,
                                         const AskOptions& options, const Cancel& cancel) {
  c10::InferenceMode inference;
  return answerer_.ask_ids(encoded, prompts, options, cancel);
}

std::unique_ptr<AnswerBatch> VidiSession::begin_answers() noexcept {
  try {
    return std::make_unique<JointAnswers>(answerer_, [this] { check_loaded(); });
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// What cannot be told now is left to the window's own attempt.
bool VidiSession::has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const noexcept {
  const auto room = to_result<bool>([&] {
    return !devices_.is_loaded() || devices_.has_room(n_frames, n_samples, has_pictures);
  });
  return !room || *room;
}

void VidiSession::unload() noexcept {
  why_unloaded_ = {ErrorCode::kInternal, "the model's weights are not loaded"};
  (void)to_result<bool>([&] { return devices_.unload(), answerer_.forget_sizes(), true; });
}

Result<bool> VidiSession::load(const Cancel& cancel) noexcept {
  if (devices_.is_loaded()) return true;
  const auto loaded = to_result<bool>(cancel, [&] { return devices_.load(source_, cancel), true; });
  if (loaded) return true;
  unload();  // what came before the error
  why_unloaded_ = loaded.error();
  // It fitted before, and may do so again: other programs come and go.
  if (why_unloaded_.code == ErrorCode::kOverLimit) why_unloaded_.code = ErrorCode::kOutOfMemory;
  return why_unloaded_;
}

int64_t VidiSession::device_memory_bytes() const noexcept {
  const auto held = to_result<int64_t>([&] { return devices_.device_memory_bytes(); });
  return held ? *held : 0;
}

void VidiSession::free_caches() noexcept {
  (void)to_result<bool>([&] { return devices_.free_caches(), true; });
}

}  // namespace vidi
