#include "examples/common/byte_count.h"

#include <charconv>
#include <cmath>

std::optional<uint64_t> parse_byte_count(std::string_view text) {
  double unit = 1;
  if (text.ends_with("GB"))
    unit = 1e9;
  else if (text.ends_with("MB"))
    unit = 1e6;
  if (unit > 1) text.remove_suffix(2);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  const double bytes = std::round(value * unit);
  // 2^63 is the first double that is too large.
  if (error != std::errc() || last != end || !(bytes >= 0 && bytes < 9223372036854775808.0))
    return std::nullopt;
  return static_cast<uint64_t>(bytes);
}
