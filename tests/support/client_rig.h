// A ModelClient with a scripted model, and a listener that writes down what it hears.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gst/worker/model_client.h"
#include "tests/support/scripted_session.h"

namespace vidi {

constexpr auto kLong = std::chrono::seconds(20);  // only reached when a test fails

// Writes down what it hears.
class Recorder : public Listener {
 public:
  void model_progress(double) override {}
  void model_ready(const ModelInfo&) override { note("ready"); }
  void model_failed(const Error&) override { note("model failed"); }
  void model_unloaded(const Error* why) override {
    note(why ? "cannot be loaded: " + why->message : "unloaded");
  }
  void model_loading() override { note("loading"); }
  void device_left_out(const std::string& device, const Error&) override {
    note(device + " is left out");
  }
  void window_analysed(const Analysis& analysis) override {
    if (on_analysed) on_analysed();
    note("window " + std::to_string(analysis.window->index));
  }
  void window_gated(const AnalysisWindow& window, const GateReading&) override {
    note("gated " + std::to_string(window.index));
  }
  void window_dropped(const AnalysisWindow& window, DropReason, const std::string&) override {
    note("dropped " + std::to_string(window.index));
  }
  void window_failed(const AnalysisWindow&, const Error&, int in_a_row) override {
    note("failed, " + std::to_string(in_a_row) + " in a row");
  }
  void question_refused(const Question& question, const std::string&) override {
    note("refused " + question.id);
  }
  void request_answered(const Analysis& analysis) override {
    note("answer " + analysis.window->plan->questions.front().id);
  }
  void request_failed(const std::string& id, const std::string&) override {
    note("no answer " + id);
  }

  bool heard(const std::string& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(
        lock, kLong, [&] { return std::find(log_.begin(), log_.end(), what) != log_.end(); });
  }
  std::vector<std::string> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(log_, {});
  }

  std::function<void()> on_analysed;  // on the model's thread, before it is written down

 private:
  void note(std::string what) {
    std::lock_guard lock(mutex_);
    log_.push_back(std::move(what));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
};

using Log = std::vector<std::string>;

inline std::shared_ptr<AskPlan> plan_of(const std::string& id) {
  auto plan = std::make_shared<AskPlan>();
  plan->questions = {{id, "a dog", "a dog"}};
  return plan;
}

// Four seconds from `index` on, two pictures.
inline std::shared_ptr<AnalysisWindow> window_at(uint64_t index, uint64_t epoch = 0) {
  auto window = std::make_shared<AnalysisWindow>();
  window->index = index;
  window->start = std::chrono::seconds(index);
  window->stop = std::chrono::seconds(index + 4);
  window->next_start = std::chrono::seconds(index + 1);
  window->epoch = epoch;
  window->plan = plan_of("0");
  for (int i = 0; i < 2; ++i) {
    window->frames.push_back(test::solid_frame(0, window->start + std::chrono::seconds(i)));
  }
  return window;
}

class ModelClientTest : public testing::Test {
 protected:
  void SetUp() override { scripted::reset(); }
  void TearDown() override {
    client_.stop();
    EXPECT_EQ(scripted::n_open_sessions(), 0);
    expect_account(client_.counters());
  }

  void start() { client_.start(*vidi_engine_api(), {"a", "cpu"}); }
  void start_and_wait() {
    start();
    ASSERT_TRUE(client_.wait_until_loaded());
    ASSERT_TRUE(listener_.heard("ready"));
    listener_.take();
  }
  void submit(uint64_t index, uint64_t epoch = 0) {
    client_.submit(window_at(index, epoch), OverloadPolicy::kBlock);
  }
  ModelClient::Asked ask(const std::string& id, int from = 0, int to = 100) {
    return client_.ask(plan_of(id), std::chrono::seconds(from), std::chrono::seconds(to), nullptr);
  }
  // Another model of the process has no memory.
  static bool take_room() {
    return SharedModel::acquire(*vidi_engine_api(), {"a", "cpu"})->take_room();
  }
  static void expect_account(const Counters& c) {
    EXPECT_EQ(c.windows_submitted, c.windows_completed + c.windows_gated + c.windows_failed +
                                       c.windows_dropped() + c.pending);
  }
  uint64_t n_dropped(DropReason reason) {
    return client_.counters().dropped[static_cast<size_t>(reason)];
  }

  Recorder listener_;
  ModelClient client_{listener_};
};

}  // namespace vidi
