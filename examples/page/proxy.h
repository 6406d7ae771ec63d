// A small copy of a film that every browser plays (WebM: VP8 and Vorbis), to be put into a page. It
// begins with the film's first picture.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <string>

#include "examples/common/tracks.h"

// The copy takes no more: 64 MB, 85 MB in the page. A longer film gets fewer bits a second, down to
// where nothing could be seen: of more than about an hour and a half there is none.
constexpr size_t kMostProxyBytes = 64'000'000;

struct ProxyWish {
  std::string uri;
  TrackWishes tracks;
  GstClockTime duration = GST_CLOCK_TIME_NONE;  // of the film
  int width = 0, height = 0;                    // of its pictures; 0: not known
};

// Why there can be no copy of such a film; an empty string when there can.
std::string why_no_proxy(const ProxyWish& wish);

// Blocks until it is made or `interrupted`; `on_progress` hears how much of the film is done, 0 to
// 1. `begin`: the film's time at the copy's 0, which a transport stream does not begin with.
// Returns an empty string, or why there is none.
std::string make_proxy(const ProxyWish& wish, const std::atomic<bool>& interrupted,
                       const std::function<void(double)>& on_progress, std::string* webm,
                       GstClockTime* begin = nullptr);
