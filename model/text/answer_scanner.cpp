#include "model/text/answer_scanner.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "model/text/decimal.h"

namespace vidi {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
// Hyphen-minus; hyphen, non-breaking hyphen, figure, en and em dash, bar (U+2010 to U+2015); minus;
// tilde, wave dash.
constexpr std::string_view kDashes[] = {"-",
                                        "\xE2\x80\x90",
                                        "\xE2\x80\x91",
                                        "\xE2\x80\x92",
                                        "\xE2\x80\x93",
                                        "\xE2\x80\x94",
                                        "\xE2\x80\x95",
                                        "\xE2\x88\x92",
                                        "~",
                                        "\xE3\x80\x9C"};
constexpr std::string_view kTimeUnits[] = {"s",   "sec",  "secs",    "seconds", "ms",
                                           "min", "mins", "minutes", "h",       "hours"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<ScannedPair> pairs() const {
    std::vector<ScannedPair> found;
    for (size_t at = 0; at < text_.size();) {
      if (!number_starts(at)) {
        ++at;
        continue;
      }
      ScannedPair pair;
      pair.first = read_number(at);
      at = pair.first.end;
      const std::string_view lead = word_before(text_, skip_blanks_back(pair.first.begin));
      const size_t second = after_separator(pair.first.end, equals_ignoring_case(lead, "between"));
      if (!number_starts(second)) continue;
      pair.second = read_number(second);
      pair.in_prose = equals_ignoring_case(lead, "between") || equals_ignoring_case(lead, "from");
      pair.has_sign = is_signed(pair.first.begin);
      // "0,12-0,34": a decimal comma, not the range 12-0.
      const size_t pair_end = found.empty() ? 0 : found.back().second.end;
      if (follows_comma(pair.first.begin, pair_end)) pair.first.kind = NumberKind::kMalformed;
      at = pair.second.end;
      found.push_back(pair);
    }
    return found;
  }

 private:
  bool digit_at(size_t at) const { return at < text_.size() && is_digit(text_[at]); }
  bool char_at(size_t at, char c) const { return at < text_.size() && text_[at] == c; }

  bool number_starts(size_t at) const {
    return digit_at(at) || (char_at(at, '.') && digit_at(at + 1));
  }

  size_t skip_blanks(size_t at) const {
    return std::min(text_.find_first_not_of(kBlanks, at), text_.size());
  }
  size_t skip_blanks_back(size_t end) const {
    while (end > 0 && kBlanks.find(text_[end - 1]) != kBlanks.npos) --end;
    return end;
  }

  // Bytes of the dash at `at`, 0 when there is none.
  size_t dash_length(size_t at) const {
    if (at >= text_.size()) return 0;
    for (const std::string_view dash : kDashes) {
      if (text_.substr(at).starts_with(dash)) return dash.size();
    }
    return 0;
  }

  ScannedNumber read_number(size_t begin) const {
    ScannedNumber number;
    number.begin = begin;
    size_t end = begin;
    while (digit_at(end) || char_at(end, '.') || (char_at(end, ':') && digit_at(end + 1))) ++end;
    while (text_[end - 1] == '.') --end;  // a full stop
    number.end = end;
    const std::string_view run = text_.substr(begin, end - begin);
    if (run.find(':') != run.npos) {
      number.kind = NumberKind::kClock;
    } else if (std::count(run.begin(), run.end(), '.') > 1) {
      number.kind = NumberKind::kMalformed;
    } else {
      number.value = parse_decimal(run);
      read_unit(number);
    }
    return number;
  }

  void read_unit(ScannedNumber& number) const {
    const size_t at = skip_blanks(number.end);
    const std::string_view word = word_at(text_, at);
    const auto is_word = [word](std::string_view unit) { return equals_ignoring_case(word, unit); };
    if (char_at(at, '%')) {
      number.kind = NumberKind::kPercent;
      number.end = at + 1;
    } else if (is_word("percent")) {
      number.kind = NumberKind::kPercent;
      number.end = at + word.size();
    } else if (std::any_of(std::begin(kTimeUnits), std::end(kTimeUnits), is_word)) {
      number.kind = NumberKind::kTime;
      number.end = at + word.size();
    }
  }

  // Where the second number would start, or the text's end when no separator stands at `at`.
  size_t after_separator(size_t at, bool and_counts) const {
    if (char_at(at, '.') && dash_length(at + 1) > 0) ++at;  // "0.-1."
    at = skip_blanks(at);
    const std::string_view word = word_at(text_, at);
    if (equals_ignoring_case(word, "to") || (and_counts && equals_ignoring_case(word, "and"))) {
      return skip_blanks(at + word.size());
    }
    if (dash_length(at) == 0) return text_.size();
    while (const size_t length = dash_length(at)) at += length;
    return skip_blanks(at);
  }

  // A hyphen glued to the number and to nothing before it; a bullet has a blank after it.
  bool is_signed(size_t begin) const {
    if (begin == 0 || text_[begin - 1] != '-') return false;
    return begin == 1 || kBlanks.find(text_[begin - 2]) != kBlanks.npos;
  }

  // A digit and a comma stand right before `begin`, and that digit belongs to no pair.
  bool follows_comma(size_t begin, size_t pair_end) const {
    return begin >= 2 && text_[begin - 1] == ',' && is_digit(text_[begin - 2]) &&
           pair_end != begin - 1;
  }

  std::string_view text_;
};

}  // namespace

std::vector<ScannedPair> scan_pairs(std::string_view text) { return Scanner(text).pairs(); }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

std::string_view word_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_letter(text[end])) ++end;
  return at < text.size() ? text.substr(at, end - at) : std::string_view();
}

std::string_view word_before(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

}  // namespace vidi
