#include "examples/ask/losses.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

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

// Nothing where several had the same packets, one after the other: whose are whose is not known.
std::optional<GstClockTime> own_extent(const TransportCheck& stream,
                                       const std::vector<const DecodedStream*>& watched,
                                       const DecodedStream& track) {
  const auto pid = track.pid();
  const auto has_it = [&](const DecodedStream* other) { return other->pid() == pid; };
  if (!pid || std::count_if(watched.begin(), watched.end(), has_it) != 1) return std::nullopt;
  return stream.extent(*pid);
}

std::string mistimed(const DecodedStream& track, GstClockTime extent) {
  const GstClockTime read = track.coded_extent();
  const GstClockTime tolerance = kFewSeconds * GST_SECOND + extent / 50;
  if (read <= extent + tolerance && extent <= read + tolerance) return "";
  guint major = 0, minor = 0, micro = 0, nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  const std::string what = track.watched() == Kind::kSound ? "sound" : "pictures";
  const std::string made = read == 0 ? "gives its " + what + " no times"
                                     : "reads " + std::to_string(rounded(extent)) + " s of its " +
                                           what + " as " + std::to_string(rounded(read)) + " s";
  return "the times are not to be trusted, since GStreamer " + std::to_string(major) + "." +
         std::to_string(minor) + " " + made + ", expected a stream whose clock has no pauses";
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
                   StatedLength stated) {
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
  const bool states_length = stated != StatedLength::kGuessed;
  const size_t n_holes = has_sound && states_length ? holes(seconds) : 0;
  const bool ends_early = states_length && GST_CLOCK_TIME_IS_VALID(length) &&
                          length < kLongestLength &&
                          (stated == StatedLength::kWritten || length < 4 * reach) &&
                          may_reach + std::max(kFewSeconds * GST_SECOND, length / 50) < length;
  const guint64 all = rounded(ends_early ? length : reach);
  if (!ends_early && n_holes < kFewSeconds) return "";
  return only(rounded(reach) - std::min<guint64>(n_holes, rounded(reach)), all,
              " came, the rest is missing or damaged");
}

std::string damaged(const TransportCheck& stream,
                    const std::vector<const DecodedStream*>& watched) {
  GstClockTime reach = 0;
  for (const DecodedStream* track : watched) reach = std::max(reach, track->reach());
  const double share = stream.damaged();
  if (share * static_cast<double>(reach) >= static_cast<double>(kFewSeconds * GST_SECOND))
    return std::to_string(static_cast<int>(100 * share + 0.5)) + " % of it is damaged";
  for (const DecodedStream* track : watched) {
    const auto extent = own_extent(stream, watched, *track);
    const std::string wrong = extent ? mistimed(*track, *extent) : "";
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// "RIFF", the length of what follows, "AVI " or "WAVE". A WAV that was piped has all ones or 0.
std::string cut_off(const std::string& uri) {
  gchar* name =
      gst_uri_is_valid(uri.c_str()) ? g_filename_from_uri(uri.c_str(), nullptr, nullptr) : nullptr;
  const std::string path = name ? name : "";
  g_free(name);
  unsigned char head[12] = {};
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed) ||  // a pipe would be waited for
      !std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(head), 12))
    return "";
  const guint64 stated = 8 + guint64{GST_READ_UINT32_LE(head + 4)};
  const bool is_riff = GST_READ_UINT32_BE(head) == 0x52494646;
  const guint64 found = std::filesystem::file_size(path, failed);
  if (!is_riff || failed || stated == 8 || stated >= G_MAXUINT32 || found + 1 >= stated) return "";
  return "it was cut off: " + std::to_string(found) + " of " + std::to_string(stated) +
         " bytes are there";
}
