// The container: what it writes it reads, and every kind of damage gets its own sentence.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/safetensors_writer.h"
#include "model/result.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

class SafetensorsTest : public testing::Test {
 protected:
  SafetensorsTest() {
    std::string name = (fs::temp_directory_path() / "vidi-safetensors-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SafetensorsTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  fs::path folder_;
};

std::string length_bytes(uint64_t n) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i) & 0xFF);
  return bytes;
}

// A file of this JSON and `n` bytes of data.
std::string file_of(const std::string& json, size_t n) {
  return length_bytes(json.size()) + json + std::string(n, '\1');
}

// One tensor of four floats, its fields as given.
std::string one(const std::string& fields) { return file_of("{\"x\":{" + fields + "}}", 16); }

void expect_error(const std::function<void()>& work, ErrorCode code, const std::string& words) {
  try {
    work();
    ADD_FAILURE() << "no error, expected one with: " << words;
  } catch (const EngineError& error) {
    const std::string message = error.what();
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

void expect_refused(const std::string& bytes, const std::string& words,
                    ErrorCode code = ErrorCode::kDamaged) {
  expect_error([&] { parse_safetensors_header(bytes, bytes.size(), "file"); }, code, words);
}

// What is written must be read back, data and metadata alike, wherever a tensor lands in the file.
TEST_F(SafetensorsTest, ReadsWhatItWrites) {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> b = {7, -8};
  const std::vector<uint8_t> c = {9, 10, 11};
  write_safetensors(path("x"),
                    {{"c", Dtype::kU8, {3}, c.data()},
                     {"a", Dtype::kF32, {2, 3}, a.data()},
                     {"b", Dtype::kI64, {2}, b.data()},
                     {"empty", Dtype::kF16, {0, 4}, nullptr},
                     {"scalar", Dtype::kF32, {}, a.data()}},
                    {{"question", "a \"b\"\n"}});
  const SafetensorsHeader header = read_safetensors_header(path("x"));
  ASSERT_EQ(header.tensors.size(), 5u);
  EXPECT_EQ(header.metadata.at("question"), "a \"b\"\n");
  EXPECT_EQ(header.tensors.at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.tensors.at("scalar").numel(), 1);
  EXPECT_EQ(header.tensors.at("b").begin % 8, 0u);
  std::vector<float> back(6);
  read_file_range(path("x"), header.tensors.at("a").begin, back.data(), 24);
  EXPECT_EQ(back, a);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1)
      << "the temporary file is still there";
}

// Every golden file must be accepted: they come from the format's own library.
TEST_F(SafetensorsTest, ReadsTheGoldens) {
  int n = 0;
  for (const auto& entry : fs::recursive_directory_iterator(VIDI_TEST_DATA "/golden")) {
    if (entry.path().extension() != ".safetensors") continue;
    EXPECT_FALSE(read_safetensors_header(entry.path().string()).tensors.empty()) << entry.path();
    ++n;
  }
  EXPECT_GT(n, 20);
}

// A header that is not what the format says must be refused with the reason.
TEST_F(SafetensorsTest, RefusesBadHeaders) {
  expect_refused("", "is empty");
  expect_refused("abc", "is truncated");
  expect_refused(length_bytes(1000) + "{}", "998 are missing");
  expect_refused(length_bytes(uint64_t{1} << 62) + "{}", "not a safetensors file");
  expect_refused(length_bytes(UINT64_MAX), "not a safetensors file");
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
                 "git lfs pull");
  expect_refused(file_of("", 0), "not valid JSON");
  expect_refused(file_of("{\"x\":", 0), "not valid JSON");
  expect_refused(file_of("{\"\xff\":1}", 0), "not valid JSON");
  expect_refused(file_of("[]", 0), "must be a JSON object");
  expect_refused(file_of("{\"x\":[1]}", 0), "must be a JSON object");
  expect_refused(file_of("{\"__metadata__\":{\"a\":1}}", 0), "metadata 'a' must be a string");
  expect_refused(file_of(std::string(1 << 20, '['), 0), "must be a JSON object");
  std::string bomb = "{\"x\":";
  for (int i = 0; i < 100000; ++i) bomb += "{\"a\":";
  expect_refused(file_of(bomb, 0), "unknown field");
}

