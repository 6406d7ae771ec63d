// Hits as chapters, for the table of contents right before EOS.
//
// A chapter holds no window: a camera runs for weeks, and its windows must go.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/results/hit.h"

namespace vidi {

struct Chapter {
  uint64_t result_id = 0;
  GstClockTime start = 0, stop = 0;  // stream time
  std::string title;
};

// The hit's part inside its segment, in stream time; nothing when it lies outside.
std::optional<Chapter> chapter_of(const Hit& hit);

// One edition that holds all chapters by start, as matroskademux and matroskamux have it.
// `duration` of the stream cuts what reaches beyond it, unless it is NONE. NULL when no chapter is
// left.
GstToc* make_toc(std::vector<Chapter> chapters, GstClockTime duration);

}  // namespace vidi
