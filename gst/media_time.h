// Times of the stream as everything in gst/ that knows no GStreamer sees them.
#pragma once

#include <chrono>
#include <limits>

namespace vidi {

// A PTS or a length. GstClockTime on the GStreamer side; signed here, so that differences are
// plain.
using Time = std::chrono::nanoseconds;

inline constexpr Time kForever{std::numeric_limits<int64_t>::max()};

}  // namespace vidi
