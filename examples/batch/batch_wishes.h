// What the command line says of a batch. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "examples/batch/forms.h"
#include "examples/batch/shard.h"

struct BatchWishes {
  std::string list;  // file of lines, or - for stdin; empty = no batch
  std::string out;   // folder
  Shard shard;
  int jobs = 2;          // files at once in front of the model
  double timeout_s = 0;  // for one file; 0 = none
  double grace_s = 20;   // that a file which is stopped has to let go
  bool retries_failed = false, strict = false;

  bool is_wanted() const { return !list.empty(); }
};
