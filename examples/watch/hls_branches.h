// What stands between a stream's tap and the muxer of its HLS segments.
#pragma once

#include <string>

#include "examples/watch/stream_tap.h"

struct HlsBranch {
  std::string description;  // of a bin, from the appsrc named `in`; empty: it cannot be published
  std::string why_not;      // a sentence
};

HlsBranch hls_branch(const StreamTap& tap);
