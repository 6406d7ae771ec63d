// UTF-8 checks and trimming, shared by the tokenizer, the prompt and the answer. Torch-free.
#pragma once

#include <cstddef>
#include <string_view>

namespace vidi {

// Bytes of the character that starts at `at` (1 to 4), or 0 when none does: overlong forms,
// surrogates and values past U+10FFFF count as invalid. `at` must lie inside `text`.
size_t utf8_length(std::string_view text, size_t at);

bool is_utf8(std::string_view text);

// `text` without white space at both ends: what Python's str.strip() takes off, Unicode's blanks
// included.
std::string_view trim(std::string_view text);

}  // namespace vidi
