// Elements that name the same model share one.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "model/session.h"
#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

struct Shared : ElementTest {};

// Same path, device and precision: one session, loaded once. Both elements hear that it is ready.
TEST_F(Shared, SameModelIsLoadedOnce) {
  Rig one, two;
  one.play();
  two.play();
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
}

// Another precision is another model.
TEST_F(Shared, OtherPrecisionIsAnotherModel) {
  Rig one, two({.properties = "query=cat precision=bf16"});
  one.play();
  two.play();
  EXPECT_EQ(scripted::n_open_sessions(), 2);
}

// The memory limit reaches the engine, and another limit is another model.
TEST_F(Shared, MemoryLimitReachesTheEngine) {
  Rig one;
  one.play();
  EXPECT_EQ(scripted::memory_limit(), 0u);
  Rig two({.properties = "query=cat memory-limit=24000000000"});
  two.play();
  EXPECT_EQ(scripted::memory_limit(), 24000000000u);
  EXPECT_EQ(scripted::n_open_sessions(), 2);
}

// Both hear of a failed load.
TEST_F(Shared, BothHearOfAFailure) {
  scripted::hold(Step::kOpen);
  scripted::fail(Step::kOpen, {ErrorCode::kNotFound, "no such folder"}, -1);
  Rig one, two;
  one.start();
  two.start();
  ASSERT_TRUE(scripted::wait_for(Step::kOpen, 1));
  scripted::release(Step::kOpen);
  for (Rig* rig : {&one, &two}) {
    ASSERT_TRUE(rig->wait_message(GST_MESSAGE_ERROR));
    EXPECT_EQ(rig->error_text(), "no such folder");
  }
}

// Windows that are kept for questions give way to one that does not fit, also across elements and
// models: the element's own first, then its neighbours'; it is analysed in usual steps then. None
// has begun its next window here: that would give way before what neighbours keep.
TEST_F(Shared, KeptWindowsGiveWayAcrossElements) {
  for (const char* other :
       {"query=cat keep-windows=2", "query=cat keep-windows=2 precision=bf16"}) {
    prepare();
    scripted::room_for_partial_windows(false);
    Rig neighbour({.properties = other}), one;
    neighbour.play();
    neighbour.frames(0, 4);
    ASSERT_TRUE(neighbour.wait_structure("vidi/window"));
    EXPECT_NE(neighbour.ask("dog", 0, GST_SECOND), "");
    one.play();
    scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "no room"}, 1);
    one.frames(0, 4);
    const GstStructure* window = one.wait_structure("vidi/window");
    ASSERT_TRUE(window);
    EXPECT_FALSE(flag(window, "small-steps"));
    EXPECT_EQ(neighbour.ask("dog", 0, GST_SECOND), "") << "what it kept is gone";
    EXPECT_TRUE(neighbour.error_text().empty());
  }
}

// One goes while the model works for the other: that one's answer comes, and the model stays.
TEST_F(Shared, OneGoesTheOtherStays) {
  Rig one;
  one.play();
  {
    Rig two;
    two.play();
    scripted::hold(Step::kAsk);
    one.frames(0, 4);
    ASSERT_TRUE(scripted::wait_for(Step::kAsk, 1));
    two.frames(0, 4);
    two.within_limit([&] { two.to(GST_STATE_NULL); });
  }
  scripted::release(Step::kAsk);
  EXPECT_TRUE(one.wait_structure("vidi/window"));
  EXPECT_EQ(scripted::n_open_sessions(), 1);
  one.frames(5, 8);
  EXPECT_TRUE(one.wait_structure("vidi/window"));
}

// The one that goes is the one the model works for: it does not wait for that, its work is
// cancelled, the other goes on.
TEST_F(Shared, WorkOfTheOneThatGoesIsCancelled) {
  Rig two;
  two.play();
  {
    Rig one;
    one.play();
    scripted::hold(Step::kAsk);
    one.frames(0, 4);
    ASSERT_TRUE(scripted::wait_for(Step::kAsk, 1));
    two.frames(0, 4);
    one.within_limit([&] { one.to(GST_STATE_NULL); });
  }
  two.within_limit([] {
    while (scripted::n_cancelled() == 0) std::this_thread::yield();
  });
  scripted::release(Step::kAsk);
  EXPECT_TRUE(two.wait_structure("vidi/window"));
}

// The model serves its elements in turn: one with much work does not starve the other.
TEST_F(Shared, ElementsTakeTurns) {
  std::mutex mutex;
  std::vector<std::string> order;
  scripted::answer_with([&](const Query& query, const scripted::SeenWindow&) {
    std::lock_guard lock(mutex);
    order.push_back(query.text);
    return std::string("none");
  });
  Rig busy({.properties = "query=busy max-pending-windows=20"});
  Rig idle({.properties = "query=idle max-pending-windows=20"});
  busy.play();
  idle.play();
  scripted::hold(Step::kEncodeImages);
  busy.frames(0, 40);  // ten windows
  idle.frames(0, 19);  // five; at least two of them wait when this returns
  scripted::release(Step::kEncodeImages);
  idle.end();
  busy.end();
  const auto first = std::find(order.begin(), order.end(), "idle");
  ASSERT_NE(first, order.end());
  EXPECT_LT(std::find(first + 1, order.end(), "idle") - order.begin(), 7);
}

// The last one that goes frees the model; the next one loads it again.
TEST_F(Shared, TheLastOneFreesTheModel) {
  for (int i = 1; i <= 3; ++i) {
    Rig rig;
    rig.play();
    EXPECT_EQ(scripted::n_open_sessions(), 1);
    EXPECT_EQ(scripted::count(Step::kOpen), i);
    rig.to(GST_STATE_NULL);
    EXPECT_EQ(scripted::n_open_sessions(), 0);
  }
}

}  // namespace
}  // namespace vidi::test
