// A text or JSON pad alone, between a caller and a downstream that is told what to do.
#include <atomic>
#include <thread>
#include <utility>

#include "tests/support/sparse_pad_rig.h"

namespace vidi::test {
namespace {

// As soon as the segment is known the stream begins and its first GAP is out, without any video and
// not from the caller's thread.
TEST_F(SparsePadTest, BeginsWithoutData) {
  segment_.start = 5;
  pad_->start("up", 77, segment_, 7);
  ASSERT_TRUE(sink_.ends_with("gap 7+0"));
  EXPECT_EQ(sink_.take(), (Log{"stream-start up/text_src sparse group 77", "caps text/x-raw",
                               "segment 5", "gap 7+0"}));
  EXPECT_NE(sink_.thread(), std::this_thread::get_id());
}

// Without a position GAPs begin at the segment's start.
TEST_F(SparsePadTest, PositionUnknown) {
  segment_.start = 5;
  start(GST_CLOCK_TIME_NONE);
  EXPECT_TRUE(sink_.ends_with("gap 5+0"));
}

// Positions that pass while downstream is busy become a GAP that continues the last one, and one
// that begins with the newest picture: what waits for text at the pictures before it has it.
TEST_F(SparsePadTest, GapsAreJoined) {
  start_and_forget();
  pad_->follow(10);
  ASSERT_TRUE(sink_.ends_with("gap 0+10"));
  sink_.hold();
  pad_->push(buffer_at(3));
  ASSERT_TRUE(sink_.holding());
  for (GstClockTime position = 11; position <= 50; position++) pad_->follow(position);
  sink_.release();
  ASSERT_TRUE(sink_.ends_with("gap 49+1"));
  EXPECT_EQ(sink_.take(), (Log{"gap 0+10", "buffer 3", "gap 10+39", "gap 49+1"}));
}

// A position that is not ahead of the last one is no GAP.
TEST_F(SparsePadTest, GapsNeverGoBack) {
  start_and_forget();
  pad_->follow(10);
  ASSERT_TRUE(sink_.ends_with("gap 0+10"));
  for (GstClockTime position : {GstClockTime{10}, GstClockTime{4}, GST_CLOCK_TIME_NONE})
    pad_->follow(position);
  pad_->follow(12);
  ASSERT_TRUE(sink_.ends_with("gap 10+2"));
  EXPECT_EQ(sink_.take(), (Log{"gap 0+10", "gap 10+2"}));
}

// Buffers leave in the order they came, whatever their timestamps, and no GAP overtakes them.
TEST_F(SparsePadTest, BuffersInOrder) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(100));
  ASSERT_TRUE(sink_.holding());
  pad_->push(buffer_at(5));
  pad_->follow(200);
  pad_->push(buffer_at(150));
  sink_.release();
  ASSERT_TRUE(sink_.ends_with("gap 0+200"));
  EXPECT_EQ(sink_.take(), (Log{"buffer 100", "buffer 5", "buffer 150", "gap 0+200"}));
}

// Behind a cue that lies before the last GAP there is a GAP again: textoverlay takes the cue's PTS
// for the position of the text, and would hold the video until it hears of a later one.
TEST_F(SparsePadTest, LateCueIsFollowedByTheGapAgain) {
  start_and_forget();
  pad_->follow(10);
  ASSERT_TRUE(sink_.ends_with("gap 0+10"));
  pad_->push(buffer_at(3));
  ASSERT_TRUE(sink_.ends_with("gap 10+0"));
  EXPECT_EQ(sink_.take(), (Log{"gap 0+10", "buffer 3", "gap 10+0"}));
}

// What is pushed before the stream is known waits for it; positions before it mean nothing.
TEST_F(SparsePadTest, BuffersWaitForStart) {
  pad_->follow(50);
  pad_->push(buffer_at(1));
  pad_->push(buffer_at(2));
  pad_->wait_until_sent();  // does not wait for a start that may never come
  EXPECT_EQ(sink_.take(), Log{});
  start();
  ASSERT_TRUE(sink_.ends_with("buffer 2"));
  EXPECT_EQ(sink_.take(), (Log{"stream-start up/text_src sparse", "caps text/x-raw", "segment 0",
                               "gap 0+0", "buffer 1", "buffer 2"}));
}

// EOS leaves behind everything queued, and nothing leaves behind EOS.
TEST_F(SparsePadTest, EndIsLast) {
  start_and_forget();
  for (int i = 0; i < 100; i++) pad_->push(buffer_at(i));
  pad_->end();
  GstBuffer* late = gst_buffer_ref(buffer_at(200));
  pad_->push(late);
  pad_->follow(1000);
  pad_->end();
  ASSERT_TRUE(sink_.ends_with("eos"));
  const Log log = sink_.take();
  ASSERT_EQ(log.size(), 101u);
  EXPECT_EQ(log[99], "buffer 99");
  EXPECT_EQ(log[100], "eos");
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(late), 1);
  gst_buffer_unref(late);
}

