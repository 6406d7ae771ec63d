// The pictures of a window as keys and values: all at once, or while the window still fills.
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "kernels/aten.h"
#include "model/device/device.h"
#include "model/session/vidi_session.h"
#include "model/to_result.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

// What a partial window leaves of the device's memory: the window's sound, questions, workspace.
constexpr int64_t kSpareBytes = int64_t{2} << 30;

}  // namespace

struct VidiSession::Prepared final : PartialWindow {
  MediaCache cache;
  at::Tensor time_codes;
  FrameList done;  // by place; null: not yet
  HeldBytes held;
  size_t n_frames() const override { return done.size(); }
};

VidiSession::Prepared VidiSession::make_prepared(size_t n_frames) const {
  const auto n = static_cast<int64_t>(n_frames);
  Prepared prepared;
  prepared.time_codes = model_.projector().time_codes(n);
  prepared.done.resize(n_frames);
  const int64_t n_tokens = n * model_.projector().tokens_per_frame(n);
  model_.decoder().add_media(prepared.cache, Modality::kImage, n_tokens);
  prepared.held = memory_.count_keys(n_tokens, 0);
  return prepared;
}

void VidiSession::stream_frames(Prepared& prepared, size_t first, const FrameList& frames,
                                int64_t piece, const Cancel& cancel) {
  const auto all = static_cast<int64_t>(prepared.done.size());
  const int64_t per_frame = model_.projector().tokens_per_frame(all);
  const auto step = static_cast<size_t>(std::max<int64_t>(1, piece / per_frame));
  for (size_t at = 0; at < frames.size(); at += step) {
    std::vector<at::Tensor> patches;
    for (size_t i = at; i < std::min(frames.size(), at + step); ++i) {
      patches.push_back(own_kind<TowerFrame>(frames[i].get(), "a frame").patches);
    }
    const auto place = static_cast<int64_t>(first + at);
    at::Tensor tokens =
        model_.projector().image_tokens(at::stack(patches), place, all, prepared.time_codes, tap_);
    model_.decoder().prefill_media(tokens, Modality::kImage, place * per_frame, prepared.cache,
                                   cancel, piece);
    for (size_t i = 0; i < patches.size(); ++i) prepared.done[first + at + i] = frames[at + i];
  }
}

bool VidiSession::check_prepared(const Window& window) const {
  auto given = std::dynamic_pointer_cast<Prepared>(window.partial);
  if (!given) return false;
  const size_t n = window.frames.size();
  if (n > 0 && given->done.size() == n && given->cache.has(Modality::kImage)) return true;
  *given = Prepared();
  return false;
}

// What the partial window has not, in runs of neighbours.
MediaCache VidiSession::picture_keys(const Window& window, int64_t piece, const Cancel& cancel) {
  const size_t n = window.frames.size();
  Prepared prepared =
      check_prepared(window)
          ? std::exchange(*std::dynamic_pointer_cast<Prepared>(window.partial), Prepared())
          : make_prepared(n);
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && !(prepared.done[end] && prepared.done[end] == window.frames[end])) ++end;
    if (end > i) {
      const auto begin = window.frames.begin();
      stream_frames(
          prepared, i,
          {begin + static_cast<std::ptrdiff_t>(i), begin + static_cast<std::ptrdiff_t>(end)}, piece,
          cancel);
    }
    i = end + 1;
  }
  return std::move(prepared.cache);
}

Result<std::shared_ptr<PartialWindow>> VidiSession::begin_window(size_t n_frames) noexcept {
  return to_result<std::shared_ptr<PartialWindow>>([&]() -> std::shared_ptr<PartialWindow> {
    if (n_frames < 2) {
      throw EngineError(ErrorCode::kBadInput, "a window of " + std::to_string(n_frames) +
                                                  " frames to begin, expected at least 2");
    }
    const auto n = static_cast<int64_t>(n_frames);
    const int64_t bytes = model_.decoder().media_bytes(n * model_.projector().tokens_per_frame(n));
    if (memory_.room_ahead() < bytes + kSpareBytes) return nullptr;
    return std::make_shared<Prepared>(make_prepared(n_frames));
  });
}

Result<bool> VidiSession::append(PartialWindow& partial, size_t first, const FrameList& frames,
                                 const Cancel& cancel) noexcept {
  return to_result<bool>(cancel, [&] {
    auto* own = dynamic_cast<Prepared*>(&partial);
    if (!own || !own->cache.has(Modality::kImage) || first > own->done.size() ||
        frames.size() > own->done.size() - first) {
      throw EngineError(ErrorCode::kBadInput, std::to_string(frames.size()) + " frames from " +
                                                  std::to_string(first) +
                                                  " on for a partial window of " +
                                                  std::to_string(partial.n_frames()) + " frames");
    }
    stream_frames(*own, first, frames, kStreamTokens, cancel);
    return true;
  });
}

}  // namespace vidi
