// The engine's own Session: which object does what, one line a call. Also what tests and vidi-trace
// need beside the API. Uses torch: not for the element.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/session.h"
#include "model/session/device_group.h"
#include "model/session/question_answerer.h"
#include "model/tap.h"

namespace vidi {

class VidiSession final : public Session {
 public:
  // These two throw; Session::open is the API's.
  static std::unique_ptr<VidiSession> load(const OpenOptions& options, const Cancel& cancel);
  // A model of the given shapes with random weights, and no tokenizer: ask() is not for it,
  // ask_ids() is.
  static std::unique_ptr<VidiSession> random(const ModelConfig& config, CheckpointFiles shapes,
                                             const OpenOptions& options, uint64_t seed);

  ModelInfo info() const noexcept override { return devices_.info(); }
  Result<FrameList> encode_images(const std::vector<Frame>& frames,
                                  const Cancel& cancel) noexcept override;
  Result<std::shared_ptr<const AudioFeatures>> encode_audio(const float* samples, int n,
                                                            const Cancel& cancel) noexcept override;
  Result<std::vector<double>> similarities(const FrameFeatures& reference,
                                           const FrameList& frames) noexcept override;
  Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept override;
  Result<std::shared_ptr<PartialWindow>> begin_complete_window(
      const WindowSize& size) noexcept override;
  Result<bool> append(PartialWindow& partial, size_t first, const FrameList& frames,
                      const Cancel& cancel) noexcept override;
  Result<std::shared_ptr<const Encoded>> encode(const Window& window,
                                                const Cancel& cancel) noexcept override;
  Result<std::vector<Answer>> ask(const Encoded& encoded, const std::vector<Query>& queries,
                                  const AskOptions& options,
                                  const Cancel& cancel) noexcept override;
  std::unique_ptr<AnswerBatch> begin_answers() noexcept override;
  bool has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const noexcept override;
  void unload() noexcept override;
  Result<bool> load(const Cancel& cancel) noexcept override;
  int64_t device_memory_bytes() const noexcept override;
  void free_caches() noexcept override;

  // QuestionAnswerer::ask_ids(), for models without a tokenizer. Throws.
  std::vector<Answer> ask_ids(const Encoded& encoded, const std::vector<std::vector<int>>& prompts,
                              const AskOptions& options, const Cancel& cancel);
  AnswerTable new_table() { return answerer_.new_table(); }  // likewise, of several windows

  // From now on every answer has max_new_tokens tokens: for benchmarks.
  void fix_answer_lengths() { answerer_.fix_lengths(); }
  // Every stage is reported to `tap` from now on; an empty one ends that.
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  // The parts, for tests and for benchmarks that time them one by one; of several devices the
  // first's.
  const DeviceModel& model() const { return devices_.part(0).model; }
  const DeviceMemory& memory() const { return devices_.part(0).memory; }
  size_t frames_at_once() const { return devices_.part(0).features.frames_at_once(); }
  const DeviceGroup& devices() const { return devices_; }

 private:
  VidiSession(const ModelConfig& config, std::optional<Tokenizer> tokenizer,
              const OpenOptions& options);
  void check_loaded() const;
  template <class T, class Body>
  Result<T> with_weights(const Cancel& cancel, Body body) noexcept;

  DeviceGroup::Source source_;
  Error why_unloaded_;
  Tap tap_;
  DeviceGroup devices_;
  QuestionAnswerer answerer_;
};

}  // namespace vidi
