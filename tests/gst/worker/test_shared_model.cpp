// One model for many elements: loaded once, served in turn, whatever the order.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/let_pass.h"
#include "tests/support/shared_model_rig.h"

namespace vidi {
namespace {

using scripted::Step;

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

// A model that has nothing it can do has no backlog, also where what it was offered is gone when it
// wants to begin: or no device would give it any more.
TEST_F(SharedModelTest, IdleIsNoBacklog) {
  auto one = model();
  Client client;
  client.is_live = true;
  client.job = [](Session&) { test::let_pass(1ms); };
  one->attach(&client);
  client.give(*one, 1);
  ASSERT_TRUE(client.wait_for([&] { return client.n_done == 1; }));
  client.note([&] { client.all_is_taken = true; });
  client.give(*one, 1);
  ASSERT_TRUE(client.wait_for([&] { return client.n_refused > 0; }));
  const auto give_up = std::chrono::steady_clock::now() + kLong;
  while (one->backlog() != Time(0) && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();
  EXPECT_EQ(one->backlog(), Time(0));
  one->detach(&client);
}

}  // namespace
}  // namespace vidi