// A video that ends before it began still gives downstream a whole, empty stream.
TEST_F(SparsePadTest, EndWithoutStart) {
  pad_->end();
  ASSERT_TRUE(sink_.ends_with("eos"));
  const Log log = sink_.take();
  ASSERT_EQ(log.size(), 5u);
  EXPECT_EQ(log[0].substr(0, 12), "stream-start");
  EXPECT_EQ(log[2], "segment 0");
  EXPECT_EQ(log[4], "eos");
}

// A retired pad stays at rest, also when a change of state that runs beside its release activates
// it once more: its task would hold the lock that the next deactivation waits for.
TEST_F(SparsePadTest, RetiredStaysAtRest) {
  start_and_forget();
  pad_->retire();
  EXPECT_TRUE(gst_pad_set_active(pad_->pad(), TRUE));
  EXPECT_NE(gst_pad_get_task_state(pad_->pad()), GST_TASK_STARTED);
  start();
  EXPECT_TRUE(gst_pad_set_active(pad_->pad(), FALSE));
  EXPECT_EQ(sink_.take(), Log{});
}

// A new segment of the same stream goes out alone; a new stream with its STREAM_START and CAPS.
// GAPs start over with either.
TEST_F(SparsePadTest, NewSegmentAndNewStream) {
  start_and_forget();
  pad_->follow(10);
  ASSERT_TRUE(sink_.ends_with("gap 0+10"));
  segment_.start = 3;
  start(3);
  ASSERT_TRUE(sink_.ends_with("gap 3+0"));
  pad_->start("other", 5, segment_, 4);
  pad_->follow(6);
  ASSERT_TRUE(sink_.ends_with("gap 4+2"));
  EXPECT_EQ(sink_.take(),
            (Log{"gap 0+10", "segment 3", "gap 3+0", "stream-start other/text_src sparse group 5",
                 "caps text/x-raw", "segment 3", "gap 4+0", "gap 4+2"}));
}

// After EOS a new start begins a stream again, with the same id too.
TEST_F(SparsePadTest, StartAfterEnd) {
  start_and_forget();
  pad_->end();
  ASSERT_TRUE(sink_.ends_with("eos"));
  sink_.take();
  start();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.ends_with("buffer 1"));
  EXPECT_EQ(sink_.take(), (Log{"stream-start up/text_src sparse", "caps text/x-raw", "segment 0",
                               "gap 0+0", "buffer 1"}));
  EXPECT_EQ(pad_->last_flow(), GST_FLOW_OK);
}

// A flush while downstream holds a buffer returns, wakes the waiting thread and drops what waits;
// then the stream goes on with a new segment.
TEST_F(SparsePadTest, FlushWhileDownstreamBlocks) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  GstBuffer* waiting = gst_buffer_ref(buffer_at(2));
  pad_->push(waiting);
  pad_->end();
  std::thread waiter([this] { pad_->wait_until_sent(); });
  pad_->flush_start();
  waiter.join();
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(waiting), 1);
  gst_buffer_unref(waiting);
  pad_->flush_stop(true);
  EXPECT_EQ(pad_->last_flow(), GST_FLOW_OK);
  sink_.release();
  start(30);
  ASSERT_TRUE(sink_.ends_with("gap 30+0"));
  EXPECT_EQ(sink_.take(), (Log{"buffer 1", "flush-start", "flush-stop", "segment 0", "gap 30+0"}));
}

// A downstream that keeps a buffer and is unlinked meanwhile is flushed out of it by the pad's next
// flush, which cannot reach it: whoever seeks would wait for ever.
TEST_F(SparsePadTest, FlushAfterAStuckDownstreamWasUnlinked) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  gst_pad_unlink(raw_, sink_.pad());
  pad_->flush_start();
  pad_->flush_stop(true);
  EXPECT_EQ(sink_.take(), (Log{"buffer 1", "flush-start", "flush-stop"}));
}

// Likewise when data of another stream is to take the pad's way.
TEST_F(SparsePadTest, HandOverAfterAStuckDownstreamWasUnlinked) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  gst_pad_unlink(raw_, sink_.pad());
  pad_->hand_over();
  EXPECT_EQ(sink_.take(), (Log{"buffer 1", "flush-start", "flush-stop"}));
}

