#include <gtest/gtest.h>
#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "kernels/usable_cores.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

class UsableCores : public testing::Test {
 protected:
  UsableCores() : mount_(testing::TempDir() + "vidi-groups-" + std::to_string(getpid())) {
    fs::remove_all(mount_);
  }
  ~UsableCores() override { fs::remove_all(mount_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((mount_ / path).parent_path());
    std::ofstream(mount_ / path) << text << "\n";
  }
  double granted(const std::string& groups) const { return granted_cores(groups, mount_.string()); }

  const fs::path mount_;
};

// Version 2: quota over period, of the group itself or of the tightest one around it.
TEST_F(UsableCores, FollowVersion2UpToTheRoot) {
  EXPECT_EQ(granted("0::/a/b\n"), 0);
  write("a/b/cpu.max", "max 100000");
  EXPECT_EQ(granted("0::/a/b\n"), 0);
  write("a/cpu.max", "150000 100000");
  EXPECT_DOUBLE_EQ(granted("0::/a/b\n"), 1.5);
  write("a/b/cpu.max", "400000 100000");
  EXPECT_DOUBLE_EQ(granted("0::/a/b\n"), 1.5);
  write("cpu.max", "50000 100000");
  EXPECT_DOUBLE_EQ(granted("0::/a/b\n"), 0.5);
  EXPECT_DOUBLE_EQ(granted("0::/not/to/be/seen\n"), 0.5);
}

// Version 1: two files, in the hierarchy that has the controller "cpu" and in no other.
TEST_F(UsableCores, FollowVersion1) {
  write("cpu/a/cpu.cfs_quota_us", "200000");
  write("cpu/a/cpu.cfs_period_us", "100000");
  write("cpu/cpu.cfs_quota_us", "-1");
  write("cpu/cpu.cfs_period_us", "100000");
  EXPECT_DOUBLE_EQ(granted("3:cpuset:/b\n2:cpu,cpuacct:/a\n1:cpuacct:/c\n"), 2);
  EXPECT_EQ(granted("3:cpuset:/a\n"), 0);
}

// What is not as expected limits nothing.
TEST_F(UsableCores, IgnoreWhatIsNoLimit) {
  write("cpu.max", "many");
  EXPECT_EQ(granted("0::/\n"), 0);
  write("cpu.max", "100000 0");
  EXPECT_EQ(granted("0::/\nnonsense\n:\n"), 0);
  EXPECT_EQ(granted(""), 0);
}

#ifdef __linux__
// A thread that may run on one core alone has one, whatever the machine has.
TEST_F(UsableCores, AreThoseOfTheThread) {
  int found = 0;
  std::thread([&] {
    cpu_set_t set, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
      if (CPU_ISSET(i, &set)) CPU_SET(i, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    found = usable_cores();
  }).join();
  EXPECT_EQ(found, 1);
}
#endif

}  // namespace
}  // namespace vidi
