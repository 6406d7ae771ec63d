// An HLS media playlist that goes on (RFC 8216bis): the last segments of a stream, and the hits of
// them as date ranges. No files, no threads. Times are microseconds since 1970.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

struct HlsSegment {
  std::string file;      // its name beside the playlist
  int64_t start_us = 0;  // of its first picture
  int64_t duration_us = 0;
  bool discontinuity = false;  // before it: its stream does not go on from the last one's
};

struct HlsDateRange {
  std::string id, title, question;    // the question may be empty
  int64_t start_us = 0, stop_us = 0;  // what is known of the end so far
  std::optional<double> confidence;   // unknown when empty
  bool closed = false;                // its end is settled

  // What is given once stays; an open one may grow and be closed.
  void update(const HlsDateRange& later);
};

class HlsPlaylist {
 public:
  // Where the numbers of a stream go on that was published before.
  struct Numbers {
    uint64_t media = 0, discontinuity = 0;
  };

  HlsPlaylist(double segment_s, Numbers first);

  void add(const HlsSegment& segment);
  // False when its segments have left the playlist: it is not taken.
  bool put(const HlsDateRange& range);
  void close_all();  // no later window extends them
  // What is more than `keep_us` before the end leaves, with its ranges; three segments stay.
  std::vector<HlsSegment> trim(int64_t keep_us);

  bool empty() const { return segments_.empty(); }
  int64_t stop_us() const;  // of the last segment
  int64_t length_us() const;
  // `ended`: nothing follows.
  std::string text(bool ended) const;

 private:
  bool is_gone(const HlsDateRange& range) const;

  Numbers first_;  // of segments_[0]
  int64_t target_s_;
  std::deque<HlsSegment> segments_;
  std::vector<HlsDateRange> ranges_;
};

// Of a playlist that text() made: the numbers of what follows it. Empty: it is none of ours.
std::optional<HlsPlaylist::Numbers> numbers_after(const std::string& text);

// As it may stand between the quotes of an attribute: valid UTF-8 of at most 400 bytes without
// quotes, line ends and other control characters.
std::string hls_text(const std::string& text);
