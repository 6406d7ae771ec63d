// The command line of vidi-export.
#pragma once

#include <optional>
#include <string>

#include "examples/export/exports.h"

struct ExportArguments {
  std::string hits;   // a file of lines; "-": stdin
  std::string media;  // --media; empty: what the lines say
  ExportWishes wishes;
  TrackWishes tracks;
};

// `--help` prints and ends the program. Empty after an error, which is on stderr then.
std::optional<ExportArguments> parse_export_arguments(int argc, char** argv);
