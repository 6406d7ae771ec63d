// --shard i/n: one part of a list, for jobs that share it. No GStreamer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct Shard {
  uint64_t index = 0, count = 1;

  // By the hash of the URI alone: wherever it stands in the list, and whatever is asked.
  bool holds(const std::string& uri) const;
};

// "0/16" to "15/16"; empty when it is none.
std::optional<Shard> parse_shard(const std::string& text);
