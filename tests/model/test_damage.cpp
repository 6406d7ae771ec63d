// A checkpoint that is damaged in one way is refused at once with one sentence that says which
// way.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/session.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kFirstShard = "model-00001-of-00002.safetensors";
constexpr const char* kSecondShard = "model-00002-of-00002.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kNorm = "model.norm.weight";  // BF16 [48], in the second shard

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string length_bytes(uint64_t n) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i) & 0xFF);
  return bytes;
}

uint64_t length_of(const std::string& bytes) {
  uint64_t n = 0;
  for (int i = 7; i >= 0; --i)
    n = n << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  return n;
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// A copy of a small 7B checkpoint, to be damaged.
class Damage : public testing::Test {
 protected:
  Damage() {
    std::string name = (fs::temp_directory_path() / "vidi-damage-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    fs::copy(VIDI_TEST_DATA "/golden/vidi7b-variant/checkpoint", folder_,
             fs::copy_options::recursive);
  }
  ~Damage() override { fs::remove_all(folder_); }

  Result<std::unique_ptr<Session>> open() const {
    OpenOptions options;
    options.folder = folder_.string();
    options.device = "cpu";
    const Cancel cancel;
    return Session::open(options, cancel);
  }

  void expect_refused(ErrorCode code, const std::vector<std::string>& words) const {
    const auto session = open();
    ASSERT_FALSE(session);
    const Error& error = session.error();
    EXPECT_EQ(static_cast<int>(error.code), static_cast<int>(code)) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    for (const std::string& word : words) {
      EXPECT_NE(error.message.find(word), std::string::npos) << word << " | " << error.message;
    }
  }

  void edit_json(const std::string& name, const std::function<void(Json&)>& edit) const {
    Json json = Json::parse(read(folder_ / name));
    edit(json);
    write(folder_ / name, json.dump());
  }

  // Changes a shard's header and leaves its data alone.
  void edit_header(const std::string& shard, const std::function<void(Json&)>& edit) const {
    const std::string bytes = read(folder_ / shard);
    const uint64_t length = length_of(bytes);
    Json header = Json::parse(bytes.substr(8, length));
    edit(header);
    const std::string text = header.dump();
    write(folder_ / shard, length_bytes(text.size()) + text + bytes.substr(8 + length));
  }

  void set_length(const std::string& shard, uint64_t length) const {
    write(folder_ / shard, length_bytes(length) + read(folder_ / shard).substr(8));
  }

  fs::path folder_;
};

// Undamaged, the copy must open: the other tests would prove nothing otherwise.
TEST_F(Damage, NoneOpens) {
  const auto session = open();
  EXPECT_TRUE(session) << session.error().message;
}

// A shard that ends too early must say how much is missing.
TEST_F(Damage, TruncatedShard) {
  fs::resize_file(folder_ / kSecondShard, fs::file_size(folder_ / kSecondShard) - 100);
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "truncated", "100 are missing"});
}

// A shard cut within its header must say so too, and an empty one that it is empty.
TEST_F(Damage, CutHeader) {
  fs::resize_file(folder_ / kSecondShard, 1000);
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "truncated", "are missing"});
  fs::resize_file(folder_ / kSecondShard, 0);
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "is empty"});
}

// A tensor of another shape must be named, with both shapes and the field that says which.
TEST_F(Damage, WrongShape) {
  edit_header(kSecondShard, [](Json& header) { header[kNorm]["shape"] = {2, 24}; });
  expect_refused(ErrorCode::kDamaged, {kNorm, "[2, 24]", "[48]", "hidden_size"});
}

// Whole numbers are no weights.
TEST_F(Damage, WrongDtype) {
  edit_header(kSecondShard, [](Json& header) { header[kNorm]["dtype"] = "I16"; });
  expect_refused(ErrorCode::kDamaged, {kNorm, "I16"});
}

// A dtype that the engine does not know is not damage, but no use either.
TEST_F(Damage, UnknownDtype) {
  edit_header(kSecondShard, [](Json& header) { header[kNorm]["dtype"] = "F8_E4M3"; });
  expect_refused(ErrorCode::kUnsupported, {kNorm, "F8_E4M3", "BF16"});
}

// All missing tensors must be listed at once.
TEST_F(Damage, MissingTensors) {
  edit_json(kIndex, [](Json& index) {
    index["weight_map"].erase(kNorm);
    index["weight_map"].erase("lm_head.weight");
  });
  expect_refused(ErrorCode::kDamaged, {kNorm, "lm_head.weight"});
}

// The index must not promise what the shard lacks.
TEST_F(Damage, IndexNamesATensorThatIsNotThere) {
  edit_json(kIndex, [](Json& index) { index["weight_map"]["model.extra"] = kFirstShard; });
  expect_refused(ErrorCode::kDamaged, {kFirstShard, "model.extra"});
}

// A shard that was not downloaded must be named.
TEST_F(Damage, MissingShard) {
  fs::remove(folder_ / kFirstShard);
  expect_refused(ErrorCode::kNotFound, {kFirstShard, "download"});
}

// A shard name must not lead out of the folder.
TEST_F(Damage, ShardOutsideTheFolder) {
  edit_json(kIndex, [](Json& index) { index["weight_map"][kNorm] = "../x.safetensors"; });
  expect_refused(ErrorCode::kDamaged, {kNorm, "../x.safetensors"});
}

// Two tensors must not share bytes.
TEST_F(Damage, OverlappingOffsets) {
  edit_header(kSecondShard, [](Json& header) {
    for (Json& offset : header[kNorm]["data_offsets"]) offset = offset.get<uint64_t>() - 16;
  });
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "overlaps"});
}

