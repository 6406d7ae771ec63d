// A comparison as vidi-ask prints it, after the hits of the chosen mode.
#pragma once

#include <string>

#include "examples/ask/comparison.h"

// What each mode took; a row a question and one of all; what the columns mean.
std::string comparison_table(const Comparison& comparison, const Pass& chosen,
                             const Pass& reference);

// JSON: an object and a newline for each question, then one of all with both modes. Times are
// seconds, memory is bytes; what is unknown is left out.
std::string comparison_lines(const Comparison& comparison, const Pass& chosen,
                             const Pass& reference);
