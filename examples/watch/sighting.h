// A hit of a live stream, by the clock on the wall, and the line that vidi-watch prints for it.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

struct Sighting {
  std::string query;                 // a highlight of the model's own has none
  std::string label;                 // a highlight's title; empty: it has none
  std::string session;               // with the result id unique over all runs
  guint64 result_id = 0;             // the same for a hit that grows; unique within a connection
  gint64 utc_us = 0;                 // start, since 1970
  bool by_camera = false;            // utc_us is the source's clock, else ours at arrival
  GstClockTime start = 0, stop = 0;  // running time
  std::optional<double> confidence;  // unknown when empty
  bool final = true;                 // no later window can extend it
};

// From a `vidi/result`. `now_us` and `now_running` are one moment, however late, on the wall and on
// the pipeline's clock; the latter may be unknown (GST_CLOCK_TIME_NONE).
Sighting sighting(const GstStructure* result, gint64 now_us, GstClockTime now_running);

const std::string& title_of(const Sighting& sighting);  // what was found

std::string text_line(const Sighting& sighting);  // both with the newline
std::string json_line(const Sighting& sighting);

// YYYY-MM-DD_HH-MM-SS-the-title, local time, safe as a file's name whatever the title is.
std::string file_stem(const Sighting& sighting);
