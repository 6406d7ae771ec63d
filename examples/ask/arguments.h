// The command line of vidi-ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "examples/batch/batch_wishes.h"
#include "examples/export/exports.h"

struct Arguments {
  std::string file;  // a path or a URI
  std::vector<std::string> queries;
  std::string model, device = "auto", precision = "auto", weights = "auto", keys = "auto",
                     task = "retrieval";
  std::optional<uint64_t> memory_limit = 0;  // bytes, 0 = none; empty: not understood
  std::optional<double> unload_after_s, window_s, stride_s, rate, min_confidence;
  int max_highlights = 0;  // per minute; 0 = all
  int n_decoders = 0;      // side by side; 0 = as many as are useful, 1 = every frame in one pass
  std::string audio_track, video_track;  // number or language; empty = the file's own choice
  ExportWishes exports;                  // files to write, and clips
  std::string html;                      // the page to write; empty = none
  BatchWishes batch;                     // --batch: then there is no file
  bool json = false, ask_more = false, quiet = false;
  bool splits_windows = false;  // over several devices
  bool embeds_film = false;     // --html-embed
  bool compares = false;        // --compare-precision: once more in the reference's mode

  // The film can be read a second time.
  bool is_kept() const;
  bool highlights() const { return task == "highlight"; }
};

// `--help` prints and ends the program. Empty after an error, which is on stderr then.
std::optional<Arguments> parse_arguments(int argc, char** argv);