// A header length that the file cannot hold, or that none would, must cost nothing.
TEST_F(Damage, HeaderLengths) {
  const long before = peak_kib();
  set_length(kSecondShard, 9'000'000);
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "truncated"});
  set_length(kSecondShard, UINT64_MAX);
  expect_refused(ErrorCode::kDamaged, {kSecondShard, "not a safetensors file"});
  EXPECT_LT(peak_kib() - before, 32 * 1024);
}

// A checkpoint whose index names one large header again and again, by links, must be refused once
// its headers are too much in all: neither time nor memory may grow with their number.
TEST_F(Damage, ManyLinksToOneHeader) {
  constexpr int kLinks = 200, kTensors = 60'000;
  std::string header = "{";
  for (int i = 0; i < kTensors; ++i) {
    header += (i ? "," : "") + ("\"t" + std::to_string(i)) +
              R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }
  header += "}";
  write(folder_ / "large.safetensors", length_bytes(header.size()) + header);
  Json map;
  for (int i = 0; i < kLinks; ++i) {
    const std::string name = "link" + std::to_string(i) + ".safetensors";
    fs::create_symlink("large.safetensors", folder_ / name);
    map["t" + std::to_string(i)] = name;
  }
  edit_json("model.safetensors.index.json", [&](Json& index) { index["weight_map"] = map; });
  const long before = peak_kib();
  expect_refused(ErrorCode::kDamaged, {"headers of at most 16000000 bytes", "in the first 5"});
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

// A clone without Git LFS must get the command that mends it, whichever file it met first.
TEST_F(Damage, GitLfsPointers) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 4976698672\n";
  write(folder_ / kFirstShard, pointer);
  expect_refused(ErrorCode::kDamaged, {kFirstShard, "git lfs pull"});
  write(folder_ / "config.json", pointer);
  expect_refused(ErrorCode::kDamaged, {"config.json", "git lfs pull"});
}

// Sizes out of range must be refused by name; those in range that the tensors contradict as well,
// before any allocation.
TEST_F(Damage, AbsurdSizes) {
  ASSERT_TRUE(open());
  const long before = peak_kib();
  const std::vector<std::pair<std::string, int64_t>> sizes = {
      {"hidden_size", int64_t{1} << 40}, {"hidden_size", 65520},      {"vocab_size", 1 << 22},
      {"intermediate_size", 1 << 20},    {"num_hidden_layers", 1000}, {"num_hidden_layers", 500},
      {"mm_audio_pool_size", 1400},      {"mm_image_pool_size", 200}};
  const Json good = Json::parse(read(folder_ / "config.json"));
  for (const auto& [name, value] : sizes) {
    Json json = good;
    json[name] = value;
    write(folder_ / "config.json", json.dump());
    SCOPED_TRACE(name + " = " + std::to_string(value));
    expect_refused(ErrorCode::kDamaged, {});
  }
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

// Another model's checkpoint must be told from a damaged one.
TEST_F(Damage, UnknownModelType) {
  edit_json("config.json", [](Json& config) { config["model_type"] = "llava_next"; });
  expect_refused(ErrorCode::kUnsupported, {"llava_next", "dattn_gemma2", "dattn_mistral"});
}

// A family that the tensors do not have must fail on what is missing.
TEST_F(Damage, WrongFamily) {
  edit_json("config.json", [](Json& config) { config["model_type"] = "dattn_gemma2"; });
  expect_refused(ErrorCode::kDamaged, {});
}

// Without its tokenizer a model cannot be asked.
TEST_F(Damage, MissingTokenizer) {
  fs::remove(folder_ / "tokenizer.model");
  expect_refused(ErrorCode::kNotFound, {"tokenizer.model"});
}

// A tokenizer of other bytes must be refused, not followed.
TEST_F(Damage, BrokenTokenizer) {
  write(folder_ / "tokenizer.model", std::string(1000, '\xff'));
  expect_refused(ErrorCode::kDamaged, {"tokenizer.model"});
}

// An empty folder, no folder and a file in its place must be told apart.
TEST_F(Damage, NoCheckpoint) {
  const fs::path folder = folder_;
  fs::create_directory(folder / "empty");
  folder_ = folder / "empty";
  expect_refused(ErrorCode::kNotFound, {"holds no config.json"});
  folder_ = folder / "none";
  expect_refused(ErrorCode::kNotFound, {"does not exist"});
  folder_ = folder / "config.json";
  expect_refused(ErrorCode::kNotFound, {"found a file"});
  folder_ = folder;
}

// What is there but cannot be read must give the reason. (A loop of links fails for root too,
// unlike a mode.)
TEST_F(Damage, UnreadableFiles) {
  fs::remove(folder_ / kSecondShard);
  fs::create_directory(folder_ / kSecondShard);
  expect_refused(ErrorCode::kUnreadable, {kSecondShard, "found a folder"});
  fs::remove(folder_ / "config.json");
  fs::create_symlink("config.json", folder_ / "config.json");
  expect_refused(ErrorCode::kUnreadable, {"config.json", "symbolic links"});
}

// JSON that is none must say in which file.
TEST_F(Damage, BrokenJson) {
  write(folder_ / kIndex, "{\"weight_map\": ");
  expect_refused(ErrorCode::kDamaged, {kIndex, "not valid JSON"});
  write(folder_ / "config.json", std::string(100000, '['));
  expect_refused(ErrorCode::kDamaged, {"config.json"});
}

}  // namespace
}  // namespace vidi
