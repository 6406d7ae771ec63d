// A decimal number as text to a double. Torch-free; never the locale's comma, never an exception.
#pragma once

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

namespace vidi {

// `text` holds digits and at most one point, with a digit on at least one side ("0.12", ".5",
// "3."). Of any length: too large gives infinity, too small zero.
inline double parse_decimal(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return 0;
  if (std::min(text.find('.'), text.size()) > 308) return std::numeric_limits<double>::infinity();
  double value =
      0;  // stays 0 when the number is too small: with at most 308 digits it is not too large
  std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return value;
}

}  // namespace vidi
