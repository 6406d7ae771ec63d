// The devices of a session, usually one. Several share each window: every one of them has the whole
// model, looks at some of the pictures and listens to some of the sound, and keeps the keys and
// values of its share of the window (window_share.h). Questions are read on the first one, whose
// attention is put together from all of them (decoder/window_attention.h).
//
// The calls are as the API says (model/session.h). One thread at a time; throws EngineError and
// what libtorch throws. Where there are several devices, what one of them throws becomes an
// EngineError that names it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/session/device_part.h"
#include "model/session/device_threads.h"
#include "model/session/encoded_window.h"

namespace vidi {

class DeviceGroup {
 public:
  // Where the weights come from, each time that they are loaded.
  using Source = std::function<Weights(at::Device, at::ScalarType)>;

  // Of options.device, which is a list where windows are split; `tap` must outlive the group.
  DeviceGroup(const ModelConfig& config, const OpenOptions& options, const Tap& tap);

  void load(const Source& source, const Cancel& cancel);
  void unload();
  bool is_loaded() const;
  ModelInfo info() const;

  FrameList encode_images(const std::vector<Frame>& frames, const Cancel& cancel);
  std::shared_ptr<const AudioFeatures> encode_audio(const float* samples, int n,
                                                    const Cancel& cancel);
  std::shared_ptr<PartialWindow> begin(size_t n_frames);
  std::shared_ptr<PartialWindow> begin_complete(const WindowSize& size);
  void append(PartialWindow& partial, size_t first, const FrameList& frames, const Cancel& cancel);
  std::shared_ptr<const Encoded> encode(const Window& window, const Cancel& cancel);
  bool has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const;

  void found_short();  // as DeviceMemory's, of all
  int64_t device_memory_bytes() const;
  void free_caches() const;

  size_t size() const { return parts_.size(); }
  DevicePart& first() { return *parts_.front(); }  // where questions are read
  const DevicePart& part(size_t i) const { return *parts_[i]; }

 private:
  bool is_one() const { return parts_.size() == 1; }
  std::string name(size_t i) const;
  void each(const Cancel& cancel, const std::function<void(size_t)>& body);
  void each_in_turn(const std::function<void(size_t)>& body) const;
  template <class Begin>
  std::shared_ptr<PartialWindow> begin_parts(Begin begin);
  size_t part_of_next(size_t n);
  std::vector<at::Device> devices() const;

  const OpenOptions options_;
  const Tap& tap_;
  std::vector<std::unique_ptr<DevicePart>> parts_;
  std::unique_ptr<DeviceThreads> threads_;  // null: one part
  size_t next_ = 0;  // whose turn it is to look at a single picture, or to listen
};

}  // namespace vidi
