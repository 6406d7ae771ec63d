// What a format is written from, and what comes of it.
#pragma once

#include <string>
#include <vector>

#include "examples/common/hit.h"
#include "examples/export/frame_clock.h"
#include "examples/export/media_facts.h"

struct Exported {
  MediaFacts film;
  std::vector<Hit> hits;   // by start
  std::string first_code;  // time code of the film's first frame; empty: the format's own

  FrameClock clock() const { return FrameClock({film.rate_n, film.rate_d}); }
  std::string film_name() const;  // without its folder, printable
  // The number that the first frame has in time codes, where the format's own is `usual`.
  gint64 first_frame(const std::string& usual = "00:00:00:00") const;
};

// The frames of a hit: from `start`, `count` of them, one at least.
struct FrameRange {
  gint64 start = 0, count = 1;
};
FrameRange frames_of(const Hit& hit, const FrameClock& clock);
// All of the film, or as far as its last hit where its length is not known.
gint64 count_frames(const Exported& exported);

struct Written {
  std::string text;
  std::string error;               // why there is no text
  std::vector<std::string> notes;  // sentences about what was left out or joined
};

// The place of each hit's question or title among all of them: equal ones have one colour.
std::vector<size_t> groups_of(const std::vector<Hit>& hits);

std::string comment_of(const Hit& hit);  // "a dog, confidence 0.96"
// For XML 1.0, which has no place for some characters.
std::string xml_text(const std::string& text);
