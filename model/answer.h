// The model's words to times: two readings. Torch-free; the text is untrusted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"

namespace vidi {

// One range of an answer, as fractions of the window, 0 <= start <= stop <= 1.
struct AnswerRange {
  double start = 0, stop = 0;
  std::string label;  // text that follows a range of a highlight answer, else ""
  size_t text_begin = 0,
         text_end = 0;  // bytes of the answer that this range was read from (joined: of all)
};

// The product's reading: tolerant, and it says what it changed.
struct ParsedAnswer {
  std::vector<AnswerRange> ranges;  // sorted by start; those of one label do not overlap
  bool says_none = false;  // the answer is "none" (or empty): nothing found, and that is clear
  bool understood = true;  // false: no range and not "none"
  std::vector<std::string> notes;  // one sentence for each change or drop, e.g. "swapped 0.9-0.1"
};
ParsedAnswer parse_answer(std::string_view text);

// The authors' printed form of an answer over a window of `length_s` seconds, for vidi-trace and
// the goldens. 1.5: HH:MM:SS-HH:MM:SS joined by ", "; 7B: HH:MM:S.00. `failed` when their parser
// raises an error instead.
struct PrintedAnswer {
  std::string text;
  bool failed = false;
};
PrintedAnswer print_answer(Family family, std::string_view text, double length_s);

}  // namespace vidi
