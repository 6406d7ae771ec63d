// An element's part in a model that runs on several devices, with a scripted engine.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/client_rig.h"

namespace vidi {

class Devices : public ModelClientTest {
 protected:
  using Names = std::vector<std::string>;
  void start_on(const Names& devices = {"cpu", "cpu"}) {
    client_.start_on(*vidi_engine_api(), {"a", ""}, devices);
    ASSERT_TRUE(client_.wait_until_loaded());
    ASSERT_TRUE(listener_.heard("ready"));
    EXPECT_EQ(listener_.take(), Log{"ready"});
  }
  // Live, with a stride of a second.
  static std::shared_ptr<AnalysisWindow> live(uint64_t index) {
    auto window = window_at(index);
    window->closed_at = std::chrono::steady_clock::now();
    return window;
  }
  static Log windows(uint64_t n) {
    Log all;
    for (uint64_t i = 0; i < n; ++i) all.push_back("window " + std::to_string(i));
    return all;
  }
};

// A window 0 whose question is answered when it is told to be.
class SlowFirst {
 public:
  SlowFirst() {
    scripted::answer_with([this](const Query&, const scripted::SeenWindow& window) {
      // Its first picture is red.
      while (window.frames[0] == 0xff0000 && is_slow_)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return std::string("none");
    });
  }
  ~SlowFirst() { go_on(); }
  static std::shared_ptr<AnalysisWindow> window() {
    auto first = window_at(0);
    first->frames[0] = test::solid_frame(0xff0000, std::chrono::seconds(0));
    return first;
  }
  void go_on() { is_slow_ = false; }

 private:
  std::atomic<bool> is_slow_{true};
};

}  // namespace vidi
