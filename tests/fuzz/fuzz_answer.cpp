// Whatever the model says, both readings of it keep the promises of answer.h.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>

#include "model/text/answer.h"
#include "model/text/utf8.h"
#include "tests/support/printed_answer.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_ranges(const vidi::ParsedAnswer& answer, std::string_view text) {
  std::map<std::string, double> stop_of_label;
  double last_start = 0;
  for (const vidi::AnswerRange& range : answer.ranges) {
    require(0 <= range.start && range.start <= range.stop && range.stop <= 1);
    require(last_start <= range.start);
    last_start = range.start;
    const auto [entry, is_new] = stop_of_label.emplace(range.label, range.stop);
    require(is_new || entry->second < range.start);
    entry->second = range.stop;
    require(range.text_begin < range.text_end && range.text_end <= text.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const vidi::ParsedAnswer answer = vidi::parse_answer(text);
  check_ranges(answer, text);
  require(answer.understood == (answer.says_none || !answer.ranges.empty()));
  require(answer.understood || !answer.notes.empty());
  if (vidi::is_utf8(text)) {
    for (const std::string& note : answer.notes) require(vidi::is_utf8(note));
    for (const vidi::AnswerRange& range : answer.ranges) require(vidi::is_utf8(range.label));
  }
  const double lengths[] = {0, 9.31, 7199.999, 1e308, -1, std::numeric_limits<double>::infinity()};
  for (const double length_s : lengths) {
    vidi::print_answer(vidi::Family::kVidi15, text, length_s);
    vidi::print_answer(vidi::Family::kVidi7b, text, length_s);
  }
  return 0;
}