// A tensor's fields must be there once, of their type, and agree with each other.
TEST_F(SafetensorsTest, RefusesBadTensors) {
  const std::string shape = "\"shape\":[4]", dtype = "\"dtype\":\"F32\"",
                    offsets = "\"data_offsets\":[0,16]";
  const auto fields = [](const std::string& a, const std::string& b, const std::string& c) {
    return one(a + "," + b + "," + c);
  };
  const std::string good = fields(shape, dtype, offsets);
  EXPECT_NO_THROW(parse_safetensors_header(good, good.size(), "file"));
  expect_refused(one(shape + "," + dtype), "lacks one of the fields");
  expect_refused(fields(shape, "\"dtype\":\"F8_E4M3\"", offsets), "F8_E4M3",
                 ErrorCode::kUnsupported);
  expect_refused(fields(shape, "\"dtype\":7", offsets), "expected a name, found 7");
  expect_refused(fields("\"shape\":[-4]", dtype, offsets), "found -4");
  expect_refused(fields("\"shape\":[4.5]", dtype, offsets), "4.5");
  expect_refused(fields("\"shape\":4", dtype, offsets), "field 'shape'");
  expect_refused(fields("\"shape\":[[4]]", dtype, offsets), "found a list");
  expect_refused(fields("\"shape\":[4294967296,4294967296,4]", dtype, offsets), "absurd shape");
  expect_refused(fields("\"shape\":[5]", dtype, offsets), "needs 20 bytes");
  expect_refused(fields(shape, dtype, "\"data_offsets\":[16,0]"), "first not above");
  expect_refused(fields(shape, dtype, "\"data_offsets\":[0]"), "two data_offsets");
  expect_refused(fields(shape, dtype, "\"data_offsets\":[0,16,16]"), "more than two");
  expect_refused(fields(shape, shape, offsets), "twice");
  const std::string tensor = "\"x\":{" + shape + "," + dtype + "," + offsets + "}";
  expect_refused(file_of("{" + tensor + "," + tensor + "}", 16), "two tensors are called 'x'");
  expect_refused(fields("\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]", dtype, offsets),
                 "more than 16");
}

// Two tensors that overlap, a hole between them, and data that is too short or too long must be
// told apart.
TEST_F(SafetensorsTest, RefusesBadLayouts) {
  const auto two = [](int begin, int n) {
    return file_of(
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"y\":{\"dtype\":"
        "\"U8\",\"shape\":[8],\"data_offsets\":[" +
            std::to_string(begin) + "," + std::to_string(begin + 8) + "]}}",
        static_cast<size_t>(n));
  };
  EXPECT_NO_THROW(parse_safetensors_header(two(8, 16), two(8, 16).size(), "file"));
  expect_refused(two(4, 12), "overlaps");
  expect_refused(two(0, 8), "overlaps");
  expect_refused(two(12, 20), "leaves a hole");
  expect_refused(two(8, 10), "expected 16 bytes of data, found 10, 6 are missing");
  expect_refused(two(8, 17), "1 too many");
}

// Names from a hostile file must not break a message's line, nor make it long.
TEST_F(SafetensorsTest, QuotesNamesSafely) {
  const std::string name = "a\\nb" + std::string(100000, 'c');
  const std::string bytes = file_of("{\"" + name + "\":1}", 0);
  try {
    parse_safetensors_header(bytes, bytes.size(), "file");
    FAIL();
  } catch (const EngineError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    EXPECT_LT(std::string(error.what()).size(), 400u);
  }
}

// What is not a readable file must be told as such: nothing there, a folder, a loop of links, bytes
// that are gone.
TEST_F(SafetensorsTest, SaysWhyAFileCannotBeRead) {
  fs::create_symlink("loop", folder_ / "loop");
  fs::create_symlink("nowhere", folder_ / "dangling");
  expect_error([&] { read_safetensors_header(path("none")); }, ErrorCode::kNotFound,
               "No such file");
  expect_error([&] { read_safetensors_header(path("dangling")); }, ErrorCode::kNotFound, "No such");
  expect_error([&] { read_safetensors_header(path("loop")); }, ErrorCode::kUnreadable, "links");
  expect_error([&] { read_safetensors_header(path("")); }, ErrorCode::kUnreadable,
               "found a folder");
  expect_error([&] { read_safetensors_header("/dev/null"); }, ErrorCode::kUnreadable, "device");
  write("short", "1234");
  char out[8];
  expect_error([&] { read_file_range(path("short"), 0, out, 8); }, ErrorCode::kUnreadable,
               "4 are not there");
}

