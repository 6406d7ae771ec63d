#include "text.h"

#include <cstdio>

namespace {

constexpr guint64 kTenth = 100'000'000, kSecond = 1'000'000'000;

size_t columns_of(gunichar c) {
  if (g_unichar_iszerowidth(c)) return 0;
  return g_unichar_iswide(c) ? 2 : 1;
}

// Calls `each` with every character of valid UTF-8 and the bytes it consists of.
template <class Each>
void for_each_character(const std::string& text, Each each) {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const char* next = g_utf8_next_char(at);
    each(g_utf8_get_char(at), std::string(at, next));
    at = next;
  }
}

// `hours:` only when there are some.
std::string clock_text(guint64 seconds) {
  char text[48];
  const guint64 hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%" G_GUINT64_FORMAT ":%02d:%02d", hours,
                  static_cast<int>(minutes), static_cast<int>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(minutes),
                  static_cast<int>(seconds % 60));
  }
  return text;
}

}  // namespace

std::string printable(const std::string& text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  const std::string all = valid;
  g_free(valid);
  std::string shown;
  for_each_character(all, [&](gunichar c, const std::string& bytes) {
    shown += g_unichar_iscntrl(c) ? " " : bytes;
  });
  return shown;
}

bool is_blank(const std::string& text) {
  bool blank = true;
  for_each_character(text, [&](gunichar c, const std::string&) {
    blank &= g_unichar_isspace(c) || g_unichar_iszerowidth(c) || g_unichar_iscntrl(c);
  });
  return blank;
}

size_t columns_of(const std::string& text) {
  size_t n = 0;
  for_each_character(text, [&](gunichar c, const std::string&) { n += columns_of(c); });
  return n;
}

std::string padded(const std::string& text, size_t n_columns) {
  const size_t n = columns_of(text);
  return n < n_columns ? text + std::string(n_columns - n, ' ') : text;
}

std::string shortened(const std::string& text, size_t n_columns) {
  if (columns_of(text) <= n_columns || n_columns < 3) return text;
  std::string kept;
  size_t n = 0;
  for_each_character(text, [&](gunichar c, const std::string& bytes) {
    n += columns_of(c);
    if (n + 3 <= n_columns) kept += bytes;
  });
  return kept + "...";
}

std::string tenths_text(guint64 ns) {
  const guint64 tenths = ns / kTenth + (ns % kTenth >= kTenth / 2 ? 1 : 0);
  return clock_text(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string seconds_text(guint64 ns) { return clock_text(ns / kSecond); }
