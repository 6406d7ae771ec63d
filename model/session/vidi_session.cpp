#include "model/session/vidi_session.h"

#include <c10/core/InferenceMode.h>

#include "model/checkpoint/open_checkpoint.h"

namespace vidi {

VidiSession::VidiSession(ModelConfig config, std::optional<Tokenizer> tokenizer,
                         const OpenOptions& options)
    : model_(std::move(config), options), memory_(model_), tokenizer_(std::move(tokenizer)) {
  if (tokenizer_) draft_.emplace(*tokenizer_);
}

void VidiSession::load_weights(Weights weights, const OpenOptions& options, const Cancel& cancel) {
  memory_.explained("loading the model", [&] { model_.load(std::move(weights), options, cancel); });
}

std::unique_ptr<VidiSession> VidiSession::load(const OpenOptions& options, const Cancel& cancel) {
  c10::InferenceMode inference;
  Checkpoint checkpoint = open_checkpoint(options.folder);
  const ModelConfig& config = checkpoint.config;
  Tokenizer tokenizer = Tokenizer::open(options.folder, config.prompt, config.decoder.vocab);
  std::unique_ptr<VidiSession> session(
      new VidiSession(std::move(checkpoint.config), std::move(tokenizer), options));
  const DeviceModel& model = session->model_;
  session->load_weights({std::move(checkpoint.files), model.device(), model.dtype()}, options,
                        cancel);
  return session;
}

std::unique_ptr<VidiSession> VidiSession::random(const ModelConfig& config, CheckpointFiles shapes,
                                                 const OpenOptions& options, uint64_t seed) {
  c10::InferenceMode inference;
  std::unique_ptr<VidiSession> session(new VidiSession(config, std::nullopt, options));
  const DeviceModel& model = session->model_;
  session->load_weights(Weights::random(std::move(shapes), model.device(), model.dtype(), seed),
                        options, Cancel());
  return session;
}

}  // namespace vidi