// A header length of almost the limit in a small or sparse file must not cost memory or time.
TEST_F(SafetensorsTest, AllocatesNothingForAbsurdLengths) {
  write("x", length_bytes(15'900'000) + "{}");
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  expect_error([&] { read_safetensors_header(path("x")); }, ErrorCode::kDamaged, "truncated");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024);
}

// A disk that is full must give the system's reason, and never half a file.
TEST_F(SafetensorsTest, SaysWhyAFileCannotBeWritten) {
  const std::vector<float> a(4, 1.f);
  const std::vector<TensorToWrite> tensors = {{"a", Dtype::kF32, {4}, a.data()}};
  if (fs::exists("/dev/full")) {
    expect_error([&] { write_safetensors("/dev/full", tensors, {}); }, ErrorCode::kUnreadable,
                 "No space left");
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
  }
  expect_error([&] { write_safetensors(path("no/such"), tensors, {}); }, ErrorCode::kUnreadable,
               "No such file");
  expect_error(
      [&] {
        write_safetensors(path("x"), {tensors[0], tensors[0]}, {});
      },
      ErrorCode::kBadInput, "two tensors");
  { SafetensorsWriter unfinished(path("x"), tensors, {}); }
  EXPECT_TRUE(fs::is_empty(folder_));
}

// The index decides which shard a tensor lies in; what it promises must be there.
TEST_F(SafetensorsTest, OpensShardsByTheirIndex) {
  const std::string source = VIDI_TEST_DATA "/golden/vidi15/checkpoint";
  const CheckpointFiles files = open_checkpoint_files(source);
  EXPECT_EQ(files.shards.size(), 2u);
  ASSERT_NE(files.find("model.norm.weight"), nullptr);
  EXPECT_EQ(files.find("model.norm.weight")->entry.shape, (std::vector<int64_t>{64}));
  EXPECT_EQ(files.find("nothing"), nullptr);
}

// A folder without an index must hold one shard, and no folder at all is said as such.
TEST_F(SafetensorsTest, OpensFoldersWithoutIndex) {
  const auto open = [&] { open_checkpoint_files(folder_.string()); };
  const std::string shard = one("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]");
  expect_error([&] { open_checkpoint_files(path("none")); }, ErrorCode::kNotFound,
               "does not exist");
  expect_error(open, ErrorCode::kNotFound, "found 0 of them");
  write("part.safetensors", shard);
  expect_error([&] { open_checkpoint_files(path("part.safetensors")); }, ErrorCode::kNotFound,
               "found a file");
  EXPECT_EQ(open_checkpoint_files(folder_.string()).shards.size(), 1u);
  write("other.safetensors", shard);
  expect_error(open, ErrorCode::kNotFound, "found 2 of them");
  write("model.safetensors", shard);
  EXPECT_EQ(open_checkpoint_files(folder_.string()).shards[0], path("model.safetensors"));
}

// A bad index must be told from a bad shard, and must not lead out of the folder.
TEST_F(SafetensorsTest, RefusesBadIndexes) {
  const auto expect = [&](const std::string& index, const std::string& words,
                          ErrorCode code = ErrorCode::kDamaged) {
    write("model.safetensors.index.json", index);
    expect_error([&] { open_checkpoint_files(folder_.string()); }, code, words);
  };
  const auto map = [](const std::string& shard) {
    return "{\"weight_map\":{\"x\":" + shard + "}}";
  };
  write("a.safetensors", one("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]"));
  expect("{", "not valid JSON");
  expect("[]", "must hold a JSON object");
  expect("{}", "weight_map");
  expect(map("3"), "name a file of its own folder");
  expect(map("\"../a.safetensors\""), "name a file of its own folder");
  expect(map("\"/etc/passwd\""), "name a file of its own folder");
  expect(map("\"..\""), "name a file of its own folder");
  expect(map("\"gone.safetensors\""), "is the download complete", ErrorCode::kNotFound);
  expect("{\"weight_map\":{\"y\":\"a.safetensors\"}}", "lacks the tensor 'y'");
  expect("version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
  expect(std::string(100000, '['), "holds too much");
  expect(
      "{\"a\":[" + std::string(900000, ' ') + "0" +
          [] {
            std::string many;
            for (int i = 0; i < 500000; ++i) many += ",0";
            return many;
          }() +
          "]}",
      "holds too much");
}

}  // namespace
}  // namespace vidi
