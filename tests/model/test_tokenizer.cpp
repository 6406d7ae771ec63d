#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "model/result.h"
#include "model/text/tokenizer.h"

namespace vidi {
namespace {

using nlohmann::json;

const std::vector<std::string> kSets = {"vidi15", "vidi15-variant", "vidi7b", "vidi7b-variant"};
constexpr int kVocab = 1 << 20;

std::string data(const std::string& path) { return std::string(VIDI_TEST_DATA) + "/" + path; }

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

PromptConfig prompt_of(const std::string& set) {
  PromptConfig prompt;
  prompt.family = set.starts_with("vidi15") ? Family::kVidi15 : Family::kVidi7b;
  return prompt;
}

Tokenizer open_set(const std::string& set) {
  return Tokenizer::open(data("golden/" + set + "/checkpoint"), prompt_of(set), kVocab);
}

std::vector<int> without_bos(const std::vector<int>& ids) { return {ids.begin() + 1, ids.end()}; }

// A folder of its own that vanishes with the test.
class DamagedTokenizer : public testing::Test {
 protected:
  DamagedTokenizer() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        testing::TempDir() + "vidi-tokenizer-" + test->name() + "-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    good_ = read_bytes(data("golden/vidi15/checkpoint/tokenizer.model"));
  }
  ~DamagedTokenizer() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& bytes) {
    std::ofstream(folder_ + "/tokenizer.model", std::ios::binary) << bytes;
  }

  // The error of opening the folder; its message must be a sentence that names the file.
  Error error_of_open(int vocab = kVocab) {
    try {
      Tokenizer::open(folder_, prompt_of("vidi15"), vocab);
    } catch (const EngineError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("tokenizer.model"), std::string::npos) << message;
      return {error.code(), message};
    }
    ADD_FAILURE() << "opened";
    return {};
  }

  std::string folder_, good_;
};

// Ids must equal those of the published tokenizers, for every recorded text of every set.
TEST(Tokenizer, EncodesAsPublished) {
  for (const std::string& set : kSets) {
    const Tokenizer tokenizer = open_set(set);
    const json golden = json::parse(read_bytes(data("frontend/tokenizer-" + set + ".json")));
    ASSERT_GT(golden["encode"].size(), 50u);
    for (const json& entry : golden["encode"]) {
      EXPECT_EQ(tokenizer.encode(entry["text"].get<std::string>()),
                entry["ids"].get<std::vector<int>>())
          << set << ": " << entry["text"];
    }
  }
}

// Text must equal that of the published tokenizers, broken byte runs and special tokens included.
TEST(Tokenizer, DecodesAsPublished) {
  for (const std::string& set : kSets) {
    const Tokenizer tokenizer = open_set(set);
    const json golden = json::parse(read_bytes(data("frontend/tokenizer-" + set + ".json")));
    ASSERT_GT(golden["decode"].size(), 30u);
    for (const json& entry : golden["decode"]) {
      EXPECT_EQ(tokenizer.decode(entry["ids"].get<std::vector<int>>()),
                entry["text"].get<std::string>())
          << set << ": " << entry["ids"];
    }
  }
}

// Any text without special pieces and outer blanks must survive encoding and decoding.
TEST(Tokenizer, RoundTripsUnicode) {
  const std::vector<std::string> texts = {"a",
                                          "two  blanks",
                                          "caf\u00e9 \u2014 \u201cna\u00efve\u201d",
                                          "\u4f60\u597d\uff0c\u4e16\u754c",
                                          "\u0441\u043f\u0430\u0441\u0438\u0431\u043e",
                                          "family \U0001F468\u200D\U0001F469\u200D\U0001F467 emoji",
                                          "line\n\n\nbreaks\n" + std::string(70, '\n') + "x",
                                          "tab\tand\x01 control",
                                          "\u0645\u0631\u062d\u0628\u0627",
                                          "\U0010FFFF",
                                          std::string("nul\0inside", 10)};
  for (const std::string& set : kSets) {
    const Tokenizer tokenizer = open_set(set);
    for (const std::string& text : texts)
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text) << set;
  }
}

