// Hits as lines of JSON: how vidi-ask says them, and how they are read again.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "examples/common/hit.h"
#include "examples/export/media_facts.h"

std::string json_line(const Hit& hit);  // times in seconds; with the newline

// `{"type":"media",...}`, the first line: what is unknown is left out.
std::string media_line(const MediaFacts& film);

struct HitLines {
  MediaFacts film;  // of a line `media`; without a URI where there is none
  std::vector<Hit> hits;
  std::string error;  // the first line that is none, as a sentence without its subject
};

// Lines of `vidi-ask --json`, and results of the element's json_src (final ones). Lines of other
// types are left out.
HitLines read_hit_lines(std::istream& lines);
