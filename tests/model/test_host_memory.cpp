// What the host has left, as /proc and the control groups say it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/device/host_memory.h"
#include "model/result.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

class HostMemory : public testing::Test {
 protected:
  void SetUp() override {
    mount_ = fs::temp_directory_path() / ("host-memory-" + std::to_string(getpid()));
  }
  void TearDown() override { fs::remove_all(mount_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((mount_ / path).parent_path());
    std::ofstream(mount_ / path) << text;
  }
  std::optional<int64_t> left(const std::string& groups) {
    return available_memory(kMemInfo, groups, mount_.string());
  }

  static constexpr char kMemInfo[] = "MemTotal: 2000 kB\nMemAvailable:   1000 kB\nBuffers: 7 kB\n";
  static constexpr int64_t kAvailable = 1000 * 1024;
  fs::path mount_;
};

// Without limits it is MemAvailable; where that is not said either, nothing is known.
TEST_F(HostMemory, IsWhatTheKernelSays) {
  EXPECT_EQ(left("0::/a/b\n"), kAvailable);
  EXPECT_EQ(left(""), kAvailable);
  EXPECT_EQ(available_memory("", "", mount_.string()), std::nullopt);
  EXPECT_EQ(available_memory("MemAvailable: x", "", mount_.string()), std::nullopt);
}

// The smallest limit from the group up to the root counts, less what is used; files in the cache
// are given up.
TEST_F(HostMemory, IsLimitedByEveryGroup) {
  write("a/memory.max", "500000\n");
  write("a/memory.current", "400000\n");
  write("a/b/memory.max", "max\n");
  write("a/b/memory.current", "10\n");
  EXPECT_EQ(left("0::/a/b\n"), 100'000);
  write("a/memory.stat", "anon 5\nactive_file 20000\ninactive_file 30000\n");
  EXPECT_EQ(left("0::/a/b\n"), 150'000);
  write("a/memory.current", "900000\n");
  EXPECT_EQ(left("0::/a/b\n"), 0);
}

// Version 1 has other names, a folder of its own, and a huge number for no limit.
TEST_F(HostMemory, IsLimitedByVersionOne) {
  write("memory/x/memory.limit_in_bytes", "300000\n");
  write("memory/x/memory.usage_in_bytes", "100000\n");
  write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("memory/memory.usage_in_bytes", "100000\n");
  EXPECT_EQ(left("5:cpu,cpuacct:/y\n4:memory:/x\n"), 200'000);
  EXPECT_EQ(left("4:memory:/elsewhere\n"), kAvailable);
}

// A model that does not fit is refused in one sentence that says what is needed, what is there, why
// no GPU is used and what would help; one that fits, or of which nothing is known, is not.
TEST_F(HostMemory, AModelMustFit) {
  EXPECT_NO_THROW(check_host_has_room(std::nullopt, 41'000'000'000, ""));
  EXPECT_NO_THROW(check_host_has_room(41'000'000'000, 41'000'000'000, ""));
  try {
    check_host_has_room(22'000'000'000, 41'800'000'000, "there is no CUDA device");
    FAIL();
  } catch (const EngineError& e) {
    EXPECT_EQ(e.code(), ErrorCode::kOutOfMemory);
    const std::string text = e.what();
    for (const char* words : {"41.8 GB", "22.0 GB", "there is no CUDA device", "would help"})
      EXPECT_NE(text.find(words), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace vidi
