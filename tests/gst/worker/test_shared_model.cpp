// One model for many elements: loaded once, served in turn, freed by the last, whatever the order.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>

#include "gst/worker/shared_model.h"
#include "model/engine_api.h"
#include "tests/support/scripted_engine.h"

namespace vidi {
namespace {

using namespace std::chrono_literals;
using scripted::Step;

constexpr auto kLong = 20s;  // only reached when a test fails

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
    return offer;
  }
  void answered(bool, Result<Analysis>) override {}
  bool free_ahead() override { return on_free_ahead && on_free_ahead(); }
  bool work(Schedule::Kind, const Desk& desk) override {
    std::function<void(Session&)> piece;
    {
      std::lock_guard lock(mutex);
      if (n_waiting == 0) return false;
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
  int n_unloaded = 0, n_loading = 0;
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

// Elements that name the same model share one session, and each hears that it is ready once.
TEST_F(SharedModelTest, OneSessionForOneKey) {
  auto one = model(), two = model();
  EXPECT_EQ(one, two);
  EXPECT_EQ(one->state(), ModelState::kUnloaded);
  Client a, b;
  one->attach(&a);
  two->attach(&b);
  one->attach(&a);  // again changes nothing
  ASSERT_TRUE(a.wait_ready());
  ASSERT_TRUE(b.wait_ready());
  EXPECT_TRUE(one->wait_until_loaded(&a));
  EXPECT_EQ(one->state(), ModelState::kReady);
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
  EXPECT_EQ(a.info.family, "vidi1.5");
  one->detach(&a);
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  two->detach(&b);
  EXPECT_EQ(a.n_ready + b.n_ready, 2);
  EXPECT_EQ(a.n_failed + b.n_failed, 0);
}

// Folder, device, precision, memory limit, the form of weights and keys and unload-after each make
// another model.
TEST_F(SharedModelTest, AnotherKeyIsAnotherModel) {
  std::array<std::shared_ptr<SharedModel>, 8> models = {
      model(),
      model("b"),
      model("a", "cuda"),
      model("a", "cpu", Precision::kFp32),
      model("a", "cpu", Precision::kAuto, 24000000000u),
      model("a", "cpu", Precision::kAuto, 0, WeightFormat::kInt8),
      model("a", "cpu", Precision::kAuto, 0, WeightFormat::kNative, KeyFormat::kInt8),
      model("a", "cpu", Precision::kAuto, 0, WeightFormat::kNative, KeyFormat::kNative, 1u << 31)};
  std::array<Client, 8> clients;
  for (size_t i = 0; i < 8; ++i) models[i]->attach(&clients[i]);
  for (Client& client : clients) ASSERT_TRUE(client.wait_ready());
  EXPECT_EQ(scripted::n_open_sessions(), 8);
  for (size_t i = 0; i < 8; ++i) models[i]->detach(&clients[i]);
}

// The last client's detach frees the model before it returns, and the same object loads again.
TEST_F(SharedModelTest, LastDetachFreesAndAttachStartsAnew) {
  auto one = model();
  Client client;
  for (int round = 1; round <= 3; ++round) {
    one->attach(&client);
    EXPECT_TRUE(one->wait_until_loaded(&client));
    one->detach(&client);
    EXPECT_EQ(scripted::n_open_sessions(), 0);
    EXPECT_EQ(one->state(), ModelState::kUnloaded);
    EXPECT_EQ(one->device_memory_bytes(), 0);
    EXPECT_EQ(scripted::count(Step::kOpen), round);
  }
}

// Whoever comes after loading hears on_ready as well, once.
TEST_F(SharedModelTest, LatecomerHearsReady) {
  auto one = model();
  Client early, late;
  one->attach(&early);
  ASSERT_TRUE(early.wait_ready());
  one->attach(&late);
  EXPECT_TRUE(late.wait_ready());
  EXPECT_EQ(late.progress, -1);
  one->detach(&early);
  one->detach(&late);
  EXPECT_EQ(early.n_ready, 1);
  EXPECT_EQ(late.n_ready, 1);
}

// Progress reaches every client that is attached while loading.
TEST_F(SharedModelTest, ProgressGoesToAll) {
  scripted::hold(Step::kOpen);
  auto one = model();
  Client a, b;
  one->attach(&a);
  ASSERT_TRUE(a.wait_for([&] { return a.progress >= 0.5; }));
  EXPECT_EQ(one->state(), ModelState::kLoading);
  one->attach(&b);
  scripted::release(Step::kOpen);
  ASSERT_TRUE(b.wait_ready());
  EXPECT_EQ(a.progress, 1);
  EXPECT_EQ(b.progress, 1);
  one->detach(&a);
  one->detach(&b);
}

// A failed load tells everyone, also who comes later; only the next model tries again.
TEST_F(SharedModelTest, FailureReachesAllAndLastsUntilReleased) {
  scripted::fail(Step::kOpen, {ErrorCode::kNotFound, "no such folder"});
  auto one = model();
  Client a, b;
  one->attach(&a);
  EXPECT_FALSE(one->wait_until_loaded(&a));
  EXPECT_EQ(one->state(), ModelState::kFailed);
  auto two = model();
  two->attach(&b);
  ASSERT_TRUE(a.wait_for([&] { return a.n_failed == 1; }));
  ASSERT_TRUE(b.wait_for([&] { return b.n_failed == 1; }));
  EXPECT_EQ(b.error.code, ErrorCode::kNotFound);
  EXPECT_EQ(b.error.message, "no such folder");
  a.give(*one, 1);  // work without a model stays undone
  one->detach(&a);
  two->detach(&b);
  EXPECT_EQ(a.n_done, 0);
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
  one.reset();
  two.reset();

  auto three = model();
  Client c;
  three->attach(&c);
  EXPECT_TRUE(three->wait_until_loaded(&c));
  three->detach(&c);
}

// The last client that leaves while loading cancels it and is told neither ready nor failed.
TEST_F(SharedModelTest, DetachWhileLoadingCancels) {
  scripted::hold(Step::kOpen);
  auto one = model();
  Client client;
  one->attach(&client);
  ASSERT_TRUE(scripted::wait_for(Step::kOpen, 1));
  one->detach(&client);  // the load is still held: returning at all is the point
  EXPECT_EQ(scripted::n_cancelled(), 1);
  EXPECT_EQ(client.n_ready + client.n_failed, 0);
}

// One of two that leaves while loading leaves the load to the other.
TEST_F(SharedModelTest, LoadGoesOnForTheOther) {
  scripted::hold(Step::kOpen);
  auto one = model();
  Client leaves, stays;
  one->attach(&leaves);
  one->attach(&stays);
  ASSERT_TRUE(scripted::wait_for(Step::kOpen, 1));
  one->detach(&leaves);
  scripted::release(Step::kOpen);
  EXPECT_TRUE(stays.wait_ready());
  one->detach(&stays);
  EXPECT_EQ(leaves.n_ready + leaves.n_failed, 0);
  EXPECT_EQ(scripted::n_cancelled(), 0);
}

// A wait for the model ends when its client is detached by another thread.
TEST_F(SharedModelTest, DetachEndsTheWait) {
  scripted::hold(Step::kOpen);
  auto one = model();
  Client waits, stays;
  one->attach(&waits);
  one->attach(&stays);
  auto loaded = std::async(std::launch::async, [&] { return one->wait_until_loaded(&waits); });
  one->detach(&waits);
  ASSERT_EQ(loaded.wait_for(kLong), std::future_status::ready);
  EXPECT_FALSE(loaded.get());
  EXPECT_EQ(one->state(), ModelState::kLoading);
  one->detach(&stays);
  EXPECT_FALSE(one->wait_until_loaded(&stays));  // not attached: nothing to wait for
}

// detach() returns only when the call into its client is over, and none follows.
TEST_F(SharedModelTest, DetachWaitsForWork) {
  for (const bool alone : {true, false}) {
    auto one = model();
    Client client, other;
    std::promise<void> inside, go;
    std::atomic<bool> over{false};
    client.job = [&](Session&) {
      inside.set_value();
      go.get_future().wait();
      over = true;
    };
    one->attach(&client);
    if (!alone) one->attach(&other);
    client.give(*one, 1);
    inside.get_future().wait();
    auto left = std::async(std::launch::async, [&] {
      one->detach(&client);
      return over.load();
    });
    while (one->wait_until_loaded(&client)) std::this_thread::yield();  // until it has no seat
    EXPECT_EQ(left.wait_for(0s), std::future_status::timeout);
    go.set_value();
    EXPECT_TRUE(left.get());
    client.give(*one, 1);
    one->detach(&other);
    EXPECT_EQ(client.n_done, 1);
  }
}

// Likewise for a call from another model's thread, which takes room; the model's own has ended by
// then.
TEST_F(SharedModelTest, DetachWaitsForWhoTakesRoom) {
  auto one = model();
  Client client;
  std::promise<void> inside, go;
  std::atomic<bool> over{false};
  client.on_free_ahead = [&] {
    inside.set_value();
    go.get_future().wait();
    return over = true;
  };
  one->attach(&client);
  ASSERT_TRUE(one->wait_until_loaded(&client));
  auto taken = std::async(std::launch::async, [&] { return one->take_room(); });
  inside.get_future().wait();
  auto left = std::async(std::launch::async, [&] {
    one->detach(&client);
    return over.load();
  });
  while (one->state() != ModelState::kUnloaded) std::this_thread::yield();
  EXPECT_EQ(left.wait_for(50ms), std::future_status::timeout);  // that must not come
  go.set_value();
  EXPECT_TRUE(left.get());
  EXPECT_TRUE(taken.get());
}

// Who comes while the last one leaves gets a model of its own, loaded anew.
TEST_F(SharedModelTest, AttachDuringTheLastDetach) {
  auto one = model();
  Client leaves, comes;
  std::promise<void> inside, go;
  leaves.job = [&](Session&) {
    inside.set_value();
    go.get_future().wait();
  };
  one->attach(&leaves);
  leaves.give(*one, 1);
  inside.get_future().wait();
  auto left = std::async(std::launch::async, [&] { one->detach(&leaves); });
  auto came = std::async(std::launch::async, [&] {
    one->attach(&comes);
    return one->wait_until_loaded(&comes);
  });
  go.set_value();
  left.get();
  EXPECT_TRUE(came.get());
  EXPECT_TRUE(comes.wait_ready());
  one->detach(&comes);
  EXPECT_EQ(comes.n_ready, 1);
}

// Clients with a lot of work each get one piece in turn.
TEST_F(SharedModelTest, ServesInTurn) {
  auto one = model();
  std::array<Client, 3> clients;
  std::mutex mutex;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    clients[i].job = [&, i](Session&) {
      std::lock_guard lock(mutex);
      order.push_back(i);
    };
    clients[i].n_waiting = 50;
  }
  scripted::hold(Step::kOpen);  // nobody is served before all are there
  for (Client& client : clients) one->attach(&client);
  scripted::release(Step::kOpen);
  for (Client& client : clients) {
    ASSERT_TRUE(client.wait_for([&] { return client.n_done == 50; }));
  }
  for (Client& client : clients) one->detach(&client);
  ASSERT_EQ(order.size(), 150u);
  for (size_t k = 3; k < order.size(); ++k) EXPECT_EQ(order[k], order[k - 3]) << k;
  EXPECT_NE(order[0], order[1]);
  EXPECT_NE(order[1], order[2]);
}

// A call of wake() for each piece of work is never lost, however it falls.
TEST_F(SharedModelTest, EveryWakeCounts) {
  auto one = model();
  Client client;
  one->attach(&client);
  for (int n = 1; n <= 2000; ++n) {
    client.give(*one, 1);
    ASSERT_TRUE(client.wait_for([&] { return client.n_done == n; })) << n;
  }
  one->detach(&client);
}

// Work that waits before the model is ready is done without another wake().
TEST_F(SharedModelTest, WorkFromBeforeLoading) {
  auto one = model();
  Client client;
  client.n_waiting = 3;
  one->attach(&client);
  EXPECT_TRUE(client.wait_for([&] { return client.n_done == 3; }));
  one->detach(&client);
  EXPECT_EQ(client.n_ready, 1);
}

// The memory figure is there after loading, and follows each piece of work.
TEST_F(SharedModelTest, MemoryFollowsTheWork) {
  auto one = model();
  Client client;
  client.job = [](Session& session) {
    const std::vector<uint8_t> pixels(32 * 32 * 3);
    const Frame frame{pixels.data(), 32, 32, 96};
    const auto seen = session.encode_images({frame, frame}, Cancel());
    ASSERT_TRUE(seen);
    ASSERT_TRUE(session.encode({*seen, {}, 2.0, nullptr}, Cancel()));
  };
  one->attach(&client);
  ASSERT_TRUE(one->wait_until_loaded(&client));
  EXPECT_EQ(one->device_memory_bytes(), 1000);
  client.give(*one, 1);
  ASSERT_TRUE(client.wait_for([&] { return client.n_done == 1; }));
  one->detach(&client);
  EXPECT_EQ(scripted::count(Step::kEncode), 1);

  Client again;
  again.job = client.job;
  Client second;
  one->attach(&again);
  one->attach(&second);
  again.give(*one, 1);
  ASSERT_TRUE(again.wait_for([&] { return again.n_done == 1; }));
  one->detach(&again);  // the worker is out of that call: the figure is set
  EXPECT_EQ(one->device_memory_bytes(), 2000);
  one->detach(&second);
}

// A client that throws harms neither the process nor the others.
TEST_F(SharedModelTest, ThrowingClient) {
  auto one = model();
  Client bad, good;
  bad.job = [](Session&) { throw std::runtime_error("no"); };
  one->attach(&bad);
  one->attach(&good);
  bad.give(*one, 1);
  good.give(*one, 5);
  EXPECT_TRUE(good.wait_for([&] { return good.n_done == 5; }));
  one->detach(&bad);
  one->detach(&good);
}

// detach() on the worker's thread, a mistake, says so and neither hangs nor calls the client again.
TEST_F(SharedModelTest, DetachOnTheWorkersThread) {
  auto one = model();
  Client client, next;
  client.job = [&](Session&) { one->detach(&client); };
  one->attach(&client);
  client.give(*one, 2);
  ASSERT_TRUE(client.wait_for([&] { return client.n_done == 1; }));
  one->attach(&next);  // the thread and the model are still there
  EXPECT_TRUE(next.wait_ready());
  one->detach(&client);
  one->detach(&next);
  EXPECT_EQ(client.n_done, 1);
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
}

// A model that is dropped with a client still attached ends its thread and frees its session.
TEST_F(SharedModelTest, DroppedWithoutDetach) {
  auto one = model();
  Client client;
  one->attach(&client);
  ASSERT_TRUE(client.wait_ready());
  one.reset();
}

// Many threads that come and go at any moment leave nothing behind, and no call comes after detach.
TEST_F(SharedModelTest, ComingAndGoing) {
  std::atomic<int> n_done{0};
  const auto come_and_go = [&](int thread) {
    for (int i = 0; i < 250; ++i) {
      auto one = model(i % 7 == 0 ? "b" : "a");
      Client client;
      client.n_waiting = 2;
      one->attach(&client);
      if ((i + thread) % 3 == 0) {
        EXPECT_TRUE(one->wait_until_loaded(&client));
      }
      if (i % 5 == 0) one->wake();
      one->detach(&client);
      EXPECT_LE(client.n_ready, 1);  // without its lock: a call now would be a race
      EXPECT_EQ(client.n_failed, 0);
      n_done += client.n_done;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back(come_and_go, t);
  for (std::thread& t : threads) t.join();
  EXPECT_GT(n_done, 0);
}

}  // namespace
}  // namespace vidi
