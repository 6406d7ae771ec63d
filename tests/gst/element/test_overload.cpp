// A model that is slower than its stream: what is dropped, what waits, and who is told.
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

class Overload : public ElementTest {
 protected:
  // The model is busy with window 0; the next windows wait or fall out.
  void begin_with_a_busy_model(Rig& rig) {
    scripted::hold(Step::kEncode);
    rig.play();
    rig.frames(0, 4);
    ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  }
  const GstStructure* dropped(Rig& rig, guint64 index) {
    return rig.wait_structure("vidi/window-dropped", [=](const GstStructure* s) {
      return number(s, "window-index") == index;
    });
  }
  const GstStructure* analysed(Rig& rig, guint64 index) {
    return rig.wait_structure(
        "vidi/window", [=](const GstStructure* s) { return number(s, "window-index") == index; });
  }
  void wait_for_qos(Rig& rig, guint64 n_dropped) {
    rig.wait_message(GST_MESSAGE_QOS, [&](GstMessage* m) {
      guint64 n = 0;
      gst_message_parse_qos_stats(m, nullptr, nullptr, &n);
      return n == n_dropped;
    });
  }
};

// Live and without a policy of its own, the oldest waiting window gives way to the newest.
TEST_F(Overload, LiveDropsTheOldest) {
  Rig rig({.properties = "query=cat max-pending-windows=1", .live = true});
  begin_with_a_busy_model(rig);
  rig.frames(5, 24);  // windows 1 to 5
  for (const guint64 index : {1, 2, 3, 4}) {
    const GstStructure* s = dropped(rig, index);
    EXPECT_EQ(text(s, "reason"), "overload");
    EXPECT_EQ(number(s, "window-start"), index * 4 * GST_SECOND);
    EXPECT_EQ(number(s, "windows-dropped"), index);
    EXPECT_EQ(number(s, "frames"), 4u);
  }
  scripted::release(Step::kEncode);
  analysed(rig, 0);
  analysed(rig, 5);
  EXPECT_EQ(rig.structures("vidi/window").size(), 2u);
}

// With drop-newest, what waits stays and what comes goes.
TEST_F(Overload, DropNewestKeepsWhatWaits) {
  Rig rig({.properties = "query=cat max-pending-windows=2 overload-policy=drop-newest"});
  begin_with_a_busy_model(rig);
  rig.frames(5, 24);
  for (const guint64 index : {3, 4, 5}) EXPECT_EQ(text(dropped(rig, index), "reason"), "overload");
  scripted::release(Step::kEncode);
  for (const guint64 index : {0, 1, 2}) analysed(rig, index);
}

// Every drop is an event, a message and a QOS message, but there is one WARNING for all of them;
// `stats` counts.
TEST_F(Overload, EveryDropIsToldOneWarningIsPosted) {
  Rig rig({.properties = "query=cat max-pending-windows=1", .live = true});
  begin_with_a_busy_model(rig);
  rig.frames(5, 24);
  wait_for_qos(rig, 4);
  rig.frames(25, 25);
  EXPECT_EQ(rig.out().count("vidi/window-dropped"), 4);
  EXPECT_EQ(rig.structures("vidi/window-dropped").size(), 4u);
  EXPECT_EQ(rig.messages(GST_MESSAGE_QOS).size(), 4u);
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 1u);
  EXPECT_EQ(rig.stat("windows-submitted"), 6u);
  EXPECT_EQ(rig.stat("windows-dropped"), 4u);
  EXPECT_EQ(rig.stat("windows-completed"), 0u);
  EXPECT_EQ(rig.stat("windows-dropped-overload"), 4u);
  EXPECT_EQ(rig.stat("pending"), 2u);  // one waits, one is with the model
}

// A QOS message says which part of the stream was lost.
TEST_F(Overload, QosTellsTheWindow) {
  Rig rig({.properties = "query=cat max-pending-windows=1", .live = true});
  begin_with_a_busy_model(rig);
  rig.frames(5, 12);
  GstMessage* message = rig.wait_message(GST_MESSAGE_QOS);
  ASSERT_TRUE(message);
  gboolean live = FALSE;
  guint64 running_time = 0, stream_time = 0, timestamp = 0, duration = 0;
  gst_message_parse_qos(message, &live, &running_time, &stream_time, &timestamp, &duration);
  EXPECT_TRUE(live);
  EXPECT_EQ(running_time, 4 * GST_SECOND);
  EXPECT_EQ(stream_time, 4 * GST_SECOND);
  EXPECT_EQ(timestamp, 4 * GST_SECOND);
  EXPECT_EQ(duration, 4 * GST_SECOND);
}

