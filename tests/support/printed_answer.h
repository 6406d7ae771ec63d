// An answer as the authors' own code prints it. Torch-free.
#pragma once

#include <string>
#include <string_view>

#include "model/checkpoint/family.h"

namespace vidi {

// The authors' printed form of an answer over a window of `length_s` seconds, for vidi-trace and
// the goldens. 1.5: HH:MM:SS-HH:MM:SS joined by ", "; 7B: HH:MM:S.00. `failed` when their parser
// raises an error instead.
struct PrintedAnswer {
  std::string text;
  bool failed = false;
};
PrintedAnswer print_answer(Family family, std::string_view text, double length_s);

}  // namespace vidi
