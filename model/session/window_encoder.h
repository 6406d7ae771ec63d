// A window's features to the keys and values of every layer: a whole window, or its pictures while
// it still fills. No question yet. One thread at a time; throws EngineError.
#pragma once

#include <memory>
#include <vector>

#include "model/session/encoded_window.h"
#include "model/session/picture_stream.h"

namespace vidi {

class WindowEncoder {
 public:
  // What is given must outlive it.
  WindowEncoder(const DeviceModel& model, DeviceMemory& memory, const Tap& tap)
      : model_(model), memory_(memory), tap_(tap), pictures_(model, memory, tap) {}

  // These four as the API says (model/session.h).
  std::shared_ptr<PartialWindow> begin(size_t n_frames) const;
  std::shared_ptr<PartialWindow> begin_complete(const WindowSize& size);
  void append(PartialWindow& partial, size_t first, const FrameList& frames,
              const Cancel& cancel) const;
  // Where devices share windows, this one's share.
  std::shared_ptr<EncodedWindow> encode(const Window& window, const Cancel& cancel);
  // Throws where encode() would have no room, before anything of the window is touched.
  void check_room(const Window& window);

  // As Session::has_room().
  bool has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const;

 private:
  // A window's stretches, one after the other.
  struct Sound {
    std::vector<at::Tensor> states;  // the encoder's
    int64_t audio_size = 0;          // frames of the log-mel picture that the samples fill
    int64_t n_tokens = 0;            // of the window
    int64_t first = 0, n_own = 0;    // of them, this device's
    at::Tensor joined(int64_t first, int64_t n, const at::TensorOptions& options) const;  // steps
  };
  Sound take_sound(const Window& window) const;
  int64_t n_audio_tokens(int64_t audio_size) const;  // of the whole window
  int64_t own_audio_tokens(int64_t n_samples) const;
  WindowNeed need_of(const Window& window, const Sound& sound) const;
  std::shared_ptr<EncodedWindow> encode_in_room(const Window& window, const Sound& sound,
                                                const Cancel& cancel);
  std::shared_ptr<EncodedWindow> encode_in_pieces(const Window& window, const Sound& sound,
                                                  int64_t piece, const Cancel& cancel) const;
  void add_sound(MediaCache& cache, const Sound& sound, int64_t piece, const Cancel& cancel) const;
  void tap_keys(const MediaCache& cache) const;

  const DeviceModel& model_;
  DeviceMemory& memory_;
  const Tap& tap_;
  PictureStream pictures_;
};

}  // namespace vidi
