// The table of formats: the one place that names them.
#pragma once

#include <string>
#include <vector>

#include "examples/export/exported.h"

// Whether it names frames, for which the film's rate has to be known.
enum class Frames { kNone, kWhereKnown, kNeeded };

struct Format {
  const char *name, *extension, *help;
  Frames frames;
  Written (*write)(const Exported& exported);
};

const std::vector<Format>& formats();
const Format* format_named(const std::string& name);  // null: there is none
std::string format_names();                           // "vtt, srt, ... or mkv-chapters"
std::string format_help();                            // a line for each
