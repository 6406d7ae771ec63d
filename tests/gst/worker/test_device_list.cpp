// What `device` may say: one device, several, all; and one sentence for each list that is wrong.
#include <gtest/gtest.h>

#include "gst/worker/device_list.h"

namespace vidi {
namespace {

using Names = std::vector<std::string>;

Names names(const std::string& list, int n_cuda) {
  const auto found = devices_of(list, n_cuda);
  EXPECT_TRUE(found) << list << ": " << (found ? "" : found.error().message);
  return found ? *found : Names();
}

std::string refusal(const std::string& list, int n_cuda) {
  const auto found = devices_of(list, n_cuda);
  EXPECT_FALSE(found) << list;
  return found ? "" : found.error().message;
}

// A single name is the engine's to judge, whatever it says.
TEST(DeviceList, OneNameIsHandedOn) {
  for (const char* name : {"auto", "cpu", "cuda", "cuda:7", "gpu", ""})
    EXPECT_EQ(names(name, 1), Names{name});
}

// Any number, in their order; all; the same one twice; blanks do not matter.
TEST(DeviceList, Lists) {
  EXPECT_EQ(names("cuda:0,cuda:1", 2), (Names{"cuda:0", "cuda:1"}));
  EXPECT_EQ(names("cuda:1, cuda:0 ,cpu", 2), (Names{"cuda:1", "cuda:0", "cpu"}));
  EXPECT_EQ(names("cuda,cuda:0", 1), (Names{"cuda:0", "cuda:0"}));
  EXPECT_EQ(names("cpu,cpu", 0), (Names{"cpu", "cpu"}));
  EXPECT_EQ(names("cuda:all", 3), (Names{"cuda:0", "cuda:1", "cuda:2"}));
  EXPECT_EQ(names("cuda:all", 1), Names{"cuda:0"});
  EXPECT_EQ(names("cuda:all,cpu", 1), (Names{"cuda:0", "cpu"}));
}

TEST(DeviceList, WrongLists) {
  EXPECT_EQ(refusal("cuda:0,,cuda:1", 2),
            "device is \"cuda:0,,cuda:1\", expected no empty entry in the list");
  EXPECT_EQ(refusal("cpu,", 0), "device is \"cpu,\", expected no empty entry in the list");
  EXPECT_EQ(refusal("cpu,auto", 1),
            "device is \"cpu,auto\": in a list \"auto\" is none of cpu, cuda, cuda:N and cuda:all");
  EXPECT_EQ(refusal("cpu,cuda:-1", 1),
            "device is \"cpu,cuda:-1\": in a list \"cuda:-1\" is none of "
            "cpu, cuda, cuda:N and cuda:all");
  EXPECT_EQ(refusal("cuda:0,cuda:7", 1), "device \"cuda:7\" is not usable: found 1 CUDA device(s)");
  EXPECT_EQ(refusal("cuda:all", 0), "device \"cuda:all\" is not usable: found no CUDA device");
  std::string many = "cpu";
  for (int i = 0; i < 64; ++i) many += ",cpu";
  EXPECT_NE(refusal(many, 0).find("expected 64 devices at most"), std::string::npos);
}

// Pictures in GPU memory are taken from the first GPU that is named.
TEST(DeviceList, WherePicturesMayLie) {
  EXPECT_EQ(picture_device("auto"), "auto");
  EXPECT_EQ(picture_device("cuda:all"), "cuda:0");
  EXPECT_EQ(picture_device("cpu,cuda:1,cuda:0"), "cuda:1");
  EXPECT_EQ(picture_device("cpu,cpu"), "cpu");
  EXPECT_FALSE(may_be_cuda("cpu,cpu"));
  EXPECT_TRUE(may_be_cuda("cpu,cuda:0"));
  EXPECT_TRUE(may_be_cuda("auto"));
}

// Devices that share windows are one, which has something in common with each of them.
TEST(DeviceList, SharedWindows) {
  EXPECT_EQ(joined({"cuda:0", "cuda:1"}), Names{"cuda:0,cuda:1"});
  EXPECT_EQ(joined({"auto"}), Names{"auto"});
  EXPECT_TRUE(may_be_cpu("cuda:0,cpu"));
  EXPECT_TRUE(may_be_cpu("auto"));
  EXPECT_FALSE(may_be_cpu("cuda:0,cuda"));
  EXPECT_TRUE(name_one_device("cuda:0,cuda:1", "cuda:1"));
  EXPECT_FALSE(name_one_device("cuda:0,cuda:1", "cuda:10,cpu"));
}

}  // namespace
}  // namespace vidi
