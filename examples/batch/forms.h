// In which form a model computes: what `auto` came to. Results of different forms are not the same
// answers, so all runs and shards of a folder keep to one (settings_file.h). Plain data.
#pragma once

#include <string>

struct Forms {
  std::string precision = "auto", weights = "auto", keys = "auto";
  bool operator==(const Forms&) const = default;
};
