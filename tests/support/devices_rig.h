// An element's part in a model that runs on several devices, with a scripted engine.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/client_rig.h"
#include "tests/support/let_pass.h"

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
      std::unique_lock lock(mutex_);
      // Its first picture is red.
      if (window.frames[0] == 0xff0000) changed_.wait(lock, [this] { return goes_on_; });
      return std::string("none");
    });
  }
  ~SlowFirst() { go_on(); }
  static std::shared_ptr<AnalysisWindow> window() {
    auto first = window_at(0);
    first->frames[0] = test::solid_frame(0xff0000, std::chrono::seconds(0));
    return first;
  }
  void go_on() {
    std::lock_guard lock(mutex_);
    goes_on_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool goes_on_ = false;
};

}  // namespace vidi
