// The model's words to times: two readings. Torch-free; the text is untrusted.
#pragma once

#include <string_view>

#include "model/window.h"

namespace vidi {

// The product's reading: tolerant, and it says what it changed.
ParsedAnswer parse_answer(std::string_view text);

}  // namespace vidi
