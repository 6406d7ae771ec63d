// Finding and opening the engine library: the right one, and one clear sentence for each wrong one.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "gst/worker/engine_library.h"
#include "model/engine_api.h"
#include "tests/support/scripted_engine.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

class EngineLibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* before = std::getenv("VIDI_ENGINE");
    before_ = before ? before : "";
    folder_ = fs::path(testing::TempDir()) / ("engine-library-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    before_.empty() ? unsetenv("VIDI_ENGINE") : setenv("VIDI_ENGINE", before_.c_str(), 1);
  }
  static Result<const EngineApi*> with(const std::string& path) {
    setenv("VIDI_ENGINE", path.c_str(), 1);
    return engine_api();
  }
  // The error for `path`, which it must name in one line.
  static Error error_with(const std::string& path) {
    const Result<const EngineApi*> api = with(path);
    if (api) {
      ADD_FAILURE() << "an API in " << path;
      return {};
    }
    EXPECT_NE(api.error().message.find(path), std::string::npos) << api.error().message;
    EXPECT_EQ(api.error().message.find('\n'), std::string::npos) << api.error().message;
    return api.error();
  }
  static bool says(const Error& error, const std::string& part) {
    return error.message.find(part) != std::string::npos;
  }

  fs::path folder_;
  std::string before_;
};

// $VIDI_ENGINE opens that library, the very instance that the program is linked with.
TEST_F(EngineLibraryTest, OpensTheNamedOne) {
  const Result<const EngineApi*> api = with(VIDI_SCRIPTED_ENGINE);
  ASSERT_TRUE(api) << api.error().message;
  EXPECT_EQ((*api)->version, kEngineApiVersion);
  EXPECT_EQ(*api, vidi_engine_api());
  const Result<const EngineApi*> again = with(VIDI_SCRIPTED_ENGINE);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *api);
}

// A path that is not there is named, with the variable that it came from.
TEST_F(EngineLibraryTest, Missing) {
  const Error error = error_with((folder_ / "nothing.so").string());
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_TRUE(says(error, "$VIDI_ENGINE")) << error.message;
}

// A file that is no library is refused with the loader's reason.
TEST_F(EngineLibraryTest, NotALibrary) {
  const fs::path path = folder_ / "text.so";
  std::ofstream(path) << "this is no library\n";
  const Error error = error_with(path.string());
  EXPECT_EQ(error.code, ErrorCode::kUnreadable);
  EXPECT_TRUE(says(error, "$VIDI_ENGINE")) << error.message;
  EXPECT_TRUE(says(error, "ELF header") || says(error, "too short")) << error.message;
}

// A folder, an empty file and the front half of a library are refused as well.
TEST_F(EngineLibraryTest, DamagedFiles) {
  error_with(folder_.string());
  const fs::path empty = folder_ / "empty.so", half = folder_ / "half.so";
  std::ofstream(empty).flush();
  error_with(empty.string());
  fs::copy_file(VIDI_NO_API, half);
  fs::resize_file(half, 100);
  error_with(half.string());
}

// A library without an API is refused for that.
TEST_F(EngineLibraryTest, NoDoor) {
  const Error error = error_with(VIDI_NO_API);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_TRUE(says(error, "vidi_engine_api")) << error.message;
}

// An API of another version is refused with both versions.
TEST_F(EngineLibraryTest, AnotherVersion) {
  const Error error = error_with(VIDI_OLD_API);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_TRUE(says(error, "expected version " + std::to_string(kEngineApiVersion)))
      << error.message;
  EXPECT_TRUE(says(error, "found version 1")) << error.message;
}

// A failure is not kept: once the library is there, the next call opens it.
TEST_F(EngineLibraryTest, TriesAgain) {
  const fs::path path = folder_ / "later.so";
  error_with(path.string());
  fs::create_symlink(VIDI_SCRIPTED_ENGINE, path);
  const Result<const EngineApi*> api = with(path.string());
  ASSERT_TRUE(api) << api.error().message;
  EXPECT_EQ(*api, vidi_engine_api());
}

// A changed $VIDI_ENGINE counts at once, also after a success.
TEST_F(EngineLibraryTest, HonoursAChange) {
  ASSERT_TRUE(with(VIDI_SCRIPTED_ENGINE));
  error_with(VIDI_OLD_API);
  ASSERT_TRUE(with(VIDI_SCRIPTED_ENGINE));
}

// Without $VIDI_ENGINE (or with an empty one) every usual place is tried; the error names them all.
TEST_F(EngineLibraryTest, NamesEveryPlace) {
  Dl_info info{};
  ASSERT_NE(dladdr(reinterpret_cast<const void*>(&engine_api), &info), 0);
  const fs::path own = fs::absolute(info.dli_fname).parent_path();
  const fs::path built = (own / ".." / "model" / "libvidi.so").lexically_normal();
  for (const bool empty : {false, true}) {
    empty ? setenv("VIDI_ENGINE", "", 1) : unsetenv("VIDI_ENGINE");
    const Result<const EngineApi*> api = engine_api();
    if (api) GTEST_SKIP() << "an engine is built or installed here";
    if (fs::exists(built)) GTEST_SKIP() << "an engine is built here, and cannot be opened";
    EXPECT_EQ(api.error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(says(api.error(), (own / "libvidi.so").string())) << api.error().message;
    EXPECT_TRUE(says(api.error(), built.string())) << api.error().message;
    EXPECT_TRUE(says(api.error(), "VIDI_ENGINE")) << api.error().message;
  }
}

// Many threads that ask at once all get the same API.
TEST_F(EngineLibraryTest, ManyThreads) {
  setenv("VIDI_ENGINE", VIDI_SCRIPTED_ENGINE, 1);
  std::vector<const EngineApi*> doors(8);
  std::vector<std::thread> threads;
  for (const EngineApi*& api : doors) {
    threads.emplace_back([&api] {
      const Result<const EngineApi*> found = engine_api();
      api = found ? *found : nullptr;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const EngineApi* api : doors) EXPECT_EQ(api, vidi_engine_api());
}

}  // namespace
}  // namespace vidi
