#include "examples/ask/answer_ranges.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace {

struct Number {
  double value;
  size_t begin, end;   // in the answer, with a percent sign
  bool is_clock_time;  // 0:42 is no share of a window
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Number> next_number(std::string_view text, size_t from) {
  const size_t begin = text.find_first_of("0123456789", from);
  if (begin == text.npos) return std::nullopt;
  Number number{0, begin, begin, false};
  const char* first = text.data() + begin;
  const auto read =
      std::from_chars(first, text.data() + text.size(), number.value, std::chars_format::fixed);
  number.end = begin + std::max<size_t>(static_cast<size_t>(read.ptr - first), 1);
  const auto is_colon = [&](size_t at) { return at < text.size() && text[at] == ':'; };
  number.is_clock_time =
      (begin > 0 && is_colon(begin - 1)) ||
      (is_colon(number.end) && number.end + 1 < text.size() && is_digit(text[number.end + 1]));
  if (number.end < text.size() && text[number.end] == '%') {
    number.value /= 100;
    ++number.end;
  }
  return number;
}

// What stands between the two numbers of a range.
bool is_dash(std::string_view between) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!between.empty() && is_blank(between.front())) between.remove_prefix(1);
  while (!between.empty() && is_blank(between.back())) between.remove_suffix(1);
  return between == "-" || between == "\u2013" || between == "\u2014" || between == "to";
}

std::vector<Range> united(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.start < b.start; });
  std::vector<Range> all;
  for (const Range& range : ranges) {
    if (all.empty() || range.start > all.back().stop) {
      all.push_back(range);
    } else {
      all.back().stop = std::max(all.back().stop, range.stop);
    }
  }
  return all;
}

double length_of(const std::vector<Range>& ranges) {
  double length = 0;
  for (const Range& range : ranges) length += range.stop - range.start;
  return length;
}

}  // namespace

std::vector<Range> ranges_in(std::string_view answer) {
  std::vector<Range> ranges;
  std::optional<Number> first = next_number(answer, 0);
  while (first) {
    const auto second = next_number(answer, first->end);
    if (!second) break;
    const bool is_range = is_dash(answer.substr(first->end, second->begin - first->end));
    if (is_range && !first->is_clock_time && !second->is_clock_time) {
      const double a = std::min(first->value, 1.0), b = std::min(second->value, 1.0);
      ranges.push_back({std::min(a, b), std::max(a, b)});
    }
    first = is_range ? next_number(answer, second->end) : second;
  }
  return united(std::move(ranges));
}

double temporal_iou(const std::vector<Range>& a, const std::vector<Range>& b) {
  std::vector<Range> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const double covered = length_of(united(std::move(both)));
  if (covered <= 0) return a == b ? 1 : 0;
  return (length_of(a) + length_of(b) - covered) / covered;
}
