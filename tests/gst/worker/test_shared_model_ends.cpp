// Clients of a shared model that leave, one after the other or while it loads or works, and the
// last one, which ends it.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "tests/support/shared_model_rig.h"

namespace vidi {
namespace {

using scripted::Step;

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
