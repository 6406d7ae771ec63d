// Names of clips, out of questions and titles that anybody may have written, and the list of them.
#pragma once

#include <string>
#include <vector>

#include "examples/common/hit.h"

// "03 a dog 0-12-04": number, title and start, without an extension. Of the title stays what every
// file system takes as one name; `n_all` says how many digits the number has.
std::string clip_name(size_t number, size_t n_all, const Hit& hit);

struct Clip {
  std::string file;  // its name in the folder
  Hit hit;
  gint64 base = 0;  // the time in the film that is the clip's beginning, nanoseconds
};

// index.json: for each clip its hit, in seconds of the film and in seconds of the clip.
std::string clip_index(const std::string& film, const std::vector<Clip>& clips);