// A run of newlines is one id for Gemma up to 31, longest piece first; 7B gives single bytes.
TEST(Tokenizer, CutsNewlineRuns) {
  const Tokenizer gemma = open_set("vidi15"), mistral = open_set("vidi7b");
  EXPECT_EQ(without_bos(gemma.encode("\n\n\n")).size(), 1u);
  EXPECT_EQ(without_bos(gemma.encode(std::string(31, '\n'))).size(), 1u);
  EXPECT_EQ(without_bos(gemma.encode(std::string(32, '\n'))).size(), 2u);
  EXPECT_EQ(without_bos(mistral.encode("\n\n\n")).size(), 4u);  // a blank of its own in front
}

// With legacy = true, text after a special token gets a blank of its own too; text at the start is
// the same.
TEST(Tokenizer, LegacyPutsABlankAfterSpecials) {
  PromptConfig prompt = prompt_of("vidi7b");
  prompt.legacy_prefix = true;
  const Tokenizer legacy = Tokenizer::open(data("golden/vidi7b/checkpoint"), prompt, kVocab);
  const Tokenizer plain = open_set("vidi7b");
  EXPECT_EQ(legacy.encode("a dog"), plain.encode("a dog"));
  std::vector<int> expected = plain.encode("[INST]");
  const std::vector<int> text = without_bos(plain.encode("a dog"));
  expected.insert(expected.end(), text.begin(), text.end());
  EXPECT_EQ(legacy.encode("[INST]a dog"), expected);
  EXPECT_NE(plain.encode("[INST]a dog"), expected);
}

// A long text must take time in proportion to its length, not to its square.
TEST(Tokenizer, EncodesLongTextsSwiftly) {
  const Tokenizer tokenizer = open_set("vidi15");
  std::string text;
  std::mt19937 random(7);
  while (text.size() < 1'000'000) text += "the video "[random() % 10];
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("x" + text + "x")), "x" + text + "x");
}

