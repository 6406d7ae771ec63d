#include "model/text/utf8.h"

#include <cstdint>

namespace vidi {
namespace {

uint8_t byte_at(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

bool is_continuation(std::string_view text, size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xC0) == 0x80;
}

// The code point of a valid character.
char32_t code_point(std::string_view character) {
  if (character.size() == 1) return byte_at(character, 0);
  char32_t value = byte_at(character, 0) & (0xFF >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) value = value << 6 | (byte_at(character, i) & 0x3F);
  return value;
}

bool is_space(char32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  if (c >= 0x2000 && c <= 0x200A) return true;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

// The first byte of the character that ends before `end`.
size_t character_before(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && is_continuation(text, begin)) --begin;
  return begin;
}

bool is_space_at(std::string_view text, size_t begin, size_t end) {
  return utf8_length(text, begin) == end - begin &&
         is_space(code_point(text.substr(begin, end - begin)));
}

}  // namespace

size_t utf8_length(std::string_view text, size_t at) {
  const uint8_t first = byte_at(text, at);
  if (first < 0x80) return 1;
  const size_t length = first < 0xC2   ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text, at + i)) return 0;
  }
  const uint8_t second = byte_at(text, at + 1);
  if (first == 0xE0 && second < 0xA0) return 0;   // overlong
  if (first == 0xED && second >= 0xA0) return 0;  // surrogate
  if (first == 0xF0 && second < 0x90) return 0;   // overlong
  if (first == 0xF4 && second >= 0x90) return 0;  // past U+10FFFF
  return length;
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text, 0);
    if (length == 0 || !is_space_at(text, 0, length)) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    const size_t begin = character_before(text, text.size());
    if (!is_space_at(text, begin, text.size())) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

}  // namespace vidi
