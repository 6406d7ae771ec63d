// `device` as a list: what the element says of it, and what it does with a wrong one.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

struct DeviceLists : ElementTest {};

const std::string kTwo = "query=cat device=cuda:0,cuda:1 ";

// Each device has the model, once for all elements; windows of one element are with both at once
// and are told of in their order; message and `stats` name them.
TEST_F(DeviceLists, TwoDevices) {
  scripted::cuda_devices(2);
  Rig rig({.properties = kTwo + "max-pending-windows=8"}), other({.properties = kTwo});
  rig.play();
  other.play();
  EXPECT_EQ(scripted::n_open_sessions(), 2);
  EXPECT_EQ(text(rig.structures("vidi/model").back(), "device"), "cuda:0,cuda:1");
  scripted::hold(Step::kEncode);
  rig.frames(0, 24);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 2));
  EXPECT_EQ(scripted::most_sessions_at_work(), 2);
  scripted::release(Step::kEncode);
  rig.end();
  const auto windows = rig.structures("vidi/window");
  ASSERT_GE(windows.size(), 6u);
  for (size_t i = 0; i < windows.size(); ++i) EXPECT_EQ(number(windows[i], "window-index"), i);
  GstStructure* stats = nullptr;
  g_object_get(rig.v(), "stats", &stats, nullptr);
  EXPECT_EQ(text(stats, "device"), "cuda:0,cuda:1");
  const GValue* devices = gst_structure_get_value(stats, "devices");
  ASSERT_TRUE(devices && gst_value_array_get_size(devices) == 2);
  guint64 n_completed = 0;
  for (guint i = 0; i < 2; ++i) {
    const GstStructure* device = gst_value_get_structure(gst_value_array_get_value(devices, i));
    EXPECT_EQ(text(device, "device"), "cuda:" + std::to_string(i));
    EXPECT_GT(number(device, "windows-completed"), 0u);
    n_completed += number(device, "windows-completed");
  }
  EXPECT_EQ(n_completed, windows.size());
  gst_structure_free(stats);
}

// A wrong list is one sentence before anything is loaded, or a warning where the stream is to go
// on.
TEST_F(DeviceLists, WrongLists) {
  scripted::cuda_devices(1);
  for (const auto& [list, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"cuda:0,,cuda:0", "device is \"cuda:0,,cuda:0\", expected no empty entry in the list"},
           {"cuda:0,cuda:7", "device \"cuda:7\" is not usable: found 1 CUDA device(s)"},
           {"cpu,gpu",
            "device is \"cpu,gpu\": in a list \"gpu\" is none of cpu, cuda, cuda:N and "
            "cuda:all"}}) {
    Rig rig({.properties = "query=cat device=" + list});
    EXPECT_FALSE(rig.to(GST_STATE_READY)) << list;
    EXPECT_EQ(rig.error_text(), sentence);
    EXPECT_EQ(scripted::count(Step::kOpen), 0);
    Rig passing({.properties = "query=cat error-policy=passthrough device=" + list});
    passing.start();
    passing.frames(0, 4);
    EXPECT_EQ(passing.out().count("buffer"), 5u) << list;
    EXPECT_TRUE(passing.error_text().empty());
  }
}

// A device that fails later is left out with a warning that names it, and the stream goes on.
TEST_F(DeviceLists, OneIsLeftOut) {
  scripted::cuda_devices(2);
  Rig rig({.properties = kTwo});
  rig.play();
  scripted::break_device("cuda:0");
  rig.frames(0, 59);
  rig.end();
  EXPECT_TRUE(rig.error_text().empty());
  EXPECT_EQ(rig.stat("windows-failed"), 3u);
  EXPECT_EQ(rig.stat("windows-completed"), 12u);
  EXPECT_EQ(rig.model_state(), "ready");
}

// When all fail the error says that it was the last one: the windows of the others are not in its
// count.
TEST_F(DeviceLists, AllFail) {
  scripted::cuda_devices(2);
  Rig rig({.properties = kTwo});
  rig.play();
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "broken"}, -1);
  rig.frames(0, 59);
  ASSERT_TRUE(rig.wait_message(GST_MESSAGE_ERROR));
  EXPECT_EQ(rig.error_text(), "3 windows in a row failed on the last device that was left: broken");
}

// With split-windows they are one: one model for all elements, which has every window, and each is
// told under their names.
TEST_F(DeviceLists, SplitWindows) {
  scripted::cuda_devices(2);
  const std::string split = "query=cat split-windows=true device=cuda:all ";
  Rig rig({.properties = split}), other({.properties = split});
  rig.play();
  other.play();
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  EXPECT_EQ(text(rig.structures("vidi/model").back(), "device"), "cuda:0,cuda:1");
  rig.frames(0, 24);
  rig.end();
  EXPECT_EQ(scripted::most_sessions_at_work(), 1);
  GstStructure* stats = nullptr;
  g_object_get(rig.v(), "stats", &stats, nullptr);
  EXPECT_FALSE(gst_structure_has_field(stats, "devices"));
  EXPECT_EQ(text(stats, "device"), "cuda:0,cuda:1");
  EXPECT_GE(number(stats, "windows-completed"), 6u);
  gst_structure_free(stats);
}

// A single device has nothing to split with: the model is the one that others use.
TEST_F(DeviceLists, SplitOverOneIsOne) {
  scripted::cuda_devices(1);
  Rig rig({.properties = "query=cat split-windows=true device=cuda:all"});
  Rig other({.properties = "query=cat device=cuda:0"});
  rig.play();
  other.play();
  EXPECT_EQ(scripted::n_open_sessions(), 1);
}

// All of them are needed: what one device cannot do, no window can. A list that is wrong is refused
// as ever.
TEST_F(DeviceLists, SplitNeedsAll) {
  scripted::cuda_devices(2);
  const std::string split = "query=cat split-windows=true device=cuda:0,cuda:1 ";
  {
    Rig rig({.properties = split});
    rig.play();
    scripted::break_device("cuda:0,cuda:1");
    rig.frames(0, 59);
    EXPECT_EQ(rig.stat("windows-failed"), 3u);
    EXPECT_EQ(rig.stat("windows-completed"), 0u);
    EXPECT_NE(rig.error_text().find("the device is broken"), std::string::npos) << rig.error_text();
  }
  scripted::break_device("no cuda:0,cuda:1");
  Rig second({.properties = split + "error-policy=passthrough"});
  second.start();
  second.frames(0, 4);
  second.end();
  EXPECT_EQ(second.model_state(), "failed");
  Rig wrong({.properties = "query=cat split-windows=true device=cuda:0,cuda:7"});
  EXPECT_FALSE(wrong.to(GST_STATE_READY));
  EXPECT_EQ(wrong.error_text(), "device \"cuda:7\" is not usable: found 2 CUDA device(s)");
}

}  // namespace
}  // namespace vidi::test