// Bytes that are not UTF-8 must be refused as the caller's mistake, in every place.
TEST(Tokenizer, RefusesInvalidUtf8) {
  const Tokenizer tokenizer = open_set("vidi15");
  for (const std::string text :
       {"\xFF", "a\x80", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    try {
      tokenizer.encode(text);
      ADD_FAILURE() << "encoded " << testing::PrintToString(text);
    } catch (const EngineError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    }
  }
}

// Ids that no embedding row has are an internal error; rows without a piece have no text.
TEST(Tokenizer, ChecksIdsBeforeDecoding) {
  const std::string folder = data("golden/vidi15/checkpoint");
  const Tokenizer tokenizer = Tokenizer::open(folder, prompt_of("vidi15"), 1000);
  EXPECT_EQ(tokenizer.decode({999}), "");
  EXPECT_THROW(tokenizer.decode({1000}), EngineError);
  EXPECT_THROW(tokenizer.decode({-1}), EngineError);
}

// The texts of turns and special tokens must be found in a query, the first one named; plain text
// must not.
TEST(Tokenizer, NamesReservedTexts) {
  const Tokenizer gemma = open_set("vidi15"), mistral = open_set("vidi7b");
  EXPECT_EQ(gemma.bos_text(), "<bos>");
  EXPECT_EQ(mistral.bos_text(), "<s>");
  for (const std::string text :
       {"<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>"}) {
    EXPECT_EQ(gemma.reserved_text_in("a " + text + "b"), text);
  }
  for (const std::string text : {"<s>", "</s>", "<unk>", "[INST]", "[/INST]", "[TOOL_CALLS]"}) {
    EXPECT_EQ(mistral.reserved_text_in("a " + text + "b"), text);
  }
  EXPECT_EQ(gemma.reserved_text_in("x<eos>y<bos>"), "<eos>");
  EXPECT_EQ(gemma.reserved_text_in("a < b, <b>, [INST], \n\n two  blanks"), "");
  EXPECT_EQ(mistral.reserved_text_in("<bos> and <end_of_turn>"), "");
}

// A checkpoint without tokenizer.model must be told from one with a bad file.
TEST_F(DamagedTokenizer, Missing) { EXPECT_EQ(error_of_open().code, ErrorCode::kNotFound); }

// A folder in the file's place cannot be read.
TEST_F(DamagedTokenizer, IsAFolder) {
  std::filesystem::create_directories(folder_ + "/tokenizer.model");
  EXPECT_EQ(error_of_open().code, ErrorCode::kUnreadable);
}

// A clone without Git LFS is told what mends it.
TEST_F(DamagedTokenizer, IsAGitLfsPointer) {
  write("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4241003\n");
  const Error error = error_of_open();
  EXPECT_EQ(error.code, ErrorCode::kDamaged);
  EXPECT_NE(error.message.find("git lfs pull"), std::string::npos) << error.message;
}

// Much larger than any published one is refused before the library reads it.
TEST_F(DamagedTokenizer, IsTooLarge) {
  write(std::string(9 << 20, 'x'));
  const Error error = error_of_open();
  EXPECT_EQ(error.code, ErrorCode::kDamaged);
  EXPECT_NE(error.message.find("too large"), std::string::npos) << error.message;
}

// An empty file and plain garbage must be refused.
TEST_F(DamagedTokenizer, EmptyOrGarbage) {
  for (const std::string& bytes :
       {std::string(), std::string("{\"json\": 1}"), std::string(5000, '\xFF'),
        std::string(5000, '\0'), std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F")}) {
    write(bytes);
    EXPECT_EQ(error_of_open().code, ErrorCode::kDamaged);
  }
}

// A file cut short anywhere must be refused.
TEST_F(DamagedTokenizer, Truncated) {
  write(good_.substr(0, good_.size() / 2));
  EXPECT_EQ(error_of_open().code, ErrorCode::kDamaged);
  for (size_t size = 0; size < good_.size(); size += 97) {
    write(good_.substr(0, size));
    EXPECT_THROW(Tokenizer::open(folder_, prompt_of("vidi15"), kVocab), EngineError) << size;
  }
}

// Single damaged bytes must give a tokenizer or an EngineError, never a crash.
TEST_F(DamagedTokenizer, FlippedBytes) {
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = good_;
    // Half of the flips in the last 4 KB, where the trainer's fields are.
    const size_t range = i % 2 ? bytes.size() : 4096;
    bytes[bytes.size() - 1 - random() % range] = static_cast<char>(random());
    write(bytes);
    try {
      const Tokenizer tokenizer = Tokenizer::open(folder_, prompt_of("vidi15"), kVocab);
      tokenizer.decode(tokenizer.encode("During which <bos> r\u00e9d kite?\n\n"));
    } catch (const EngineError&) {
    }
  }
}

// A unigram model is another kind of tokenizer and must be refused by name.
TEST_F(DamagedTokenizer, Unigram) {
  // A later TrainerSpec merges into the first; its last value wins: model_type = 1.
  write(good_ + std::string("\x12\x02\x18\x01", 4));
  const Error error = error_of_open();
  EXPECT_EQ(error.code, ErrorCode::kDamaged);
  EXPECT_NE(error.message.find("BPE"), std::string::npos) << error.message;
}

// A piece type that does not exist must be refused.
TEST_F(DamagedTokenizer, UnknownPieceType) {
  write(good_ + std::string("\x0A\x05\x0A\x01q\x18\x09", 7));
  EXPECT_NE(error_of_open().message.find("type"), std::string::npos);
}

// A piece that stands twice must be refused.
TEST_F(DamagedTokenizer, PieceTwice) {
  write(good_ + std::string("\x0A\x05\x0A\x03the", 7) + std::string("\x0A\x05\x0A\x03the", 7));
  EXPECT_EQ(error_of_open().code, ErrorCode::kDamaged);
}

// A normaliser in the file, however damaged, is never used: it must neither crash nor change ids.
TEST_F(DamagedTokenizer, NormaliserIsIgnored) {
  write(good_ + std::string("\x1A\x0E\x12\x0A\xFF\xFF\xFF\x7Fgarbag\x18\x01", 16));
  const Tokenizer tokenizer = Tokenizer::open(folder_, prompt_of("vidi15"), kVocab);
  EXPECT_EQ(tokenizer.encode("a red  kite"), open_set("vidi15").encode("a red  kite"));
}

// More pieces than embedding rows must be refused with both numbers.
TEST_F(DamagedTokenizer, MorePiecesThanRows) {
  write(good_);
  const Error error = error_of_open(100);
  EXPECT_EQ(error.code, ErrorCode::kDamaged);
  EXPECT_NE(error.message.find("100"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("708"), std::string::npos) << error.message;
}

}  // namespace
}  // namespace vidi
