#include "model/session/picture_stream.h"

#include <algorithm>
#include <utility>

#include "kernels/aten.h"
#include "model/towers/tower_features.h"

namespace vidi {

namespace {

size_t frames_of(int64_t piece, int64_t per_frame) {
  return static_cast<size_t>(std::max<int64_t>(1, piece / per_frame));
}

}  // namespace

int64_t PictureStream::tokens_per_frame(size_t n_frames) const {
  return model_.projector().tokens_per_frame(static_cast<int64_t>(n_frames));
}

int64_t PictureStream::n_tokens(size_t n_frames) const {
  return n_frames == 0 ? 0 : static_cast<int64_t>(n_frames) * tokens_per_frame(n_frames);
}

PictureKeys PictureStream::begin(size_t n_frames, int64_t piece) const {
  PictureKeys keys;
  keys.piece = piece;
  keys.per_piece = frames_of(piece, tokens_per_frame(n_frames));
  keys.time_codes = model_.projector().time_codes(static_cast<int64_t>(n_frames));
  keys.done.resize(n_frames);
  model_.decoder().add_media(keys.cache, Modality::kImage, n_tokens(n_frames));
  keys.held = memory_.count_keys(n_tokens(n_frames), 0);
  return keys;
}

void PictureStream::append(PictureKeys& keys, size_t first, const FrameList& frames, int64_t piece,
                           const Cancel& cancel) const {
  const Projector& projector = model_.projector();
  const auto all = static_cast<int64_t>(keys.done.size());
  const int64_t per_frame = projector.tokens_per_frame(all);
  const size_t step = frames_of(piece, per_frame);
  for (size_t at = 0; at < frames.size(); at += step) {
    std::vector<at::Tensor> patches;
    for (size_t i = at; i < std::min(frames.size(), at + step); ++i) {
      patches.push_back(own_kind<TowerFrame>(frames[i].get(), "a frame").patches);
    }
    const auto place = static_cast<int64_t>(first + at);
    at::Tensor tokens =
        projector.image_tokens(at::stack(patches), place, all, keys.time_codes, tap_);
    model_.decoder().prefill_media(tokens, Modality::kImage, place * per_frame, keys.cache, cancel,
                                   piece);
    for (size_t i = 0; i < patches.size(); ++i)
      keys.done[first + at + i] = Appended(frames[at + i]);
  }
}

bool PictureStream::check_partial(const Window& window) const {
  auto* given = dynamic_cast<PictureKeys*>(window.partial.get());
  if (!given) return false;
  const size_t n = window.frames.size();
  if (n > 0 && given->done.size() == n && given->cache.has(Modality::kImage)) return true;
  *given = PictureKeys();
  return false;
}

// What the partial window has not, in runs of neighbours.
MediaCache PictureStream::finish(const Window& window, int64_t piece, const Cancel& cancel) const {
  const size_t n = window.frames.size();
  PictureKeys keys = check_partial(window)
                         ? std::exchange(dynamic_cast<PictureKeys&>(*window.partial), PictureKeys())
                         : begin(n, piece);
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && !keys.done[end].is(window.frames[end])) ++end;
    if (end > i) {
      const auto first = window.frames.begin() + static_cast<std::ptrdiff_t>(i);
      append(keys, i, {first, first + static_cast<std::ptrdiff_t>(end - i)}, piece, cancel);
    }
    i = end + 1;
  }
  return std::move(keys.cache);
}

}  // namespace vidi
