// The product's reading of an answer: pairs of numbers from the scanner, judged, labelled, sorted
// and joined.
#include "model/text/answer.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

#include "model/text/answer_scanner.h"
#include "model/text/utf8.h"

namespace vidi {
namespace {

constexpr size_t kQuotedBytes = 60;  // of the answer, in a note
constexpr std::string_view kNone[] = {"",          "none",        "no",
                                      "n/a",       "na",          "nothing",
                                      "null",      "nil",         "nothing found",
                                      "not found", "not visible", "not present",
                                      "no match",  "no matches",  "no segments",
                                      "no results"};
// Words that lead to the next range, at the end of the text before it.
constexpr std::string_view kLeads[] = {"and", "then", "or", "also", "from", "between", "at"};
// Words after a range that go on with a sentence: what follows them is no title.
constexpr std::string_view kProse[] = {"of",    "in",    "is",    "are",  "was",  "were",
                                       "where", "while", "which", "that", "when", "because"};

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words),
                     [word](std::string_view each) { return equals_ignoring_case(word, each); });
}

// A piece of the answer for a note, shortened between characters.
std::string quoted(std::string_view text) {
  size_t end = std::min(text.size(), kQuotedBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return '"' + std::string(text.substr(0, end)) + (end < text.size() ? "..." : "") + '"';
}

std::string range_text(double start, double stop) {
  const auto number = [](double value) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
  };
  return number(start) + "-" + number(stop);
}

std::string_view without_front(std::string_view text, std::string_view characters) {
  return text.substr(std::min(text.find_first_not_of(characters), text.size()));
}

