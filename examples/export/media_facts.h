// What an export has to know of the film beside its hits. Plain data; times in nanoseconds.
#pragma once

#include <gst/gst.h>

#include <string>

struct MediaFacts {
  std::string uri;
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  int rate_n = 0, rate_d = 1;  // pictures a second, exact; 0/1: not known
  bool variable_rate = false;
  int width = 0, height = 0;
  bool has_audio = false;
};
