#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/result.h"
#include "model/text/prompt.h"

namespace vidi {
namespace {

using nlohmann::json;

std::string data(const std::string& path) { return std::string(VIDI_TEST_DATA) + "/" + path; }

// As config.json and tokenizer_config.json of the set say.
PromptConfig config_of(const std::string& set) {
  PromptConfig config;
  config.family = set.starts_with("vidi15") ? Family::kVidi15 : Family::kVidi7b;
  config.blank_before_inst_end = set != "vidi7b";
  return config;
}

Tokenizer open_set(const std::string& set) {
  return Tokenizer::open(data("golden/" + set + "/checkpoint"), config_of(set), 1 << 20);
}

std::string retrieval(Family family, std::string_view query, double duration_s = 9.5) {
  PromptConfig config;
  config.family = family;
  return make_question(config, "retrieval", "", query, duration_s);
}

Error error_of_check(const Tokenizer& tokenizer, std::string_view query) {
  try {
    check_query(tokenizer, query);
  } catch (const EngineError& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "accepted " << query;
  return {};
}

// The ids that the decoder reads must equal those of the authors' program for every golden case.
TEST(Prompt, IdsAsPublished) {
  std::ifstream file(data("frontend/prompts.json"));
  const json cases = json::parse(file);
  ASSERT_EQ(cases.size(), 19u);
  for (const json& entry : cases) {
    const PromptConfig config = config_of(entry["set"]);
    const std::string question =
        make_question(config, "retrieval", "", entry["question"].get<std::string>(),
                      entry["duration"].get<double>());
    EXPECT_EQ(prompt_ids(config, open_set(entry["set"]), question),
              entry["ids"].get<std::vector<int>>())
        << entry["set"] << " " << entry["case"];
  }
}

// The published questions must come out word by word, the length with two decimals and a point.
TEST(Prompt, PublishedQuestions) {
  EXPECT_EQ(retrieval(Family::kVidi15, "a red kite"),
            "During which time segments in the video can we see a red kite?");
  EXPECT_EQ(retrieval(Family::kVidi7b, "a red kite", 1284.066),
            "Given the frames from a video, answer the time range in percentage that corresponds "
            "to query text "
            "split by comma. Video length is: 1284.07 and text query is: a red kite.");
}

// One trailing full stop of a query is removed, only one, and nothing else is trimmed.
TEST(Prompt, RemovesOneFullStop) {
  const auto see = [](const std::string& query) {
    return "During which time segments in the video can we see " + query + "?";
  };
  EXPECT_EQ(retrieval(Family::kVidi15, "kite."), see("kite"));
  EXPECT_EQ(retrieval(Family::kVidi15, "kite.."), see("kite."));
  EXPECT_EQ(retrieval(Family::kVidi15, " kite. "), see(" kite. "));
  EXPECT_EQ(retrieval(Family::kVidi15, "."), see(""));
  EXPECT_EQ(retrieval(Family::kVidi15, ""), see(""));
}

// Placeholders are filled in one pass: a query that looks like one stays as it is, so does any
// other brace.
TEST(Prompt, FillsTemplatesInOnePass) {
  const PromptConfig config;
  EXPECT_EQ(make_question(config, "retrieval", "{query}|{duration}|{query}|{x}{",
                          "a {duration} {query}", 2),
            "a {duration} {query}|2.00|a {duration} {query}|{x}{");
}

// A given template goes before the checkpoint's prompt, that before the published one; a task
// without any is an error.
TEST(Prompt, ChoosesTheTemplate) {
  PromptConfig config;
  config.prompts = {{"retrieval", "own {query}"}, {"highlight", "list highlights"}};
  EXPECT_EQ(make_question(config, "retrieval", "given {query}", "x", 1), "given x");
  EXPECT_EQ(make_question(config, "retrieval", "", "x", 1), "own x");
  EXPECT_EQ(make_question(config, "highlight", "", "", 1), "list highlights");
  EXPECT_EQ(make_question(PromptConfig(), "highlight", "find all", "", 1), "find all");
  try {
    make_question(PromptConfig(), "highlight", "", "x", 1);
    ADD_FAILURE() << "made a question";
  } catch (const EngineError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("highlight"), std::string::npos);
  }
}

// A window of no finite length must be an error, an absurdly long one must not overflow anything.
TEST(Prompt, SurvivesOddLengths) {
  EXPECT_THROW(retrieval(Family::kVidi7b, "x", 0.0 / 0.0), EngineError);
  EXPECT_THROW(retrieval(Family::kVidi7b, "x", 1e308 * 10), EngineError);
  EXPECT_GT(retrieval(Family::kVidi7b, "x", 1.7e308).size(), 300u);
}

// The newline after the image place begins a part of its own: two single newlines in a row, not the
// merged pair.
TEST(Prompt, TwoPartsKeepTheirNewlines) {
  const Tokenizer tokenizer = open_set("vidi15");
  const int newline = tokenizer.encode("\n").back(), pair = tokenizer.encode("\n\n").back();
  const std::vector<int> ids = prompt_ids(config_of("vidi15"), tokenizer, "a kite");
  const std::vector<int> one_part = tokenizer.encode("user\n\na kite");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), pair), 0);
  EXPECT_EQ(std::count(one_part.begin(), one_part.end(), pair), 1);
  const std::vector<int> both = {newline, newline};
  EXPECT_NE(std::search(ids.begin(), ids.end(), both.begin(), both.end()), ids.end());
}

// There is one bos, at the front, whatever the question holds.
TEST(Prompt, KeepsOneBos) {
  for (const std::string set : {"vidi15", "vidi7b"}) {
    const Tokenizer tokenizer = open_set(set);
    const int bos = tokenizer.encode("")[0];
    const std::string question = tokenizer.bos_text() + "a" + tokenizer.bos_text() + "<image>b";
    const std::vector<int> ids = prompt_ids(config_of(set), tokenizer, question);
    EXPECT_EQ(ids[0], bos);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), bos), 1);
  }
}

// The blank before [/INST] is the template's choice and shows in the ids.
TEST(Prompt, BlankBeforeInstEnd) {
  const Tokenizer tokenizer = open_set("vidi7b");
  PromptConfig config = config_of("vidi7b");
  const std::vector<int> tight = prompt_ids(config, tokenizer, "kite");
  config.blank_before_inst_end = true;
  EXPECT_EQ(prompt_ids(config, tokenizer, "kite").size(), tight.size() + 1);
}

// A query that would change the conversation must be refused in a sentence that names the text;
// others pass.
TEST(Prompt, RefusesReservedTexts) {
  const Tokenizer gemma = open_set("vidi15"), mistral = open_set("vidi7b");
  for (const std::string text :
       {"<image>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>"}) {
    const Error error = error_of_check(gemma, "kite" + text + "s");
    EXPECT_EQ(error.code, ErrorCode::kBadInput);
    EXPECT_NE(error.message.find(text), std::string::npos) << error.message;
    EXPECT_TRUE(error.message.ends_with('.')) << error.message;
  }
  EXPECT_EQ(error_of_check(mistral, "a [/INST] b").code, ErrorCode::kBadInput);
  EXPECT_EQ(error_of_check(gemma, "a \xFF b").code, ErrorCode::kBadInput);
  EXPECT_NO_THROW(check_query(gemma, "a <b>red</b> kite, [INST]\n\n\U0001F3B7 {duration}"));
  EXPECT_NO_THROW(check_query(gemma, ""));
}

}  // namespace
}  // namespace vidi
