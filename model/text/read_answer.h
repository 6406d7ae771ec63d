// From a model's ids to text and spans with times and confidence. Torch-free.
#pragma once

#include "model/text/tokenizer.h"
#include "model/window.h"

namespace vidi {

// Adds text, its reading and spans to an answer that has ids and their probabilities. Times are
// fractions of `duration_s`; a span's confidence is the geometric mean of the probabilities of the
// tokens that wrote its numbers.
void read_answer(Answer& answer, const Tokenizer& tokenizer, double duration_s);

}  // namespace vidi
