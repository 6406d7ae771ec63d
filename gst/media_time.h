// Times of the stream as everything in gst/ that knows no GStreamer sees them.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace vidi {

// A PTS or a length. GstClockTime on the GStreamer side; signed here, so that differences are
// plain.
using Time = std::chrono::nanoseconds;

inline constexpr Time kForever{std::numeric_limits<int64_t>::max()};

// Times beyond 73 years are damage: sums and differences of all others stay inside a Time.
inline constexpr Time kFarthestTime = kForever / 4;
inline bool is_possible(Time t) { return t > -kFarthestTime && t < kFarthestTime; }
// Of a GstClockTime, whose NONE is beyond it as well.
inline bool is_possible(uint64_t t) { return t < static_cast<uint64_t>(kFarthestTime.count()); }

}  // namespace vidi
