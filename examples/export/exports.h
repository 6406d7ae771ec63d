// The files that a command line asks for: checked before the work, written after it. For vidi-ask
// and vidi-export.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "examples/export/clips.h"
#include "examples/export/formats.h"

struct ExportRequest {
  const Format* format = nullptr;
  std::string file;      // "-": stdout
  bool is_named = true;  // the file's name was given
};

struct ExportWishes {
  std::vector<ExportRequest> files;
  std::optional<FrameRate> rate;  // --fps
  std::string first_code;         // --start-timecode
  ClipWishes clips;               // no folder: none

  bool tell_frames() const;  // those, and the table that has them where the rate is known
  bool count_frames() const;
  std::vector<std::string> file_names() const;  // without stdout
};

// NAME=FILE, or NAME alone: then a file in the current folder that is named after the film `file`
// (a path or URI). Returns an empty string, or what was expected instead.
std::string parse_export(const std::string& text, const std::string& film, ExportRequest* request);

// --fps and --start-timecode as they were typed. Returns an empty string, or what was expected.
std::string parse_rate(const std::string& text, ExportWishes* wishes);
std::string parse_first_code(const std::string& text, ExportWishes* wishes);

// Gives the film the rate that it is to have. Returns an empty string, or why frames cannot be
// counted; `note` hears of a rate that varies.
std::string settle_rate(const ExportWishes& wishes, MediaFacts* film,
                        const std::function<void(const std::string&)>& note);

// How a program says things: text on stdout (false: that cannot be written), sentences on stderr.
struct ExportVoice {
  std::function<bool(const std::string&)> print;
  std::function<void(const std::string&)> note;  // worth a line; what went wrong as well
};

// Writes every file, also after one that failed. False: not all are written.
bool write_exports(const ExportWishes& wishes, const MediaFacts& film, const std::vector<Hit>& hits,
                   const ExportVoice& voice);
