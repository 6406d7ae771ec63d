// Every hit as a film of its own in a folder, and an index of them.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "examples/common/hit.h"
#include "examples/common/tracks.h"

struct ClipWishes {
  std::string folder;
  GstClockTime margin = GST_SECOND;  // before and after the hit
  bool exact = false;                // encoded, so that it begins where it is to
};

std::string index_of(const ClipWishes& wishes);  // the file that says what is in the clips

// Makes the folder. Returns an empty string, or why clips cannot be written there.
std::string prepare_clips(const ClipWishes& wishes);

// Reads `uri` once. `note` hears of what is worth a line. Returns an empty string, or what went
// wrong: clips that are complete stay and are in the index, nothing else does.
std::string write_clips(const std::string& uri, const TrackWishes& tracks,
                        const std::vector<Hit>& hits, const ClipWishes& wishes,
                        const std::atomic<bool>& interrupted,
                        const std::function<void(const std::string&)>& note);
