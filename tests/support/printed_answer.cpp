// The authors' printed form of an answer: what their two programs print, failures included.
#include "tests/support/printed_answer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <vector>

#include "model/text/decimal.h"

namespace vidi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The two sides of a range found in the answer, as text.
struct Sides {
  std::string_view start, stop;
};

// Vidi1.5: "d.d+-d.d+" from left to right, not overlapping; one digit before each point.
std::vector<Sides> find_sides_15(std::string_view text) {
  const auto fraction_end = [text](size_t begin) {
    if (begin + 2 >= text.size() || !is_digit(text[begin]) || text[begin + 1] != '.') return begin;
    size_t end = begin + 2;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end > begin + 2 ? end : begin;
  };
  std::vector<Sides> found;
  for (size_t at = 0; at < text.size();) {
    const size_t start_end = fraction_end(at);
    const bool has_hyphen = start_end > at && start_end < text.size() && text[start_end] == '-';
    const size_t stop_end = has_hyphen ? fraction_end(start_end + 1) : 0;
    if (stop_end <= start_end + 1) {
      ++at;
      continue;
    }
    found.push_back(
        {text.substr(at, start_end - at), text.substr(start_end + 1, stop_end - start_end - 1)});
    at = stop_end;
  }
  return found;
}

// Vidi-7B: runs of digits, points and bars on both sides of a hyphen, whether numbers or not.
std::vector<Sides> find_sides_7b(std::string_view text) {
  const auto run_end = [text](size_t at) {
    while (at < text.size() && (is_digit(text[at]) || text[at] == '.' || text[at] == '|')) ++at;
    return at;
  };
  std::vector<Sides> found;
  for (size_t at = 0; at < text.size();) {
    const size_t start_end = run_end(at);
    const bool has_hyphen = start_end > at && start_end < text.size() && text[start_end] == '-';
    const size_t stop_end = has_hyphen ? run_end(start_end + 1) : 0;
    if (stop_end <= start_end + 1) {
      at = std::max(start_end, at + 1);
      continue;
    }
    found.push_back(
        {text.substr(at, start_end - at), text.substr(start_end + 1, stop_end - start_end - 1)});
    at = stop_end;
  }
  return found;
}

bool is_number(std::string_view text) {
  const auto points = std::count(text.begin(), text.end(), '.');
  const auto digits = std::count_if(text.begin(), text.end(), is_digit);
  return points <= 1 && digits > 0 && points + digits == static_cast<ptrdiff_t>(text.size());
}

// A whole number >= 0 of any size, at least `width` digits.
std::string whole_text(double value, size_t width) {
  char digits[400];  // the largest double has 309
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, 0).ptr;
  std::string text(digits, end);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// Cut to whole seconds; remainders of doubles are exact, so no integer can overflow.
std::string clock_text(Family family, double seconds) {
  const double whole = std::floor(seconds);
  const double in_hour = std::fmod(whole, 3600), in_minute = std::fmod(whole, 60);
  const std::string hours_minutes = whole_text((whole - in_hour) / 3600, 2) + ":" +
                                    whole_text((in_hour - in_minute) / 60, 2) + ":";
  if (family == Family::kVidi15) return hours_minutes + whole_text(in_minute, 2);
  return hours_minutes + whole_text(in_minute, 1) + ".00";
}

}  // namespace

PrintedAnswer print_answer(Family family, std::string_view text, double length_s) {
  PrintedAnswer printed;
  for (const Sides& sides : family == Family::kVidi15 ? find_sides_15(text) : find_sides_7b(text)) {
    if (!is_number(sides.start) || !is_number(sides.stop)) return {"", true};
    const double start = parse_decimal(sides.start) * length_s;
    const double stop = parse_decimal(sides.stop) * length_s;
    const bool has_clock_form =
        std::isfinite(start) && std::isfinite(stop) && start >= 0 && stop >= 0;
    if (!has_clock_form) return {"", true};
    if (!printed.text.empty()) printed.text += ", ";
    printed.text += clock_text(family, start) + "-" + clock_text(family, stop);
  }
  return printed;
}

}  // namespace vidi