std::string_view without_back(std::string_view text, std::string_view characters) {
  const size_t last = text.find_last_not_of(characters);
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

// Without blanks, en and em dash and the Chinese marks , . ; : and list comma at both ends.
std::string_view without_wide_marks(std::string_view text) {
  constexpr std::string_view kMarks[] = {"\u2013", "\u2014", "\uFF0C", "\u3002",
                                         "\uFF1B", "\uFF1A", "\u3001"};
  constexpr size_t kMarkBytes = 3;
  for (;;) {
    text = trim(text);
    if (is_one_of(text.substr(0, kMarkBytes), kMarks)) {
      text.remove_prefix(kMarkBytes);
    } else if (text.size() >= kMarkBytes &&
               is_one_of(text.substr(text.size() - kMarkBytes), kMarks)) {
      text.remove_suffix(kMarkBytes);
    } else {
      return text;
    }
  }
}

// What is left of the text between two ranges without punctuation and words that lead to the next
// range: nothing, a title, or a piece of a sentence.
std::string_view core_of(std::string_view text) {
  constexpr std::string_view kFront = " \t\r\n,;:.|-*)]}", kBack = " \t\r\n,;:.|-*([{";
  text = without_back(without_front(without_wide_marks(text), kFront), kBack);
  for (;;) {
    const std::string_view word = word_before(text, text.size());
    if (!is_one_of(word, kLeads)) break;
    text = without_back(text.substr(0, text.size() - word.size()), kBack);
  }
  const bool is_quoted = text.size() >= 2 && text.front() == text.back() &&
                         (text.front() == '"' || text.front() == '\'');
  return without_wide_marks(is_quoted ? text.substr(1, text.size() - 2) : text);
}

bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

// "none", "None.", "N/A" or nothing at all.
bool is_none(std::string_view text) {
  const std::string_view said = without_back(without_front(trim(text), "\"'*("), "\"'*.!)");
  return is_one_of(said, kNone) && (!said.empty() || trim(text).empty());
}

// "No, the dog is not there.": nothing was found, in a sentence.
bool begins_with_none(std::string_view text) {
  constexpr std::string_view kFirst[] = {"none", "no", "nothing"};
  const std::string_view said = trim(text), word = word_at(said, 0);
  const bool ends_there =
      word.size() < said.size() && std::string_view(",.;:!\n").find(said[word.size()]) != said.npos;
  return is_one_of(word, kFirst) && ends_there;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  ParsedAnswer read() {
    const std::vector<ScannedPair> pairs = scan_pairs(text_);
    if (pairs.empty()) {
      read_without_pairs();
      return std::move(answer_);
    }
    note_dropped(core_of(text_.substr(0, pairs[0].first.begin)));
    for (size_t i = 0; i < pairs.size(); ++i) {
      const size_t end = i + 1 < pairs.size() ? pairs[i + 1].first.begin : text_.size();
      const bool kept = read_pair(pairs[i]);
      read_label(text_.substr(pairs[i].second.end, end - pairs[i].second.end),
                 kept && !pairs[i].in_prose);
    }
    answer_.understood = !answer_.ranges.empty();
    join_overlaps();
    return std::move(answer_);
  }

 private:
  void read_without_pairs() {
    answer_.says_none = is_none(text_) || begins_with_none(text_);
    answer_.understood = answer_.says_none;
    if (!is_none(text_)) note_dropped(trim(text_));
  }

  // Adds the pair as a range, or says why not.
  bool read_pair(const ScannedPair& pair) {
    const std::string_view text =
        text_.substr(pair.first.begin, pair.second.end - pair.first.begin);
    const auto is = [&](NumberKind kind) {
      return pair.first.kind == kind || pair.second.kind == kind;
    };
    if (is(NumberKind::kClock)) return drop(text, "clock times are not fractions");
    if (is(NumberKind::kTime)) return drop(text, "times are not fractions");
    if (is(NumberKind::kMalformed)) return drop(text, "not two numbers");
    AnswerRange range;
    range.start = pair.first.value;
    range.stop = pair.second.value;
    range.text_begin = pair.first.begin;
    range.text_end = pair.second.end;
    if (pair.has_sign) note("ignored the minus sign before " + quoted(text));
    if (is(NumberKind::kPercent)) {
      range.start /= 100;
      range.stop /= 100;
      note("read " + quoted(text) + " as percent");
    }
    put_in_order(range, text);
    answer_.ranges.push_back(range);
    return true;
  }

  void put_in_order(AnswerRange& range, std::string_view text) {
    if (range.stop < range.start) {
      std::swap(range.start, range.stop);
      note("swapped " + quoted(text));
    }
    if (range.stop <= 1) return;
    range.start = std::min(range.start, 1.0);
    range.stop = 1;
    note("clamped " + quoted(text) + " to " + range_text(range.start, range.stop));
  }

  // Text up to the next range: the label of the last one when it reads like a title, else dropped.
  // A title ends with its line; one that ends in a colon speaks of what comes next.
  void read_label(std::string_view between, bool may_label) {
    const size_t line_end = std::min(between.find('\n'), between.size());
    const std::string_view line = between.substr(0, line_end);
    const std::string_view title = core_of(line);
    const bool announces = trim(line).ends_with(':');
    const bool is_title =
        may_label && has_letter(title) && !announces && !is_one_of(word_at(title, 0), kProse);
    if (is_title) {
      answer_.ranges.back().label = title;
    } else {
      note_dropped(title);
    }
    note_dropped(core_of(between.substr(line_end)));
  }

  // Ranges of one label that overlap or touch become one. Sorted by start before and after.
  void join_overlaps() {
    std::vector<AnswerRange> sorted = std::move(answer_.ranges);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const AnswerRange& a, const AnswerRange& b) { return a.start < b.start; });
    answer_.ranges.clear();
    std::map<std::string, size_t> last_of_label;
    for (AnswerRange& range : sorted) {
      const auto [entry, is_new] = last_of_label.emplace(range.label, answer_.ranges.size());
      if (!is_new && range.start <= answer_.ranges[entry->second].stop) {
        join(answer_.ranges[entry->second], range);
        continue;
      }
      entry->second = answer_.ranges.size();
      answer_.ranges.push_back(std::move(range));
    }
  }

  void join(AnswerRange& range, const AnswerRange& other) {
    note("joined " + range_text(range.start, range.stop) + " and " +
         range_text(other.start, other.stop));
    range.stop = std::max(range.stop, other.stop);
    range.text_begin = std::min(range.text_begin, other.text_begin);
    range.text_end = std::max(range.text_end, other.text_end);
  }

  void note(std::string text) { answer_.notes.push_back(std::move(text)); }
  void note_dropped(std::string_view text) {
    if (!text.empty()) note("dropped " + quoted(text));
  }
  bool drop(std::string_view text, const std::string& why) {
    note("dropped " + quoted(text) + ": " + why);
    return false;
  }

  std::string_view text_;
  ParsedAnswer answer_;
};

}  // namespace

ParsedAnswer parse_answer(std::string_view text) { return Reader(text).read(); }

}  // namespace vidi