// Between FLUSH_START and FLUSH_STOP every call is ignored.
TEST_F(SparsePadTest, NothingWhileFlushing) {
  start_and_forget();
  pad_->flush_start();
  start();
  pad_->push(buffer_at(1));
  pad_->follow(100);
  pad_->end();
  pad_->wait_until_sent();
  pad_->flush_stop(false);
  pad_->follow(100);  // of no segment yet
  start(40);
  ASSERT_TRUE(sink_.ends_with("gap 40+0"));
  EXPECT_EQ(sink_.take(), (Log{"flush-start", "flush-stop", "segment 0", "gap 40+0"}));
}

// A STREAM_START that a flush swallowed before it left is sent after the flush.
TEST_F(SparsePadTest, FlushBeforeStreamStartLeft) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  pad_->start("next", std::nullopt, segment_, 0);
  pad_->flush_start();
  pad_->flush_stop(true);
  sink_.release();
  pad_->start("next", std::nullopt, segment_, 9);
  ASSERT_TRUE(sink_.ends_with("gap 9+0"));
  EXPECT_EQ(sink_.take(),
            (Log{"buffer 1", "flush-start", "flush-stop", "stream-start next/text_src sparse",
                 "caps text/x-raw", "segment 0", "gap 9+0"}));
}

// A pad that is blocked by a probe, as when an application relinks it, can be deactivated.
TEST_F(SparsePadTest, DeactivateWhileBlocked) {
  start_and_forget();
  struct Blocked {
    std::mutex mutex;
    std::condition_variable changed;
    bool yes = false;
  } blocked;
  const auto probe = [](GstPad*, GstPadProbeInfo*, gpointer data) {
    auto* blocked = static_cast<Blocked*>(data);
    std::lock_guard lock(blocked->mutex);
    blocked->yes = true;
    blocked->changed.notify_all();
    return GST_PAD_PROBE_OK;  // keeps the pad blocked
  };
  gst_pad_add_probe(raw_, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, probe, &blocked, nullptr);
  pad_->push(buffer_at(1));
  {
    std::unique_lock lock(blocked.mutex);
    ASSERT_TRUE(blocked.changed.wait_for(lock, kLong, [&] { return blocked.yes; }));
  }
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
  EXPECT_EQ(sink_.take(), Log{});
}

// A downstream that keeps a buffer, as a sink in PAUSED does, is flushed out of it when the pad
// stops.
TEST_F(SparsePadTest, DeactivateWhileDownstreamBlocks) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
  EXPECT_EQ(sink_.take(), (Log{"buffer 1", "flush-start", "flush-stop"}));
}

// A pad that is activated again begins its stream anew.
TEST_F(SparsePadTest, ActivateAgain) {
  for (int i = 0; i < 3; i++) {
    start();
    ASSERT_TRUE(sink_.ends_with("gap 0+0"));
    EXPECT_EQ(sink_.take().size(), 4u);
    gst_pad_set_active(raw_, FALSE);
    gst_pad_set_active(raw_, TRUE);
  }
}

// A start that comes before the pad is active is kept for it.
TEST_F(SparsePadTest, StartBeforeActivation) {
  gst_pad_set_active(raw_, FALSE);
  start();
  gst_pad_set_active(raw_, TRUE);
  EXPECT_TRUE(sink_.ends_with("gap 0+0"));
}

// A refused buffer is remembered; what follows is dropped without ado, EOS still leaves.
TEST_F(SparsePadTest, DownstreamRefuses) {
  for (GstFlowReturn flow : {GST_FLOW_ERROR, GST_FLOW_EOS, GST_FLOW_NOT_NEGOTIATED}) {
    start();
    sink_.answer(flow);
    pad_->push(buffer_at(1));
    pad_->push(buffer_at(2));
    EXPECT_TRUE(flow_is(flow));
    pad_->follow(99);
    pad_->end();
    ASSERT_TRUE(sink_.ends_with("eos"));
    const Log log = sink_.take();
    ASSERT_GE(log.size(), 3u);
    EXPECT_EQ(Log(log.end() - 3, log.end()), (Log{"gap 0+0", "buffer 1", "eos"}));
    sink_.answer(GST_FLOW_OK);
  }
  start();
  pad_->push(buffer_at(3));
  ASSERT_TRUE(sink_.ends_with("buffer 3"));
  EXPECT_TRUE(flow_is(GST_FLOW_OK));
}

