// A client of a model that many share, which counts what it hears.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "gst/worker/shared_model.h"
#include "model/engine_api.h"
#include "tests/support/scripted_engine.h"

namespace vidi {

using namespace std::chrono_literals;

inline constexpr auto kLong = 20s;  // only reached when a test fails

// Counts what it hears, and works off `n_waiting` pieces.
class Client : public WorkSource {
 public:
  void on_progress(double fraction) override {
    note([&] { progress = fraction; });
  }
  void on_ready(const ModelInfo& found) override {
    note([&] {
      ++n_ready;
      info = found;
    });
  }
  void on_failed(const Error& found) override {
    note([&] {
      ++n_failed;
      error = found;
    });
  }
  void on_unloaded(const Error* why) override {
    note([&] {
      ++n_unloaded;
      if (why) error = *why;
    });
  }
  void on_loading() override {
    note([&] { ++n_loading; });
  }
  Offer offer() override {
    std::lock_guard lock(mutex);
    Offer offer;
    offer.has_window = n_waiting > 0;
    if (is_live) offer.deadline = std::chrono::steady_clock::now() + 100s;
    return offer;
  }
  void answered(bool, Result<Analysis>) override {}
  bool free_ahead() override { return on_free_ahead && on_free_ahead(); }
  bool work(Schedule::Kind, const Desk& desk) override {
    std::function<void(Session&)> piece;
    {
      std::lock_guard lock(mutex);
      if (n_waiting > 0 && all_is_taken) {
        ++n_refused;
        changed.notify_all();
      }
      if (n_waiting == 0 || all_is_taken) return false;
      --n_waiting;
      piece = job;
    }
    if (piece) piece(desk.session);
    note([&] { ++n_done; });
    return true;
  }

  template <class What>
  void note(What what) {
    std::lock_guard lock(mutex);
    what();
    changed.notify_all();
  }
  template <class What>
  bool wait_for(What what) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kLong, what);
  }
  bool wait_ready() {
    return wait_for([&] { return n_ready == 1; });
  }
  void give(SharedModel& model, int n) {
    note([&] { n_waiting += n; });
    model.wake();
  }

  std::mutex mutex;
  std::condition_variable changed;
  double progress = -1;
  int n_ready = 0, n_failed = 0, n_waiting = 0, n_done = 0;
  int n_unloaded = 0, n_loading = 0, n_refused = 0;
  bool is_live = false, all_is_taken = false;  // by another device, when it is to be done
  ModelInfo info;
  Error error;
  std::function<void(Session&)> job;
  std::function<bool()> on_free_ahead;
};

class SharedModelTest : public testing::Test {
 protected:
  void SetUp() override { scripted::reset(); }
  void TearDown() override { EXPECT_EQ(scripted::n_open_sessions(), 0); }

  static std::shared_ptr<SharedModel> model(const std::string& folder = "a",
                                            const std::string& device = "cpu",
                                            Precision precision = Precision::kAuto,
                                            uint64_t memory_limit = 0,
                                            WeightFormat weights = WeightFormat::kNative,
                                            KeyFormat keys = KeyFormat::kNative,
                                            uint64_t unload_after = 0) {
    return SharedModel::acquire(
        *vidi_engine_api(), {folder, device, precision, memory_limit, weights, keys, unload_after});
  }
};

}  // namespace vidi
