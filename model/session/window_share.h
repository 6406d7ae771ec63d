// What of each window is one device's, where several share it: every so manieth picture, so that
// any piece of the window is work for all of them, and a stretch of the sound's tokens. Torch-free.
#pragma once

#include <cstdint>

#include "model/window.h"

namespace vidi {

struct WindowShare {
  int64_t index = 0, of = 1;

  int64_t n_frames(int64_t all) const { return all <= index ? 0 : (all - index + of - 1) / of; }
  int64_t place(int64_t own) const { return own * of + index; }  // in the window
  // The first of its pictures at `place` or behind, counted among its own.
  int64_t first_from(int64_t place) const { return n_frames(place); }

  int64_t first_sound(int64_t all) const { return all * index / of; }
  int64_t n_sound(int64_t all) const { return all * (index + 1) / of - first_sound(all); }

  // Of pictures that are looked at wherever there is time, as many as come to each.
  size_t evenly(size_t all) const {
    const auto n = static_cast<size_t>(of);
    return (all + n - 1) / n;
  }
  WindowSize size(WindowSize all) const {
    all.n_unseen = evenly(all.n_unseen), all.n_shared = evenly(all.n_shared);
    return all;
  }
};

}  // namespace vidi
