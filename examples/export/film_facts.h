// What can be known of a film without decoding it: its rate, size, length. Whether the rate is one
// is seen by the times of the pictures: a header may state an average.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "examples/common/tracks.h"
#include "examples/export/frame_clock.h"
#include "examples/export/media_facts.h"

// Reads the beginning of the film. Returns an empty string, or why it cannot be read.
std::string read_facts(const std::string& uri, const TrackWishes& tracks,
                       const std::atomic<bool>& interrupted, MediaFacts* facts);

// The rate of pictures that are shown at these times: `stated` if it fits, else a usual one that
// does. Pictures may be left out, but most follow each other. Empty: the rate varies.
std::optional<FrameRate> rate_of(std::vector<gint64> times, const FrameRate& stated);
// Of a rate that varies: the usual one that is nearest to the mean; 0/1 for less than two pictures.
FrameRate mean_rate(std::vector<gint64> times);
