#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/text/answer.h"
#include "tests/support/printed_answer.h"

namespace vidi {
namespace {

using nlohmann::json;

// "0.12-0.34 dog; 0.5-0.61": the ranges of an answer in one line.
std::string ranges_of(const ParsedAnswer& answer) {
  std::string line;
  for (const AnswerRange& range : answer.ranges) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%.4g-%.4g", range.start, range.stop);
    line += (line.empty() ? "" : "; ") + std::string(numbers);
    if (!range.label.empty()) line += " " + range.label;
  }
  return line;
}

std::string read(std::string_view text) { return ranges_of(parse_answer(text)); }

// Whether some note holds `part`.
bool notes_say(const ParsedAnswer& answer, const std::string& part) {
  return std::any_of(answer.notes.begin(), answer.notes.end(),
                     [&](const std::string& note) { return note.find(part) != note.npos; });
}

void expect_printed_as_published(Family family, const std::string& name) {
  std::ifstream file(std::string(VIDI_TEST_DATA) + "/frontend/ranges-" + name + ".json");
  const json golden = json::parse(file);
  ASSERT_EQ(golden.size(), 96u);
  for (const json& entry : golden) {
    const PrintedAnswer printed =
        print_answer(family, entry["answer"].get<std::string>(), entry["length"].get<double>());
    EXPECT_EQ(printed.failed, entry.contains("error")) << entry;
    EXPECT_EQ(printed.text, entry.value("printed", "")) << entry;
  }
}

// Vidi1.5's printed form must be what the authors' program prints.
TEST(PrintedAnswer, Vidi15AsPublished) { expect_printed_as_published(Family::kVidi15, "vidi15"); }

// Vidi-7B's printed form must be what the authors' program prints, and fail where that fails.
TEST(PrintedAnswer, Vidi7bAsPublished) { expect_printed_as_published(Family::kVidi7b, "vidi7b"); }

// Numbers and lengths of any size must print or fail, never overflow.
TEST(PrintedAnswer, SurvivesHugeNumbers) {
  const std::string nines(100000, '9'), zeros(100000, '0');
  EXPECT_TRUE(print_answer(Family::kVidi7b, nines + "-1", 10).failed);
  EXPECT_EQ(print_answer(Family::kVidi7b, "0." + zeros + "1-1.", 10).text,
            "00:00:0.00-00:00:10.00");
  EXPECT_EQ(print_answer(Family::kVidi15, "0." + nines + "-0." + zeros, 10).text,
            "00:00:10-00:00:00");
  EXPECT_FALSE(print_answer(Family::kVidi15, "1.0-1.0", 1e308).failed);
  EXPECT_TRUE(print_answer(Family::kVidi15, "9.0-9.0", 1e308).failed);
  EXPECT_TRUE(
      print_answer(Family::kVidi15, "0.0-1.0", std::numeric_limits<double>::infinity()).failed);
  EXPECT_TRUE(
      print_answer(Family::kVidi15, "0.0-1.0", std::numeric_limits<double>::quiet_NaN()).failed);
  EXPECT_EQ(print_answer(Family::kVidi15, "1.0-1.0", 400000).text, "111:06:40-111:06:40");
}

// The form that the models are trained on must be read without any note.
TEST(ParsedAnswer, PublishedForm) {
  const ParsedAnswer answer = parse_answer("0.12-0.34, 0.50-0.61");
  EXPECT_EQ(ranges_of(answer), "0.12-0.34; 0.5-0.61");
  EXPECT_TRUE(answer.notes.empty());
  EXPECT_TRUE(answer.understood);
  EXPECT_FALSE(answer.says_none);
}

// Blanks, missing decimals, other dashes, "to", "~" and other separators must read like the
// published form.
TEST(ParsedAnswer, ToleratesForms) {
  for (const std::string text :
       {"0-1", "0.0 - 1.0", " 0 -1 ", "0 to 1", "0 TO 1", "0~1", "0\u20131", "0 \u2014 1",
        "0\u22121", "0--1", "0.-1.", "[0-1]", "(0.0, ...) 0-1", "- 0-1", "0-1."}) {
    EXPECT_EQ(read(text), "0-1") << text;
  }
  EXPECT_EQ(read(".5-.6"), "0.5-0.6");
  EXPECT_EQ(read("1-1"), "1-1");
  EXPECT_EQ(read("00.12-0.34"), "0.12-0.34");
  for (const std::string text :
       {"0.1-0.2|0.3-0.4", "0.1-0.2;0.3-0.4", "0.1-0.2 and 0.3-0.4", "0.1-0.2, then 0.3-0.4",
        "0.1-0.2 0.3-0.4", "0.1-0.2,0.3-0.4", "0.1-0.2\n0.3-0.4\n", "* 0.1-0.2\n* 0.3-0.4",
        "from 0.1 to 0.2 and from 0.3 to 0.4", "between 0.1 and 0.2, between 0.3 and 0.4"}) {
    const ParsedAnswer answer = parse_answer(text);
    EXPECT_EQ(ranges_of(answer), "0.1-0.2; 0.3-0.4") << text;
    EXPECT_TRUE(answer.notes.empty()) << text << ": " << answer.notes[0];
  }
}

// Percent, on one side or both, is divided by a hundred and said.
TEST(ParsedAnswer, Percent) {
  for (const std::string text :
       {"12%-34%", "12 % - 34 %", "12-34%", "12 to 34 percent", "12%-34"}) {
    const ParsedAnswer answer = parse_answer(text);
    EXPECT_EQ(ranges_of(answer), "0.12-0.34") << text;
    EXPECT_TRUE(notes_say(answer, "percent")) << text;
  }
}

// A reversed range is swapped, values beyond the window are clamped, and both are said.
TEST(ParsedAnswer, SwapsAndClamps) {
  const ParsedAnswer swapped = parse_answer("0.9-0.1");
  EXPECT_EQ(ranges_of(swapped), "0.1-0.9");
  EXPECT_TRUE(notes_say(swapped, "swapped \"0.9-0.1\""));
  const ParsedAnswer clamped = parse_answer("0.5-1.5, 110%-20%");
  EXPECT_EQ(ranges_of(clamped), "0.2-1");
  EXPECT_TRUE(notes_say(clamped, "clamped \"0.5-1.5\" to 0.5-1"));
  EXPECT_TRUE(notes_say(clamped, "clamped \"110%-20%\" to 0.2-1"));
  EXPECT_EQ(read("2.5-3.5"), "1-1");
  EXPECT_EQ(read(std::string(1000, '9') + "-0.5"), "0.5-1");
  EXPECT_TRUE(notes_say(parse_answer("-0.5-0.6"), "minus sign"));
}

// Overlapping and touching ranges of one label become one that spans the text of all; other labels
// stay apart.
TEST(ParsedAnswer, JoinsOverlaps) {
  const std::string text = "0.4-0.6, 0.1-0.2, 0.5-0.8, 0.8-0.9";
  const ParsedAnswer answer = parse_answer(text);
  EXPECT_EQ(ranges_of(answer), "0.1-0.2; 0.4-0.9");
  EXPECT_TRUE(notes_say(answer, "joined 0.4-0.6 and 0.5-0.8"));
  EXPECT_TRUE(notes_say(answer, "joined 0.4-0.8 and 0.8-0.9"));
  EXPECT_EQ(answer.ranges[0].text_begin, text.find("0.1"));
  EXPECT_EQ(answer.ranges[1].text_begin, 0u);
  EXPECT_EQ(answer.ranges[1].text_end, text.size());
  EXPECT_EQ(read("0.1-0.5 dog, 0.3-0.8 cat, 0.4-0.6 dog"), "0.1-0.6 dog; 0.3-0.8 cat");
  EXPECT_EQ(read("0.1-0.9, 0.2-0.3, 0.5-0.6"), "0.1-0.9");
}

// Each range says which bytes of the answer it was read from: the numbers, without label and
// brackets.
TEST(ParsedAnswer, KeepsTextPositions) {
  const std::string text = "at (12 % \u2013 34%) a dog, 0.5 to 0.6 cat";
  const ParsedAnswer answer = parse_answer(text);
  ASSERT_EQ(answer.ranges.size(), 2u);
  const auto slice = [&](int i) {
    return text.substr(answer.ranges[i].text_begin,
                       answer.ranges[i].text_end - answer.ranges[i].text_begin);
  };
  EXPECT_EQ(slice(0), "12 % \u2013 34%");
  EXPECT_EQ(slice(1), "0.5 to 0.6");
}

// The answer "none" in its forms, and no answer at all, mean that nothing was found, and that is
// clear.
TEST(ParsedAnswer, SaysNone) {
  for (const std::string text : {"", " \n", "none", "None.", "NONE", "no", "No.", "N/A", "n/a.",
                                 "\"none\"", "Nothing", "not found", "null"}) {
    const ParsedAnswer answer = parse_answer(text);
    EXPECT_TRUE(answer.says_none) << text;
    EXPECT_TRUE(answer.understood) << text;
    EXPECT_TRUE(answer.ranges.empty() && answer.notes.empty()) << text;
  }
}

// A sentence that begins with "no" is clear too; it is quoted in a note.
TEST(ParsedAnswer, SaysNoneInASentence) {
  const ParsedAnswer answer = parse_answer("No, there is no dog.");
  EXPECT_TRUE(answer.says_none && answer.understood);
  EXPECT_TRUE(notes_say(answer, "dropped \"No, there is no dog.\""));
}

// Text without ranges that is not "none" must not be taken for one, and must be quoted in a note.
TEST(ParsedAnswer, NotUnderstood) {
  for (const std::string text :
       {"abc", "0.5", "0.12-", "no idea", "nonesuch", "the dog at 0.3", "\u4f60\u597d", "..."}) {
    const ParsedAnswer answer = parse_answer(text);
    EXPECT_FALSE(answer.says_none || answer.understood) << text;
    EXPECT_TRUE(notes_say(answer, "dropped \"" + text)) << text;
  }
}

// Titles after the ranges of a highlight answer are their labels.
TEST(ParsedAnswer, Labels) {
  EXPECT_EQ(read("0.12-0.34 dog, 0.50-0.61 saying goal"), "0.12-0.34 dog; 0.5-0.61 saying goal");
  EXPECT_EQ(read("0.12-0.34: dog; 0.50-0.61 - a \u201ccat\u201d."),
            "0.12-0.34 dog; 0.5-0.61 a \u201ccat\u201d");
  EXPECT_EQ(read("1. 0.12-0.34 dog\n2. 0.50-0.61 cat\n"), "0.12-0.34 dog; 0.5-0.61 cat");
  EXPECT_EQ(read("0.1-0.2 \"a goal\" and 0.3-0.4 player 10 scores"),
            "0.1-0.2 a goal; 0.3-0.4 player 10 scores");
  EXPECT_EQ(read("0.1-0.2 \u72ac\uff0c0.3-0.4"), "0.1-0.2 \u72ac; 0.3-0.4");
  EXPECT_EQ(read("[0.1-0.2] dog (brown), [0.3-0.4]"), "0.1-0.2 dog (brown); 0.3-0.4");
  EXPECT_TRUE(parse_answer("0.12-0.34 dog, 0.50-0.61 saying goal").notes.empty());
}

// Sentences around the ranges are no labels; what is dropped of them is said.
TEST(ParsedAnswer, Prose) {
  const ParsedAnswer answer = parse_answer("The dog is seen from 0.25 to 0.75 of the video.");
  EXPECT_EQ(ranges_of(answer), "0.25-0.75");
  EXPECT_TRUE(notes_say(answer, "dropped \"The dog is seen\""));
  EXPECT_TRUE(notes_say(answer, "dropped \"of the video\""));
  EXPECT_EQ(read("It lasts from 0.1-0.2 in part one.\nAnd then here: 0.3-0.4"), "0.1-0.2; 0.3-0.4");
  EXPECT_EQ(read("dog: 0.1-0.2, cat: 0.3-0.4"), "0.1-0.2; 0.3-0.4");
  const ParsedAnswer chain = parse_answer("0.25-0.75-0.9");
  EXPECT_EQ(ranges_of(chain), "0.25-0.75");
  EXPECT_TRUE(notes_say(chain, "dropped \"0.9\""));
}

// Clock times, seconds and broken numbers are not fractions: dropped with a note, never misread.
TEST(ParsedAnswer, DropsWhatIsNoFraction) {
  for (const std::string text :
       {"00:12-00:34", "0:12 to 0:34", "00:00:12.5-00:00:34.0", "0.5-00:34", "3-5 seconds", "3s-5s",
        "0.1.2-0.3", "0.1-0.2.3", "0,12-0,34"}) {
    const ParsedAnswer answer = parse_answer(text);
    EXPECT_EQ(ranges_of(answer), "") << text;
    EXPECT_FALSE(answer.understood) << text;
    EXPECT_TRUE(notes_say(answer, "dropped")) << text;
  }
  const ParsedAnswer mixed = parse_answer("00:12-00:34 dog, 0.5-0.6 cat");
  EXPECT_EQ(ranges_of(mixed), "0.5-0.6 cat");
  EXPECT_TRUE(notes_say(mixed, "dropped \"00:12-00:34\": clock times"));
  EXPECT_TRUE(notes_say(mixed, "dropped \"dog\""));
  EXPECT_EQ(read("0-1,0-1,0-1"), "0-1");
}

// Long answers of any form must be read in linear time without deep recursion.
TEST(ParsedAnswer, LongTexts) {
  std::string ranges, chain = "0.5";
  for (int i = 0; i < 100000; ++i) {
    ranges += "0.5-0.5 x" + std::to_string(i) + ", ";
    chain += "-0.5";
  }
  EXPECT_EQ(parse_answer(ranges).ranges.size(), 100000u);
  EXPECT_EQ(parse_answer(chain).ranges.size(), 1u);
  for (const char* part : {"1", ".", "-", " ", "1 ", "1-", "0.", ":", "1:", "and ", "\xE2\x80\x93",
                           "\xFF", "1 to ", "from "}) {
    std::string text;
    while (text.size() < 400000) text += part;
    parse_answer(text);
    print_answer(Family::kVidi15, text, 10);
    print_answer(Family::kVidi7b, text, 10);
  }
}

}  // namespace
}  // namespace vidi
