// The pictures of a window as keys and values: all at once, or a piece after the other. One thread
// at a time; throws EngineError.
#pragma once

#include <memory>
#include <vector>

#include "model/cancel.h"
#include "model/decoder/kv_cache.h"
#include "model/device/held_bytes.h"
#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/session/window_share.h"
#include "model/tap.h"
#include "model/window.h"

namespace vidi {

// Which features were appended at a place. They are told from others when they are gone, too.
class Appended {
 public:
  Appended() = default;
  explicit Appended(const std::shared_ptr<const FrameFeatures>& features)
      : features_(features), is_done_(true) {}
  // Null stands for them.
  bool is(const std::shared_ptr<const FrameFeatures>& features) const {
    const bool same = !features_.owner_before(features) && !features.owner_before(features_);
    return is_done_ && (!features || same);
  }

 private:
  std::weak_ptr<const FrameFeatures> features_;
  bool is_done_ = false;
};

// A window's pictures as far as they have come; of a window that devices share, this one's.
struct PictureKeys final : PartialWindow {
  size_t n_all = 0;  // pictures of the window; 0: this is empty
  MediaCache cache;
  at::Tensor time_codes;       // of all of them
  std::vector<Appended> done;  // in order
  int64_t piece = kStreamTokens;
  size_t per_piece = 1;  // pictures
  HeldBytes held;
  size_t n_frames() const override { return n_all; }
  size_t frames_per_piece() const override { return per_piece; }
};

class PictureStream {
 public:
  // What is given must outlive it.
  PictureStream(const DeviceModel& model, const DeviceMemory& memory, const Tap& tap)
      : model_(model), memory_(memory), tap_(tap) {}

  // Room for a window of `n_frames` pictures, which are to come in pieces of so many tokens.
  PictureKeys begin(size_t n_frames, int64_t piece) const;
  // Makes the keys and values of the window's pictures first, first + 1 ..., at most `piece` tokens
  // at a time: of those that are this device's.
  void append(PictureKeys& keys, size_t first, const FrameList& frames, int64_t piece,
              const Cancel& cancel) const;
  // Keys and values of all of the window's pictures, those of its partial window among them, which
  // is empty afterwards.
  MediaCache finish(const Window& window, int64_t piece, const Cancel& cancel) const;
  // Whether the window's partial one is of use; one that is not becomes empty.
  bool check_partial(const Window& window) const;
  int64_t n_tokens(size_t n_frames) const;  // that are this device's

 private:
  int64_t tokens_per_frame(size_t n_frames) const;
  const WindowShare& share() const { return model_.share(); }
  const DeviceModel& model_;
  const DeviceMemory& memory_;
  const Tap& tap_;
};

}  // namespace vidi
