// Finds the number pairs in an answer's text, without judging them. Torch-free; the text is
// untrusted.
//
// One pass from left to right, in linear time.
#pragma once

#include <string_view>
#include <vector>

namespace vidi {

enum class NumberKind {
  kPlain,      // "0.12", ".5", "1"
  kPercent,    // "12%", "12 percent"
  kClock,      // "00:12", "1:02:03.5"
  kTime,       // "12 s", "3 minutes"
  kMalformed,  // "0.1.2", "0,12"
};

struct ScannedNumber {
  NumberKind kind = NumberKind::kPlain;
  double value = 0;           // of kPlain and kPercent, as written (12 for "12%")
  size_t begin = 0, end = 0;  // bytes, unit included
};

// Two numbers with a dash, "~" or "to" between them ("and" after "between").
struct ScannedPair {
  ScannedNumber first, second;
  bool has_sign = false;  // a minus stands right before the first number
  bool in_prose = false;  // "from 0.1 to 0.2", "between 0.1 and 0.2": a sentence, not a list
};

std::vector<ScannedPair> scan_pairs(std::string_view text);

// Letters without case, ASCII alone: what words are compared with.
bool equals_ignoring_case(std::string_view a, std::string_view b);
// The word (ASCII letters) that starts at `at` or ends at `end`; empty when none does.
std::string_view word_at(std::string_view text, size_t at);
std::string_view word_before(std::string_view text, size_t end);

}  // namespace vidi
