// Whether browsers play a film as it is, by its container and its codec.
#pragma once

#include <gst/gst.h>

#include <string>

// `pipeline`: one that has read the film. Empty: they may; else why not: "browsers do not play
// MPEG transport streams".
std::string why_unplayable(GstBin* pipeline);