// A file's video waits while more complete windows wait than allowed, goes on when the model
// answers, and nothing is lost.
TEST_F(Overload, FileWaitsForTheModel) {
  Rig rig({.properties = "query=cat max-pending-windows=1"});
  begin_with_a_busy_model(rig);
  auto pushed = std::async(std::launch::async, [&] { rig.frames(5, 59); });
  EXPECT_EQ(pushed.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  // Window 0 is at work, 1 and 2 wait; a few frames behind them may be under way.
  EXPECT_LE(rig.out().count("buffer"), 24);
  scripted::release(Step::kEncode);
  ASSERT_EQ(pushed.wait_for(std::chrono::nanoseconds(kLimit)), std::future_status::ready);
  rig.end();
  EXPECT_EQ(rig.structures("vidi/window").size(), 15u);
  EXPECT_EQ(rig.stat("windows-dropped"), 0u);
}

// A larger bound lets a video go on that waits for room.
TEST_F(Overload, LargerBoundWakesTheVideo) {
  Rig rig({.properties = "query=cat max-pending-windows=1"});
  begin_with_a_busy_model(rig);
  auto pushed = std::async(std::launch::async, [&] { rig.frames(5, 24); });
  EXPECT_EQ(pushed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  rig.set("max-pending-windows", "10");
  EXPECT_EQ(pushed.wait_for(std::chrono::nanoseconds(kLimit)), std::future_status::ready);
  scripted::release(Step::kEncode);
}

// A policy that drops lets a video go on that waits for room.
TEST_F(Overload, DroppingPolicyWakesTheVideo) {
  Rig rig({.properties = "query=cat max-pending-windows=1"});
  begin_with_a_busy_model(rig);
  auto pushed = std::async(std::launch::async, [&] { rig.frames(5, 24); });
  EXPECT_EQ(pushed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  rig.set("overload-policy", "drop-oldest");
  EXPECT_EQ(pushed.wait_for(std::chrono::nanoseconds(kLimit)), std::future_status::ready);
  scripted::release(Step::kEncode);
}

// Windows that wait for their sound are not complete: however many, the video does not wait.
TEST_F(Overload, WindowsThatWaitForSoundDoNotBlock) {
  Rig rig({.properties = "query=cat max-pending-windows=1 overload-policy=block", .audio = true});
  rig.play();
  rig.within_limit([&] { rig.frames(0, 39); });
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);
  rig.end();
  EXPECT_EQ(rig.structures("vidi/window").size(), 10u);
}

// While the model loads, video passes and windows queue up to the bound.
TEST_F(Overload, VideoPassesWhileTheModelLoads) {
  scripted::hold(Step::kOpen);
  Rig rig({.properties = "query=cat max-pending-windows=2"});
  rig.start();
  rig.within_limit([&] { rig.frames(0, 11); });
  EXPECT_EQ(rig.out().count("buffer"), 12);
  EXPECT_EQ(scripted::count(Step::kEncode), 0);
  scripted::release(Step::kOpen);
  rig.end();
  EXPECT_EQ(rig.structures("vidi/window").size(), 3u);
}

// A live stream whose model loads too long drops as always.
TEST_F(Overload, LiveDropsWhileTheModelLoads) {
  scripted::hold(Step::kOpen);
  Rig rig({.properties = "query=cat max-pending-windows=1", .live = true});
  rig.start();
  rig.frames(0, 16);
  for (const guint64 index : {0, 1, 2}) dropped(rig, index);
  scripted::release(Step::kOpen);
  analysed(rig, 3);
}

// A policy that changes while playing counts for the next window.
TEST_F(Overload, PolicyChangesWhilePlaying) {
  Rig rig({.properties = "query=cat max-pending-windows=1", .live = true});
  begin_with_a_busy_model(rig);
  rig.frames(5, 12);
  dropped(rig, 1);  // 2 waits
  rig.set("overload-policy", "drop-newest");
  rig.frames(13, 16);
  dropped(rig, 3);
  scripted::release(Step::kEncode);
  analysed(rig, 0);
  analysed(rig, 2);
}

}  // namespace
}  // namespace vidi::test
