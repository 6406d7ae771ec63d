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
  const int64_t own = share().n_frames(static_cast<int64_t>(n_frames));
  return own == 0 ? 0 : own * tokens_per_frame(n_frames);
}

PictureKeys PictureStream::begin(size_t n_frames, int64_t piece) const {
  PictureKeys keys;
  keys.n_all = n_frames;
  keys.piece = piece;
  keys.per_piece = frames_of(piece, tokens_per_frame(n_frames));
  keys.time_codes = model_.projector().time_codes(static_cast<int64_t>(n_frames));
  keys.done.resize(share().n_frames(static_cast<int64_t>(n_frames)));
  model_.decoder().add_media(keys.cache, Modality::kImage, n_tokens(n_frames));
  keys.held = memory_.count_keys(n_tokens(n_frames), 0);
  return keys;
}

// What other devices have looked at comes here: a picture's features, not its keys and values.
void PictureStream::append(PictureKeys& keys, size_t first, const FrameList& frames, int64_t piece,
                           const Cancel& cancel) const {
  const Projector& projector = model_.projector();
  const auto all = static_cast<int64_t>(keys.n_all), begin = static_cast<int64_t>(first);
  const int64_t per_frame = projector.tokens_per_frame(all);
  const auto step = static_cast<int64_t>(frames_of(piece, per_frame));
  const int64_t last = share().first_from(begin + static_cast<int64_t>(frames.size()));
  for (int64_t own = share().first_from(begin); own < last; own += step) {
    const int64_t end = std::min(last, own + step);
    std::vector<at::Tensor> patches;
    for (int64_t i = own; i < end; ++i) {
      const auto& frame = own_kind<TowerFrame>(frames[share().place(i) - begin].get(), "a frame");
      patches.push_back(frame.patches.to(model_.device(), model_.dtype()));
    }
    const at::Tensor codes =
        keys.time_codes.slice(0, share().place(own), share().place(end - 1) + 1, share().of);
    at::Tensor tokens = projector.image_tokens(at::stack(patches), codes, all, tap_);
    model_.decoder().prefill_media(tokens, Modality::kImage, own * per_frame, keys.cache, cancel,
                                   piece);
    for (int64_t i = own; i < end; ++i) keys.done[i] = Appended(frames[share().place(i) - begin]);
  }
}

bool PictureStream::check_partial(const Window& window) const {
  auto* given = dynamic_cast<PictureKeys*>(window.partial.get());
  if (!given) return false;
  const size_t n = window.frames.size();
  if (n > 0 && given->n_all == n) return true;
  *given = PictureKeys();
  return false;
}

// What the partial window has not, in runs of neighbours.
MediaCache PictureStream::finish(const Window& window, int64_t piece, const Cancel& cancel) const {
  PictureKeys keys = check_partial(window)
                         ? std::exchange(dynamic_cast<PictureKeys&>(*window.partial), PictureKeys())
                         : begin(window.frames.size(), piece);
  const size_t n = keys.done.size();
  const auto frame = [&](size_t own) {
    return window.frames.begin() + share().place(static_cast<int64_t>(own));
  };
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && !keys.done[end].is(*frame(end))) ++end;
    if (end > i) {
      const auto first = static_cast<size_t>(frame(i) - window.frames.begin());
      append(keys, first, {frame(i), frame(end - 1) + 1}, piece, cancel);
    }
    i = end + 1;
  }
  return std::move(keys.cache);
}

}  // namespace vidi
