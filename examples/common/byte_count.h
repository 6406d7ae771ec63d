// A number of bytes on a command line. The standard library alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// "24GB" (10^9), "500MB" (10^6), "24e9", "22000000000"; empty when it is none, or more than 2^63
// - 1.
std::optional<uint64_t> parse_byte_count(std::string_view text);
