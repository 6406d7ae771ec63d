// The table of formats: the one place that names them.
#pragma once

#include <string>
#include <vector>

#include "examples/export/exported.h"

struct Format {
  const char *name, *extension, *help;
  bool counts_frames;  // it needs to know the film's rate
  Written (*write)(const Exported& exported);
};

const std::vector<Format>& formats();
const Format* format_named(const std::string& name);  // null: there is none
std::string format_names();                           // "vtt, srt, ... or mkv-chapters"
std::string format_help();                            // a line for each
