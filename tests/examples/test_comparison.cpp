// How far two passes over a file agree, and which pass is the other's yardstick. No model.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "examples/ask/answer_ranges.h"
#include "examples/ask/comparison.h"
#include "examples/ask/comparison_text.h"
#include "examples/ask/reference_mode.h"

namespace {

constexpr GstClockTime kSecond = GST_SECOND;

Hit hit(const std::string& id, GstClockTime start_s, GstClockTime stop_s, double confidence = 0.5) {
  Hit hit{"query " + id, id, "", start_s * kSecond, stop_s * kSecond, confidence};
  hit.timestamp = hit.start;
  return hit;
}

// A window of ten seconds, with one answer to each question.
WindowAnswers window(uint64_t index, const std::vector<std::string>& texts) {
  WindowAnswers window{index, index * 10 * kSecond, (index + 1) * 10 * kSecond, 0.5, {}, {}, texts};
  for (size_t i = 0; i < texts.size(); ++i) {
    window.ids.push_back(std::to_string(i));
    window.queries.push_back("query " + std::to_string(i));
  }
  return window;
}

Pass pass(std::vector<WindowAnswers> windows, std::vector<Hit> hits = {}) {
  Pass pass;
  pass.windows = std::move(windows);
  pass.hits = std::move(hits);
  return pass;
}

Mode mode(const std::string& device, const std::string& precision, const std::string& weights) {
  return {device, precision, weights, "native"};
}

// ---- Ranges of an answer ----

// Every pair of numbers with a dash is a range; their union is what is compared.
TEST(AnswerRanges, AreReadAndUnited) {
  using Ranges = std::vector<Range>;
  for (const auto& [text, ranges] : std::vector<std::pair<std::string, Ranges>>{
           {"0.125-0.25", {{0.125, 0.25}}},
           {"0.5-0.75 a dog, 0.125 - 0.25 a cat", {{0.125, 0.25}, {0.5, 0.75}}},
           {"0.1-0.4, 0.3-0.5, 0.5-0.6", {{0.1, 0.6}}},
           {"0.75\u20130.5", {{0.5, 0.75}}},
           {"25% to 50%", {{0.25, 0.5}}},
           {"0.5-7", {{0.5, 1}}},
           {"3 dogs, 0.25-0.5", {{0.25, 0.5}}},
           {"0:04-0:09", {}},
           {"none", {}},
           {"0.5-", {}},
           {"", {}}}) {
    EXPECT_EQ(ranges_in(text), ranges) << text;
  }
}

// Whatever the model writes is read without end or harm.
TEST(AnswerRanges, TakeAnyText) {
  for (const std::string& text : {std::string(5000, '9'), "1e999-" + std::string(400, '0'),
                                  std::string("0.-.1-\xff%-:1:-2"), std::string("\0-\0", 3)}) {
    for (const Range& range : ranges_in(text)) {
      EXPECT_GE(range.start, 0) << text;
      EXPECT_LE(range.start, range.stop) << text;
      EXPECT_LE(range.stop, 1) << text;
    }
  }
}

// Shared time over covered time; 1 where neither has any, 0 where one alone has.
TEST(AnswerRanges, OverlapAsSetsOfTime) {
  EXPECT_DOUBLE_EQ(temporal_iou({}, {}), 1);
  EXPECT_DOUBLE_EQ(temporal_iou({{0.5, 1}}, {}), 0);
  EXPECT_DOUBLE_EQ(temporal_iou({{0, 0.5}}, {{0.25, 0.75}}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(temporal_iou({{0, 0.25}, {0.5, 0.75}}, {{0, 0.75}}), 2.0 / 3);
  EXPECT_DOUBLE_EQ(temporal_iou({{0.5, 0.5}}, {{0.5, 0.5}}), 1);
  EXPECT_DOUBLE_EQ(temporal_iou({{0.5, 0.5}}, {{0.75, 0.75}}), 0);
}

// ---- Windows ----

// Answers are compared word for word and by their ranges, each question for itself and all of them.
TEST(Comparison, ComparesAnswersByQuestion) {
  const Pass chosen = pass({window(0, {"0.2-0.4", "none"}), window(1, {"none", "0.5-1.0"})});
  const Pass reference = pass({window(0, {"0.2-0.4", "none"}), window(1, {"None.", "0.5-0.75"})});
  const Comparison comparison(chosen, reference);
  ASSERT_EQ(comparison.questions().size(), 2u);
  const Agreement &first = comparison.questions()[0], &second = comparison.questions()[1];
  EXPECT_EQ(first.query, "query 0");
  EXPECT_EQ(comparison.n_windows(), 2u);
  EXPECT_EQ(first.n_windows, 2u);
  EXPECT_EQ(first.n_same, 1u);
  EXPECT_DOUBLE_EQ(first.mean_iou(), 1);  // other words, the same nothing
  EXPECT_EQ(second.n_same, 1u);
  EXPECT_DOUBLE_EQ(second.mean_iou(), 0.75);
  EXPECT_EQ(comparison.all().n_windows, 4u);
  EXPECT_EQ(comparison.all().n_same, 2u);
  EXPECT_DOUBLE_EQ(comparison.all().mean_iou(), 0.875);
}

// What one mode alone has answered is counted, not compared, and so are the hits that touch it.
TEST(Comparison, LeavesOutWindowsOfOneModeAlone) {
  const std::vector<Hit> hits{hit("0", 2, 4), hit("0", 9, 11), hit("0", 14, 16)};
  const Pass chosen = pass({window(0, {"a"}), window(1, {"b"})}, hits);
  const Pass reference = pass({window(0, {"a"}), window(2, {"c"})}, {hit("0", 2, 4)});
  const Comparison comparison(chosen, reference);
  EXPECT_EQ(comparison.n_windows(), 1u);
  EXPECT_EQ(comparison.n_only_chosen(), 1u);
  EXPECT_EQ(comparison.n_only_reference(), 1u);
  EXPECT_EQ(comparison.all().n_both, 1u);
  EXPECT_EQ(comparison.all().n_only_chosen, 0u);
}

// A question that the model refuses has no answer, so none that agrees.
TEST(Comparison, LeavesOutRefusedQuestions) {
  Pass chosen = pass({window(0, {"a", ""})});
  chosen.refused = {"query 1"};
  const Comparison comparison(chosen, chosen);
  ASSERT_EQ(comparison.questions().size(), 1u);
  EXPECT_EQ(comparison.all().n_windows, 1u);
}

// ---- Hits ----

// A hit has one partner at most, the closest of its question; the shift is the largest of an edge.
TEST(Comparison, MatchesTheClosestHits) {
  const std::vector<WindowAnswers> windows{window(0, {"", ""})};
  const Pass chosen = pass(windows, {hit("0", 0, 10), hit("0", 12, 20), hit("1", 30, 40)});
  const Pass reference =
      pass(windows, {hit("0", 1, 13), hit("0", 12, 21), hit("0", 30, 40), hit("1", 50, 60)});
  const Comparison comparison(chosen, reference);
  const Agreement &first = comparison.questions()[0], &second = comparison.questions()[1];
  EXPECT_EQ(first.n_both, 2u);
  EXPECT_EQ(first.n_only_chosen, 0u);
  EXPECT_EQ(first.n_only_reference, 1u);
  EXPECT_DOUBLE_EQ(first.largest_shift_s().value(), 3);
  EXPECT_EQ(second.n_both, 0u);
  EXPECT_EQ(second.n_only_chosen, 1u);
  EXPECT_EQ(second.n_only_reference, 1u);
  EXPECT_FALSE(second.largest_shift_s());
  EXPECT_DOUBLE_EQ(comparison.all().largest_shift_s().value(), 3);
}

// Highlights of one moment with other titles are other highlights.
TEST(Comparison, TellsTitlesApart) {
  Hit dog = hit("0", 0, 10), cat = dog;
  dog.label = "dog", cat.label = "cat";
  const Comparison comparison(pass({window(0, {""})}, {dog}), pass({window(0, {""})}, {cat}));
  EXPECT_EQ(comparison.all().n_both, 0u);
  EXPECT_EQ(comparison.all().n_only_chosen, 1u);
  EXPECT_EQ(comparison.all().n_only_reference, 1u);
}

// The rms is over matched hits that have a confidence in both modes.
TEST(Comparison, TakesTheRmsOfLogarithms) {
  const std::vector<WindowAnswers> windows{window(0, {""})};
  Hit unsure = hit("0", 40, 50);
  unsure.confidence.reset();
  const Pass chosen = pass(windows, {hit("0", 0, 10, 0.4), hit("0", 20, 30, 0.8), unsure});
  const Pass reference =
      pass(windows, {hit("0", 0, 10, 0.8), hit("0", 20, 30, 0.8), hit("0", 40, 50, 0.1)});
  const Agreement all = Comparison(chosen, reference).all();
  EXPECT_EQ(all.n_both, 3u);
  EXPECT_DOUBLE_EQ(all.rms_log_confidence().value(), std::log(2.0) / std::sqrt(2.0));
}

// ---- What is printed ----

// Every line is an object; the last has both modes, and what is unknown is in none.
TEST(ComparisonText, IsOneObjectALine) {
  Pass chosen = pass({window(0, {"0.2-0.4", "none"})}, {hit("0", 2, 4)});
  Pass reference = chosen;
  chosen.mode = {"cuda:0", "fp16", "int8", "native", 1.5, 10, 20};
  reference.mode = {"cuda:0", "fp16", "native", "native", 2.5, 30, 40};
  std::istringstream lines(comparison_lines(Comparison(chosen, reference), chosen, reference));
  std::vector<nlohmann::json> objects;
  for (std::string line; std::getline(lines, line);) objects.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0]["query"], "query 0");
  EXPECT_EQ(objects[0]["largest_shift"], 0);
  EXPECT_FALSE(objects[1].contains("largest_shift"));
  EXPECT_EQ(objects[2]["type"], "comparison-all");
  EXPECT_EQ(objects[2]["chosen"]["weights"], "int8");
  EXPECT_EQ(objects[2]["reference"]["device_memory"], 40);
  EXPECT_EQ(objects[2]["reference"]["inference_time"], 0.5);
}

// The table has a row a question, one of all where there are several, and the modes by name.
TEST(ComparisonText, HasARowAQuestion) {
  Pass one = pass({window(0, {"none"})}), two = pass({window(0, {"none", "none"})});
  one.mode = two.mode = {"cuda:0", "fp16", "int8", "native", 1.5, 10'000'000, 20'000'000'000};
  const std::string short_table = comparison_table(Comparison(one, one), one, one);
  const std::string long_table = comparison_table(Comparison(two, two), two, two);
  EXPECT_EQ(short_table.find("\nall  "), std::string::npos);
  EXPECT_NE(long_table.find("\nall  "), std::string::npos);
  EXPECT_NE(long_table.find("\nquery 1  "), std::string::npos);
  EXPECT_NE(long_table.find("chosen: cuda:0, fp16, int8 weights"), std::string::npos);
  EXPECT_NE(long_table.find("10.0 MB"), std::string::npos);
  EXPECT_NE(long_table.find("20.0 GB"), std::string::npos);
}

// ---- The reference ----

// Native weights in 16 bits on a GPU and in fp32 on the CPU; a command line knows its device or
// not.
TEST(ReferenceMode, IsKnownBeforeOrAfterLoading) {
  EXPECT_TRUE(is_reference(mode("cpu", "fp32", "native")));
  EXPECT_TRUE(is_reference(mode("cuda:0", "bf16", "native")));
  EXPECT_FALSE(is_reference(mode("cuda:0", "fp32", "native")));
  EXPECT_FALSE(is_reference(mode("cuda:0", "fp16", "int8")));
  Arguments arguments;
  EXPECT_FALSE(asks_for_reference(arguments));  // the form is what fits
  arguments.weights = arguments.keys = "native";
  EXPECT_TRUE(asks_for_reference(arguments));
  arguments.precision = "fp32";
  EXPECT_FALSE(asks_for_reference(arguments));  // on a GPU it is another mode
  arguments.device = "cpu";
  EXPECT_TRUE(asks_for_reference(arguments));
  arguments.device = "cuda:1";
  EXPECT_FALSE(asks_for_reference(arguments));
  arguments.precision = "bf16";
  EXPECT_TRUE(asks_for_reference(arguments));
  arguments.weights = "int8";
  EXPECT_FALSE(asks_for_reference(arguments));
  arguments.weights = "native", arguments.keys = "int8";
  EXPECT_FALSE(asks_for_reference(arguments));
}

// The reference has the same options on the same device, and writes no files.
TEST(ReferenceMode, KeepsAllElse) {
  Arguments arguments;
  arguments.weights = arguments.keys = "int8", arguments.rate = 2;
  arguments.exports.files.push_back({nullptr, "hits.vtt"});
  arguments.exports.clips.folder = "clips";
  for (const auto& [device, precision, wanted] :
       std::vector<std::array<std::string, 3>>{{"cpu", "fp32", "fp32"},
                                               {"cuda:1", "fp16", "fp16"},
                                               {"cuda:1", "bf16", "bf16"},
                                               {"cuda:1", "fp32", "fp16"}}) {
    const Arguments reference = reference_of(arguments, mode(device, precision, "int8"));
    EXPECT_EQ(reference.device, device);
    EXPECT_EQ(reference.precision, wanted);
    EXPECT_EQ(reference.weights, "native");
    EXPECT_EQ(reference.keys, "native");
    EXPECT_EQ(reference.rate, 2);
    EXPECT_TRUE(reference.exports.files.empty());
    EXPECT_EQ(reference.exports.clips.folder, "");
  }
}

// ---- Messages of the element ----

// A vidi/window and a vidi/model are read field by field; what is missing is empty.
TEST(Pass, ReadsMessages) {
  gst_init(nullptr, nullptr);
  GstStructure* window = gst_structure_from_string(
      "vidi/window,window-index=(guint64)3,window-start=(guint64)1,window-stop=(guint64)2,"
      "inference-time=(guint64)500000000,queries=<(string)\"a dog\",(string)\"a "
      "cat\">,query-ids=<(string)0,(string)1>,"
      "texts=<(string)\"0.1-0.2\",(string)\"\">",
      nullptr);
  ASSERT_TRUE(window);
  const WindowAnswers answers = answers_of(window);
  gst_structure_free(window);
  EXPECT_EQ(answers.index, 3u);
  EXPECT_EQ(answers.stop, 2u);
  EXPECT_DOUBLE_EQ(answers.inference_s, 0.5);
  EXPECT_EQ(answers.queries, (std::vector<std::string>{"a dog", "a cat"}));
  EXPECT_EQ(answers.texts, (std::vector<std::string>{"0.1-0.2", ""}));
  GstStructure* model = gst_structure_from_string(
      "vidi/model,device=cpu,precision=fp32,weights=int8,keys=native,weight-bytes=(guint64)9",
      nullptr);
  ASSERT_TRUE(model);
  const Mode mode = mode_of(model);
  gst_structure_free(model);
  EXPECT_EQ(mode.name(), "fp32, int8 weights");
  EXPECT_EQ(mode.weight_bytes, 9u);
  EXPECT_EQ(mode.load_s, 0);
}

}  // namespace
