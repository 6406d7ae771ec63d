// What a sink pad says of caps that it does not take. Whoever sends them learns no more than that,
// and its pipeline ends with "not-negotiated". (Pads that are linked while both sides' caps are
// known are refused before, and no element is asked.)
#pragma once

#include <gst/gst.h>

#include <string>

namespace vidi {

struct TakenCaps {
  const char* words;                // what is taken, for people
  const char* kind = nullptr;       // its media type, when it is raw: decodebin makes it of others
  const char* converter = nullptr;  // the element that makes it of others of that type
};

// After the pad answered the query: one sentence, if it refused caps that its template does not
// take and that are on their way to it. Empty else: somebody only asks, as a converter does before
// it converts, or what is behind the element refuses. Any thread.
std::string refusal_of_caps(GstPad* sink, GstQuery* query, const TakenCaps& taken);

}  // namespace vidi
