// A moment that was found, as the programs pass it on. Plain data; times are stream time in
// nanoseconds: what a player shows, from the beginning of the film.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

struct Hit {
  std::string query, query_id, label;  // label: title of a highlight, else empty
  GstClockTime start = 0, stop = 0;
  std::optional<double> confidence;  // unknown when empty
  GstClockTime timestamp = 0;        // of its start, as windows have it; 0 when it has none

  const std::string& title() const { return label.empty() ? query : label; }
};

std::vector<Hit> by_start(std::vector<Hit> hits);  // those that begin together stay in order
