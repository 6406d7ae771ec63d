#include "losses.h"

#include <algorithm>

namespace {

constexpr size_t kFewSeconds = 2;  // an end, a place where decoding begins anew
constexpr GstClockTime kLongestLength = 24 * 3600 * GST_SECOND;

std::string only(guint64 seconds, guint64 of, const std::string& what) {
  return "only " + std::to_string(seconds) + " of " + std::to_string(of) + " s" + what;
}

guint64 rounded(GstClockTime time) { return (time + GST_SECOND / 2) / GST_SECOND; }

// Seconds between its first and its last in which nothing came.
size_t holes(const std::set<guint64>& seconds) {
  return seconds.empty() ? 0 : *seconds.rbegin() - *seconds.begin() + 1 - seconds.size();
}

}  // namespace

std::string undecoded(const std::vector<const DecodedStream*>& streams, Kind kind) {
  const std::string what = kind == Kind::kSound ? " of its sound" : " of its pictures";
  DecodedStream::Seconds sum;
  for (const DecodedStream* stream : streams) {
    const auto some = stream->seconds();
    sum.all += some.all, sum.lost += some.lost;
    if (kind == Kind::kSound && stream->stands_still())
      return "its sound was not heard: all of it comes with one and the same time";
  }
  if (sum.lost < kFewSeconds) return "";
  return only(sum.all - sum.lost, sum.all, what + " could be decoded");
}

std::string unread(const std::vector<const DecodedStream*>& watched,
                   const std::vector<const DecodedStream*>& others, GstClockTime length,
                   bool states_length) {
  GstClockTime reach = 0, may_reach = 0;
  std::set<guint64> seconds;
  bool has_sound = false;  // pictures alone may stand
  for (const DecodedStream* stream : watched) {
    reach = std::max(reach, stream->reach());
    may_reach = std::max(may_reach, stream->reach() + stream->slack());
    has_sound |= stream->watched() == Kind::kSound;
    stream->add_to(&seconds);
  }
  for (const DecodedStream* stream : others) may_reach = std::max(may_reach, stream->reach());
  const size_t n_holes = has_sound && states_length ? holes(seconds) : 0;
  const bool ends_early = states_length && GST_CLOCK_TIME_IS_VALID(length) &&
                          length < kLongestLength && length < 4 * reach &&
                          may_reach + std::max(kFewSeconds * GST_SECOND, length / 50) < length;
  const guint64 all = rounded(ends_early ? length : reach);
  if (!ends_early && n_holes < kFewSeconds) return "";
  return only(rounded(reach) - std::min<guint64>(n_holes, rounded(reach)), all,
              " came, the rest is missing or damaged");
}
