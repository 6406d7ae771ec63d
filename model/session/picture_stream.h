// The pictures of a window as keys and values: all at once, or while the window still fills. One
// thread at a time; throws EngineError.
#pragma once

#include <memory>
#include <vector>

#include "model/cancel.h"
#include "model/decoder/kv_cache.h"
#include "model/device/held_bytes.h"
#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/tap.h"
#include "model/window.h"

namespace vidi {

// A window's pictures as far as they have come.
struct PictureKeys final : PartialWindow {
  MediaCache cache;
  at::Tensor time_codes;
  FrameList done;  // by place; null: not yet
  HeldBytes held;
  size_t n_frames() const override { return done.size(); }
};

class PictureStream {
 public:
  // What is given must outlive it.
  PictureStream(const DeviceModel& model, const DeviceMemory& memory, const Tap& tap)
      : model_(model), memory_(memory), tap_(tap) {}

  // Room for a window of `n_frames` pictures.
  PictureKeys begin(size_t n_frames) const;
  // Makes the keys and values of pictures first, first + 1 ..., at most `piece` tokens at a time.
  void append(PictureKeys& keys, size_t first, const FrameList& frames, int64_t piece,
              const Cancel& cancel) const;
  // Keys and values of all of the window's pictures, those of its partial window among them, which
  // is empty afterwards.
  MediaCache finish(const Window& window, int64_t piece, const Cancel& cancel) const;
  // Whether the window's partial one is of use; one that is not becomes empty.
  bool check_partial(const Window& window) const;
  int64_t n_tokens(size_t n_frames) const;

 private:
  const DeviceModel& model_;
  const DeviceMemory& memory_;
  const Tap& tap_;
};

}  // namespace vidi