// An unlinked pad keeps nobody waiting, and once linked tells the new peer at once what stream this
// is and where it stands.
TEST_F(SparsePadTest, LinkedLater) {
  gst_pad_unlink(raw_, sink_.pad());
  start();
  pad_->push(buffer_at(1));
  EXPECT_TRUE(flow_is(GST_FLOW_NOT_LINKED));
  link();
  EXPECT_EQ(pad_->last_flow(), GST_FLOW_OK);
  ASSERT_TRUE(sink_.ends_with("gap 0+0"));
  pad_->push(buffer_at(2));
  ASSERT_TRUE(sink_.ends_with("buffer 2"));
  EXPECT_EQ(sink_.take(), (Log{"stream-start up/text_src sparse", "caps text/x-raw", "segment 0",
                               "gap 0+0", "buffer 2"}));
}

// A new peer is not blamed for what the last one refused.
TEST_F(SparsePadTest, NewPeer) {
  start_and_forget();
  sink_.answer(GST_FLOW_EOS);
  pad_->push(buffer_at(1));
  EXPECT_TRUE(flow_is(GST_FLOW_EOS));
  gst_pad_unlink(raw_, sink_.pad());
  sink_.answer(GST_FLOW_OK);
  link();
  EXPECT_EQ(pad_->last_flow(), GST_FLOW_OK);
  ASSERT_TRUE(sink_.ends_with("gap 0+0"));
  pad_->push(buffer_at(2));
  EXPECT_TRUE(sink_.ends_with("buffer 2"));
}

// What came too late for the last run can be forgotten before the next.
TEST_F(SparsePadTest, Forget) {
  gst_pad_set_active(raw_, FALSE);
  pad_->push(buffer_at(1));
  pad_->forget();
  pad_->push(buffer_at(2));
  gst_pad_set_active(raw_, TRUE);
  start();
  ASSERT_TRUE(sink_.ends_with("buffer 2"));
  EXPECT_EQ(sink_.take(), (Log{"stream-start up/text_src sparse", "caps text/x-raw", "segment 0",
                               "gap 0+0", "buffer 2"}));
}

// A downstream that takes nothing more is not waited for, and gets what is queued when it can.
TEST_F(SparsePadTest, WaitGivesUp) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  pad_->end();
  pad_->wait_until_sent();
  EXPECT_EQ(sink_.take(), (Log{"buffer 1"}));
  sink_.release();
  EXPECT_TRUE(sink_.ends_with("eos"));
}

// Whoever waits for the CAPS comes back when downstream has it, and at once ever after.
TEST_F(SparsePadTest, WaitsForCaps) {
  pad_->wait_for_caps();  // nothing has started: nothing to wait for
  start();
  const auto begin = std::chrono::steady_clock::now();
  pad_->wait_for_caps();
  const bool has_given_up = std::chrono::steady_clock::now() >= begin + std::chrono::seconds(1);
  const Log log = sink_.take();
  ASSERT_TRUE(log.size() >= 2u || has_given_up);  // its thread did not get to run for so long
  if (log.size() >= 2u) {
    EXPECT_EQ(log[1], "caps text/x-raw");
  }
  ASSERT_TRUE((!log.empty() && log.back() == "gap 0+0") || sink_.ends_with("gap 0+0"));
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  pad_->wait_for_caps();
}

// A pad that nobody deactivated stops with its SparsePad, and lets go of all buffers.
TEST_F(SparsePadTest, DestroyedWhileActive) {
  start_and_forget();
  sink_.hold();
  pad_->push(buffer_at(1));
  ASSERT_TRUE(sink_.holding());
  GstBuffer* waiting = gst_buffer_ref(buffer_at(2));
  pad_->push(waiting);
  pad_.reset();
  EXPECT_EQ(GST_MINI_OBJECT_REFCOUNT_VALUE(waiting), 1);
  gst_buffer_unref(waiting);
}

// Starts, flushes, stops and waits from several threads at once neither hang nor crash, and the pad
// works afterwards.
TEST_F(SparsePadTest, ThousandCycles) {
  std::atomic<bool> over = false;
  std::thread video([&] {
    for (GstClockTime position = 1; !over; position++) {
      pad_->follow(position);
      pad_->push(buffer_at(position));
      if (position % 64 == 0) pad_->wait_until_sent();
    }
  });
  for (int i = 0; i < 1000; i++) {
    start();
    if (i % 3 == 0) pad_->end();
    if (i % 2 == 0) {
      pad_->flush_start();
      pad_->flush_stop(i % 4 == 0);
    }
    if (i % 5 == 0) {
      gst_pad_set_active(raw_, FALSE);
      gst_pad_set_active(raw_, TRUE);
    }
  }
  over = true;
  video.join();
  pad_->flush_start();
  pad_->flush_stop(true);
  start(3);
  EXPECT_TRUE(sink_.ends_with("gap 3+0"));
}

}  // namespace
}  // namespace vidi::test
