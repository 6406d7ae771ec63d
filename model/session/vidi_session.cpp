#include "model/session/vidi_session.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "model/checkpoint/open_checkpoint.h"
#include "model/device/device.h"
#include "model/device/host_memory.h"

namespace vidi {
namespace {

const char* family_name(Family family) { return family == Family::kVidi15 ? "vidi1.5" : "vidi-7b"; }

// Their weights by name, handles.
std::vector<at::Tensor> tower_weights(
    const std::vector<std::pair<std::string, at::Tensor>>& weights) {
  std::vector<at::Tensor> found;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud."))
      found.push_back(tensor);
  }
  return found;
}

}  // namespace

void VidiSession::choose_place(const OpenOptions& options) {
  device_ = choose_device(options.device, &why_no_gpu_);
  dtype_ = choose_dtype(options.precision, device_);
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  limit_ = MemoryLimit(device_, static_cast<int64_t>(std::min(options.memory_limit, kMost)));
}

// Towers, projector and decoder say what they need; then everything is read at once.
void VidiSession::load_weights(Weights weights, const OpenOptions& options, const Cancel& cancel) {
  const auto start = std::chrono::steady_clock::now();
  forbid_tf32();
  leave_out_onednn_without_midr();
  bound_threads();
  vision_.take(weights, config_.vision);
  audio_.take(weights, config_.audio);
  projector_.take(weights, config_);
  decoder_.take(weights, config_.decoder);
  check_weights_fit(limit_.bytes(), weights.bytes_taken(), precision_name(dtype_),
                    device_.is_cuda() && dtype_ == at::kFloat);
  if (!device_.is_cuda())
    check_host_has_room(available_memory(), weights.bytes_taken(), why_no_gpu_);
  try {
    weights.load(options.progress, cancel);
  } catch (const c10::OutOfMemoryError&) {
    if (!limited()) throw;
    explain_shortage("loading the model");
  }
  weights_ = weights.loaded();
  towers_ = Offload(tower_weights(weights_));
  if (limited()) free_device_cache(device_);  // what loading needed
  synchronize(device_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const PromptConfig& prompt = config_.prompt;
  info_ = {device_.str(),
           precision_name(dtype_),
           family_name(prompt.family),
           weights.bytes_taken(),
           took.count(),
           prompt.prompts.count("highlight") > 0,
           device_.is_cuda() ? "" : why_no_gpu_,
           weights.unused()};
}

std::unique_ptr<VidiSession> VidiSession::load(const OpenOptions& options, const Cancel& cancel) {
  c10::InferenceMode inference;
  auto session = std::unique_ptr<VidiSession>(new VidiSession);
  VidiSession& s = *session;
  Checkpoint checkpoint = open_checkpoint(options.folder);
  s.config_ = std::move(checkpoint.config);
  s.tokenizer_ = std::make_unique<Tokenizer>(
      Tokenizer::open(options.folder, s.config_.prompt, s.config_.decoder.vocab));
  s.draft_ = std::make_unique<AnswerDraft>(*s.tokenizer_);
  s.choose_place(options);
  s.load_weights(Weights(std::move(checkpoint.files), s.device_, s.dtype_), options, cancel);
  return session;
}

std::unique_ptr<VidiSession> VidiSession::random(const ModelConfig& config, CheckpointFiles shapes,
                                                 const OpenOptions& options, uint64_t seed) {
  c10::InferenceMode inference;
  auto session = std::unique_ptr<VidiSession>(new VidiSession);
  VidiSession& s = *session;
  s.config_ = config;
  s.choose_place(options);
  s.load_weights(Weights::random(std::move(shapes), s.device_, s.dtype_, seed), options, Cancel());
  return session;
}

}  // namespace vidi
