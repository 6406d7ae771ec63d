#include "examples/watch/hls_playlist.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr size_t kFewestSegments = 3, kLongestText = 400;
constexpr size_t kMostRanges = 2000;
// So a playlist of ours is told from another one: a comment, which players pass over.
constexpr char kOurs[] = "## vidi-watch\n";
constexpr char kMedia[] = "#EXT-X-MEDIA-SEQUENCE:",
               kDiscontinuities[] = "#EXT-X-DISCONTINUITY-SEQUENCE:",
               kDiscontinuity[] = "#EXT-X-DISCONTINUITY\n", kSegment[] = "#EXTINF:";

std::string formatted(const char* format, long long whole, int part) {
  gchar* text = g_strdup_printf(format, whole, part);
  const std::string result = text;
  g_free(text);
  return result;
}

// A date in milliseconds, by which durations are reckoned as well: both ends then agree.
int64_t ms(int64_t us) { return us / 1000; }

std::string date(int64_t us) {
  const time_t seconds = us / kSecond;
  tm utc{};
  char text[64] = "";
  if (gmtime_r(&seconds, &utc)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  gchar* whole = g_strdup_printf("%s.%03dZ", text, static_cast<int>(ms(us) % 1000));
  const std::string result = whole;
  g_free(whole);
  return result;
}

std::string quoted(const char* name, const std::string& value) {
  return std::string(",") + name + "=\"" + hls_text(value) + "\"";
}

std::string range_line(const HlsDateRange& range) {
  std::string line = "#EXT-X-DATERANGE:ID=\"" + hls_text(range.id) + "\"" +
                     quoted("CLASS", "org.vidifilter.highlight") +
                     quoted("START-DATE", date(range.start_us));
  if (range.closed) {
    const int64_t duration_ms = ms(range.stop_us) - ms(range.start_us);
    line += quoted("END-DATE", date(range.stop_us)) + ",DURATION=" +
            formatted("%lld.%03d", duration_ms / 1000, static_cast<int>(duration_ms % 1000));
  }
  line += quoted("X-TITLE", range.title);
  if (!range.question.empty()) line += quoted("X-QUESTION", range.question);
  // It may change while the hit grows, and what is given once must not.
  if (range.closed && range.confidence) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    line +=
        quoted("X-CONFIDENCE", g_ascii_formatd(number, sizeof number, "%.3f", *range.confidence));
  }
  return line + "\n";
}

std::string segment_lines(const HlsSegment& segment) {
  return (segment.discontinuity ? kDiscontinuity : "") +
         ("#EXT-X-PROGRAM-DATE-TIME:" + date(segment.start_us)) + "\n" + kSegment +
         formatted("%lld.%06d", segment.duration_us / kSecond,
                   static_cast<int>(segment.duration_us % kSecond)) +
         ",\n" + segment.file + "\n";
}

std::optional<uint64_t> number_after(const std::string& text, const std::string& tag) {
  const size_t at = text.find(tag);
  if (at == std::string::npos) return std::nullopt;
  uint64_t value = 0;
  const char* begin = text.data() + at + tag.size();
  const auto read = std::from_chars(begin, text.data() + text.size(), value);
  if (read.ec != std::errc() || value > UINT64_MAX / 2) return std::nullopt;
  return value;
}

uint64_t count(const std::string& text, const std::string& part) {
  uint64_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

int64_t rounded_up_s(int64_t us) { return (us + kSecond - 1) / kSecond; }

}  // namespace

void HlsDateRange::update(const HlsDateRange& later) {
  if (closed) return;
  stop_us = std::max({stop_us, later.stop_us, start_us});
  confidence = later.confidence;
  closed = later.closed;
}

HlsPlaylist::HlsPlaylist(double segment_s, Numbers first)
    : first_(first), target_s_(rounded_up_s(static_cast<int64_t>(segment_s * kSecond)) + 1) {}

// The target may not change; where key frames are rarer than it allows for, a longer one is the
// lesser fault.
void HlsPlaylist::add(const HlsSegment& segment) {
  target_s_ = std::max(target_s_, (segment.duration_us + kSecond / 2) / kSecond);
  segments_.push_back(segment);
}

bool HlsPlaylist::is_gone(const HlsDateRange& range) const {
  return range.closed && !segments_.empty() && range.stop_us < segments_.front().start_us;
}

bool HlsPlaylist::put(const HlsDateRange& range) {
  const auto known = std::find_if(ranges_.begin(), ranges_.end(),
                                  [&](const auto& other) { return other.id == range.id; });
  if (known != ranges_.end()) {
    known->update(range);
    return true;
  }
  if (is_gone(range)) return false;
  if (ranges_.size() >= kMostRanges) ranges_.erase(ranges_.begin());
  ranges_.push_back(range);
  return true;
}

void HlsPlaylist::close_all() {
  for (HlsDateRange& range : ranges_) range.closed = true;
}

std::vector<HlsSegment> HlsPlaylist::trim(int64_t keep_us) {
  std::vector<HlsSegment> gone;
  while (segments_.size() > kFewestSegments &&
         length_us() - segments_.front().duration_us >= keep_us) {
    if (segments_.front().discontinuity) ++first_.discontinuity;
    ++first_.media;
    gone.push_back(segments_.front());
    segments_.pop_front();
  }
  std::erase_if(ranges_, [this](const auto& range) { return is_gone(range); });
  return gone;
}

int64_t HlsPlaylist::stop_us() const {
  return segments_.empty() ? 0 : segments_.back().start_us + segments_.back().duration_us;
}

int64_t HlsPlaylist::length_us() const {
  int64_t sum = 0;
  for (const HlsSegment& segment : segments_) sum += segment.duration_us;
  return sum;
}

// A range stands before the segment in which it begins, and one that began before all of them
// before the first; one that begins after them waits.
std::string HlsPlaylist::text(bool ended) const {
  std::string text = "#EXTM3U\n" + std::string(kOurs) +
                     "#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:" + std::to_string(target_s_) + "\n" +
                     kMedia + std::to_string(first_.media) + "\n" + kDiscontinuities +
                     std::to_string(first_.discontinuity) + "\n";
  std::vector<bool> told(ranges_.size(), false);
  for (const HlsSegment& segment : segments_) {
    for (size_t i = 0; i < ranges_.size(); ++i) {
      if (told[i] || ranges_[i].start_us >= segment.start_us + segment.duration_us) continue;
      text += range_line(ranges_[i]);
      told[i] = true;
    }
    text += segment_lines(segment);
  }
  return text + (ended ? "#EXT-X-ENDLIST\n" : "");
}

std::optional<HlsPlaylist::Numbers> numbers_after(const std::string& text) {
  if (!text.starts_with(std::string("#EXTM3U\n") + kOurs)) return std::nullopt;
  const auto media = number_after(text, kMedia);
  const auto discontinuity = number_after(text, kDiscontinuities);
  if (!media || !discontinuity) return std::nullopt;
  return HlsPlaylist::Numbers{*media + count(text, kSegment),
                              *discontinuity + count(text, kDiscontinuity) + 1};
}

std::string hls_text(const std::string& text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string result;
  for (const gchar* at = valid; *at; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    const size_t n_bytes = static_cast<size_t>(g_utf8_next_char(at) - at);
    if (result.size() + n_bytes > kLongestText) break;
    if (c == '"') {
      result += '\'';
    } else if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029) {
      result += ' ';
    } else {
      result.append(at, n_bytes);
    }
  }
  g_free(valid);
  return result;
}
