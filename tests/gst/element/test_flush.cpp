// EOS delivers everything first; a flush delivers nothing that came before it, and never waits.
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <random>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

struct Flush : ElementTest {};
struct Eos : Flush {};

// Of the last event of this name that reached a pad.
guint32 last_number(const PadLog& log, const char* name) {
  const auto events = log.events(name);
  return events.empty() ? GST_SEQNUM_INVALID : gst_event_get_seqnum(events.back());
}

GstEvent* numbered(GstEvent* event, guint32 number) {
  gst_event_set_seqnum(event, number);
  return event;
}

// ---- Numbers ----

// What stems from a seek carries its number, on every pad: applications wait for that.
TEST_F(Flush, AllThatFollowsCarriesItsNumber) {
  scripted::answer_with("0-1");
  Rig rig;
  const Outlet &out = rig.out(), &text = rig.record("text_src"), &json = rig.record("json_src");
  rig.play();
  rig.frames(0, 2);
  const guint32 number = gst_util_seqnum_next();
  rig.video.send(numbered(gst_event_new_flush_start(), number));
  rig.video.send(numbered(gst_event_new_flush_stop(TRUE), number));
  const GstSegment segment = time_segment();
  rig.video.send(numbered(gst_event_new_segment(&segment), number));
  rig.frames(0, 5);
  rig.video.send(numbered(gst_event_new_eos(), number));
  ASSERT_TRUE(rig.wait_end());
  for (const Outlet* pad : {&out, &text, &json}) {
    for (const char* name : {"flush-start", "flush-stop", "segment", "eos"}) {
      EXPECT_EQ(last_number(*pad, name), number) << name;
    }
  }
  EXPECT_EQ(last_number(text, "gap"), number);
  EXPECT_EQ(last_number(out, "vidi/result"), number);
  EXPECT_EQ(last_number(out, "vidi/window"), number);
  EXPECT_EQ(last_number(out, "toc"), number);
}

// ---- SEGMENT_DONE ----

// The end of a segment that is played as one: the last window's answer is there before it goes on,
// side pads hear of it, and the next segment is watched like the first.
TEST_F(Flush, SegmentDoneIsAnEnd) {
  scripted::answer_with("0.5-1");
  Rig rig({.audio = true});
  Outlet& text = rig.record("text_src");
  rig.record("json_src");
  rig.play();
  for (int loop = 0; loop < 3; ++loop) {
    GstSegment segment = time_segment();
    segment.stop = 3 * GST_SECOND;
    segment.base = loop * 3 * GST_SECOND;
    rig.video.send(gst_event_new_segment(&segment));
    rig.audio->send(gst_event_new_segment(&segment));
    rig.sound(0, 2.9);
    rig.frames(0, 2);
    const guint32 number = gst_util_seqnum_next();
    rig.audio->send(gst_event_new_segment_done(GST_FORMAT_TIME, 3 * GST_SECOND));
    rig.video.send(numbered(gst_event_new_segment_done(GST_FORMAT_TIME, 3 * GST_SECOND), number));
    EXPECT_EQ(rig.structures("vidi/window").size(), static_cast<size_t>(loop + 1));
    EXPECT_EQ(rig.out().count("vidi/result"), loop + 1);
    EXPECT_EQ(rig.out().count("segment-done"), loop + 1);
    EXPECT_TRUE(text.wait_for("segment-done", loop + 1));
    EXPECT_EQ(last_number(text, "segment-done"), number);
  }
  rig.end();
}

// ---- EOS ----

// The last window is closed, its answer waited for; results come before the chapters, those before
// the EOS.
TEST_F(Eos, DeliversTheLastWindowFirst) {
  scripted::answer_with("0.5-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 1500 * GST_MSECOND);
  rig.video.eos();
  Strings ends = rig.out().story();
  std::erase(ends, "vidi/model");
  ends.erase(ends.begin(), ends.begin() + 3 + 15);  // stream-start, caps, segment; frames
  EXPECT_EQ(ends, (Strings{"vidi/result", "vidi/window", "toc", "eos"}));
  ASSERT_EQ(rig.structures("vidi/result").size(), 1u);
  const GstStructure* result = rig.structures("vidi/result")[0];
  EXPECT_EQ(number(result, "timestamp"), 750 * GST_MSECOND);
  EXPECT_EQ(number(result, "window-stop"), 1500 * GST_MSECOND);
  EXPECT_TRUE(flag(result, "partial-window"));
  EXPECT_TRUE(flag(result, "final"));
}

// Results are serialized events: downstream's converters and muxers keep them in their place.
TEST_F(Eos, ResultsAreSerializedEvents) {
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.video.eos();
  for (const char* name : {"vidi/result", "vidi/window"}) {
    ASSERT_EQ(rig.out().events(name).size(), 1u);
    GstEvent* event = rig.out().events(name)[0];
    EXPECT_TRUE(GST_EVENT_IS_SERIALIZED(event) && GST_EVENT_IS_DOWNSTREAM(event));
    EXPECT_FALSE(GST_EVENT_IS_STICKY(event));
  }
}

// EOS waits while the model answers; side pads end before it.
TEST_F(Eos, WaitsForPendingAnswers) {
  scripted::hold(Step::kAsk);
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  Outlet& json = rig.record("json_src");
  rig.start();
  rig.film(0, 1500 * GST_MSECOND);
  Background eos([&] {
    rig.video.eos();
    EXPECT_TRUE(json.wait_for("eos"));
  });
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));  // only EOS closes this window
  EXPECT_TRUE(eos.running());
  EXPECT_EQ(rig.out().count("eos"), 0);
  scripted::release(Step::kAsk);
  EXPECT_TRUE(eos.ended());
  EXPECT_EQ(rig.out().count("vidi/result"), 1);
  EXPECT_EQ(rig.out().story().back(), "eos");
  EXPECT_NE(json.bytes().find("\"type\":\"result\""), std::string::npos) << json.bytes();
}

// EOS waits while the model still loads.
TEST_F(Eos, WaitsForTheModel) {
  scripted::hold(Step::kOpen);
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 1500 * GST_MSECOND);
  Background eos([&] { rig.video.eos(); });
  EXPECT_TRUE(eventually([&] { return rig.stat("windows-submitted") == 1; }));
  EXPECT_TRUE(eos.running());
  EXPECT_EQ(rig.out().count("eos"), 0);
  scripted::release(Step::kOpen);
  EXPECT_TRUE(eos.ended());
  EXPECT_EQ(rig.out().count("vidi/result"), 1);
}

// A single picture is no window: it is reported as dropped, and nothing is asked.
TEST_F(Eos, OneFrameIsTooFew) {
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.frame(0);
  rig.video.eos();
  const auto dropped = rig.structures("vidi/window-dropped");
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(text(dropped[0], "reason"), "too-few-frames");
  EXPECT_EQ(rig.out().count("vidi/window-dropped"), 1);
  EXPECT_EQ(rig.out().story().back(), "eos");
  EXPECT_EQ(scripted::count(Step::kEncode), 0);
}

// Without any frame EOS passes at once, even while the model loads.
TEST_F(Eos, EmptyStreamEndsAtOnce) {
  scripted::hold(Step::kOpen);
  Rig rig({.windows = windows_of(2)});
  rig.start();
  Background eos([&] { EXPECT_TRUE(rig.video.eos()); });
  EXPECT_TRUE(eos.ended());
  EXPECT_EQ(rig.out().story(), (Strings{"stream-start", "caps", "segment", "eos"}));
}

// The sound's EOS passes at once, whatever the video and the model do.
TEST_F(Eos, SoundEndsAtOnce) {
  scripted::hold(Step::kAsk);
  Rig rig({.windows = windows_of(2), .audio = true});
  rig.start();
  rig.audio->push(mono_audio(7, 0, 3 * GST_SECOND));
  rig.film(0, 2500 * GST_MSECOND);
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));
  Background eos([&] { rig.audio->eos(); });
  EXPECT_TRUE(eos.ended());
  EXPECT_EQ(rig.audio_out().story().back(), "eos");
  EXPECT_EQ(rig.out().count("eos"), 0);
}

// After an EOS a new STREAM_START begins again, with windows and an EOS of its own.
TEST_F(Eos, AnotherStreamMayFollow) {
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  for (int i = 0; i < 2; ++i) {
    if (i > 0) rig.video.start(time_segment(100 * GST_SECOND));
    EXPECT_EQ(rig.film(i * 100 * GST_SECOND, i * 100 * GST_SECOND + 1500 * GST_MSECOND),
              GST_FLOW_OK);
    EXPECT_TRUE(rig.video.eos());
  }
  EXPECT_EQ(rig.out().count("eos"), 2);
  EXPECT_EQ(rig.out().count("toc"), 2);
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(number(results[0], "timestamp"), 0u);
  EXPECT_EQ(number(results[1], "timestamp"), 100 * GST_SECOND);
}

// ---- FLUSH ----

// All windows that were told after the flush lie in the second stretch of time.
void expect_only_after(Rig& rig, GstClockTime start, size_t n_results) {
  const auto results = rig.structures("vidi/result");
  EXPECT_EQ(results.size(), n_results);
  for (const GstStructure* s : results) EXPECT_GE(number(s, "window-start"), start);
  for (const GstStructure* s : rig.structures("vidi/window")) {
    EXPECT_GE(number(s, "window-start"), start);
  }
  for (const char* name : {"vidi/result", "vidi/window"}) {
    for (GstEvent* event : rig.out().events(name)) {
      EXPECT_GE(number(gst_event_get_structure(event), "window-start"), start);
    }
  }
  EXPECT_EQ(rig.out().events("vidi/result").size(), n_results);
}

// While the model looks, encodes or answers, a flush returns at once, cancels the work, and nothing
// of before arrives: no event, no message, no cue, no line.
TEST_F(Flush, CancelsWhatTheModelDoes) {
  for (const Step step : {Step::kEncodeImages, Step::kEncode, Step::kAsk}) {
    scripted::reset();
    scripted::hold(step);
    scripted::answer_with("0-0.25");
    Rig rig({.windows = windows_of(2)});
    Outlet& json = rig.record("json_src");
    Outlet& cues = rig.record("text_src");
    rig.start();
    rig.film(0, 3 * GST_SECOND);
    EXPECT_TRUE(scripted::wait_for(step, 1));
    Background flush([&] { rig.video.flush(); });
    EXPECT_TRUE(flush.ended());
    EXPECT_TRUE(eventually([] { return scripted::n_cancelled() == 1; }));
    scripted::release(step);

    rig.video.send(
        gst_event_new_segment(std::make_unique<GstSegment>(time_segment(100 * GST_SECOND)).get()));
    rig.film(100 * GST_SECOND, 104 * GST_SECOND);
    rig.video.eos();
    expect_only_after(rig, 100 * GST_SECOND, 2);
    ASSERT_TRUE(json.wait_for("eos") && cues.wait_for("eos"));
    EXPECT_EQ(cues.buffers().size(), 2u);
    EXPECT_EQ(json.bytes().find("\"window_start\":0,"), std::string::npos) << json.bytes();
    EXPECT_EQ(rig.stat("windows-failed"), 0u);
  }
}

// FLUSH_START passes to downstream while the model is busy, and FLUSH_STOP after it.
TEST_F(Flush, IsForwarded) {
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.frame(0);
  rig.video.flush();
  EXPECT_EQ(rig.out().story_of_data(), (Strings{"buffer", "flush-start", "flush-stop"}));
}

// Finished results that no buffer has carried yet are forgotten too.
TEST_F(Flush, ForgetsResultsThatNothingCarriedYet) {
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2100 * GST_MSECOND);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  const int n_before = rig.out().count("vidi/window");
  rig.video.flush();
  rig.video.start(time_segment(50 * GST_SECOND));
  rig.frame(50 * GST_SECOND);
  EXPECT_EQ(rig.out().count("vidi/window"), n_before);
}

// Stops the thread that posts the first message of this name, until let_go().
class MessageHold {
 public:
  MessageHold(GstElement* element, const char* name)
      : name_(name), bus_(gst_element_get_bus(element)) {
    gst_bus_set_sync_handler(bus_, see, this, nullptr);
  }
  ~MessageHold() {
    let_go();
    gst_bus_set_sync_handler(bus_, nullptr, nullptr, nullptr);
    gst_object_unref(bus_);
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::nanoseconds(kLimit), [&] { return n_seen_ > 0; });
  }
  void let_go() {
    std::lock_guard lock(mutex_);
    holds_ = false;
    changed_.notify_all();
  }

 private:
  static GstBusSyncReply see(GstBus*, GstMessage* message, gpointer data) {
    auto& self = *static_cast<MessageHold*>(data);
    if (!gst_message_has_name(message, self.name_)) return GST_BUS_PASS;
    std::unique_lock lock(self.mutex_);
    ++self.n_seen_;
    self.changed_.notify_all();
    self.changed_.wait(lock, [&] { return !self.holds_; });
    return GST_BUS_PASS;
  }
  const char* name_;
  GstBus* bus_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int n_seen_ = 0;
  bool holds_ = true;
};

// Windows that fell out of the queue before a flush are not told of after it.
TEST_F(Flush, DroppedWindowsAreStaleToo) {
  scripted::hold(Step::kAsk);
  Rig rig({.properties = "query=cat overload-policy=drop-oldest max-pending-windows=3",
           .windows = windows_of(2)});
  rig.start();
  rig.film(0, 2100 * GST_MSECOND);
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));
  rig.film(2100 * GST_MSECOND, 8100 * GST_MSECOND);
  EXPECT_TRUE(eventually([&] { return rig.stat("pending") == 4; }));
  rig.set("max-pending-windows", "1");
  MessageHold hold(rig.get(), "vidi/window-dropped");
  rig.film(8100 * GST_MSECOND, 10100 * GST_MSECOND);  // a fifth window: three fall out
  EXPECT_TRUE(hold.wait());
  Background flush([&] { rig.video.flush(); });
  EXPECT_TRUE(flush.ended());
  hold.let_go();
  scripted::release(Step::kAsk);
  rig.video.start(time_segment(100 * GST_SECOND));
  rig.film(100 * GST_SECOND, 102 * GST_SECOND);
  rig.video.eos();
  const Strings story = rig.out().story();
  EXPECT_EQ(std::count(std::find(story.begin(), story.end(), "flush-stop"), story.end(),
                       "vidi/window-dropped"),
            0);
  EXPECT_EQ(rig.structures("vidi/window-dropped").size(), 1u) << "posted before the flush";
  EXPECT_EQ(rig.out().count("vidi/window"), 1);
}

// A chain that waits for room in the queue comes back when the flush begins.
TEST_F(Flush, FreesAChainThatIsHeldBack) {
  scripted::hold(Step::kAsk);
  Rig rig({.properties = "query=cat max-pending-windows=1", .windows = windows_of(2)});
  rig.start();
  Background stream([&] { rig.film(0, 60 * GST_SECOND); });
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));
  EXPECT_TRUE(eventually([&] { return rig.stat("pending") == 3; }));
  EXPECT_TRUE(stream.running());
  rig.video.send(gst_event_new_flush_start());
  EXPECT_TRUE(stream.ended());
  rig.video.send(gst_event_new_flush_stop(TRUE));
  scripted::release(Step::kAsk);
  scripted::answer_with("0-1");
  rig.video.start(time_segment(100 * GST_SECOND));
  rig.film(100 * GST_SECOND, 102 * GST_SECOND);
  rig.video.eos();
  expect_only_after(rig, 100 * GST_SECOND, 1);
}

// An EOS that waits for answers is given up when the flush begins; the stream then goes on.
TEST_F(Flush, FreesAnEosThatWaits) {
  for (const Step step : {Step::kOpen, Step::kAsk}) {
    scripted::reset();
    scripted::hold(step);
    Rig rig({.windows = windows_of(2)});
    rig.start();
    rig.film(0, 1500 * GST_MSECOND);
    Background eos([&] { rig.video.eos(); });
    EXPECT_TRUE(scripted::wait_for(step, 1));
    EXPECT_TRUE(eventually([&] { return rig.stat("windows-submitted") == 1; }));
    rig.video.send(gst_event_new_flush_start());
    EXPECT_TRUE(eos.ended());
    EXPECT_EQ(rig.out().count("eos"), 0) << "the pad flushes: its EOS is lost";
    rig.video.send(gst_event_new_flush_stop(TRUE));
    scripted::release(step);
    scripted::answer_with("0-1");
    rig.video.start(time_segment(100 * GST_SECOND));
    rig.film(100 * GST_SECOND, 102 * GST_SECOND);
    rig.video.eos();
    expect_only_after(rig, 100 * GST_SECOND, 1);
  }
}

// A flush of the sound alone ends what was going on, and the video's windows go on after it.
TEST_F(Flush, OfTheSoundAloneDoesNotStopTheVideo) {
  Rig rig({.windows = windows_of(2), .audio = true});
  rig.start();
  rig.film(0, 1500 * GST_MSECOND);
  rig.audio->flush();
  rig.audio->start();
  rig.audio->eos();
  rig.film(1500 * GST_MSECOND, 6 * GST_SECOND);
  rig.video.eos();
  EXPECT_GE(rig.structures("vidi/window").size(), 2u);
  EXPECT_EQ(rig.out().buffers().size(), 60u);
}

// A stop in the middle of a flush leaves nothing behind: the next run and its flushes work.
TEST_F(Flush, MayBeCutShortByAStop) {
  Rig rig({.windows = windows_of(2), .audio = true});
  rig.start();
  rig.film(0, GST_SECOND);
  rig.video.send(gst_event_new_flush_start());
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  gst_pad_set_active(rig.out().pad(), FALSE);
  gst_pad_set_active(rig.out().pad(), TRUE);
  gst_pad_set_active(rig.video.pad(), FALSE);
  gst_pad_set_active(rig.video.pad(), TRUE);
  rig.start();
  rig.audio->flush();
  rig.audio->start();
  rig.audio->eos();
  rig.film(0, 2 * GST_SECOND);
  rig.video.eos();
  EXPECT_EQ(rig.structures("vidi/window").size(), 1u);
}

// ---- Seeks ----

// A film of 12 s that can be sought in, made once.
class Film {
 public:
  Film() {
    const std::string name = "vidifilter-seek-" + std::to_string(getpid()) + ".mkv";
    path_ = std::filesystem::path(::testing::TempDir()) / name;
    Pipeline maker(
        "videotestsrc pattern=ball num-buffers=300 ! "
        "video/x-raw,width=32,height=32,framerate=25/1 ! jpegenc ! matroskamux ! filesink "
        "location=" +
        path_.string());
    EXPECT_TRUE(maker.to(GST_STATE_PLAYING) && maker.wait_eos());
  }
  ~Film() { std::filesystem::remove(path_); }
  std::string player() const {
    return "filesrc location=" + path_.string() +
           " ! matroskademux ! jpegdec ! vidifilter name=v model-path=/a query=dog "
           "window-duration=500000000 window-stride=500000000 frame-rate=10/1 ! "
           "fakesink name=out sync=false";
  }

 private:
  std::filesystem::path path_;
};

bool seek(Pipeline& pipeline, GstClockTime start, GstClockTime stop) {
  const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE);
  return gst_element_seek(pipeline.get(), 1.0, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET,
                          static_cast<gint64>(start), GST_SEEK_TYPE_SET, static_cast<gint64>(stop));
}

// A hundred seeks, each while the model answers about the place before: all of those answers are
// cancelled, and what is found is of the last place only.
TEST_F(Flush, AHundredSeeksWhileTheModelIsBusy) {
  const Film film;
  scripted::hold(Step::kAsk);
  scripted::answer_with("0-1");
  Pipeline pipeline(film.player());
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  std::minstd_rand random(1);
  GstClockTime start = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(scripted::wait_for(Step::kAsk, i + 1)) << i;
    start = random() % 9 * GST_SECOND;
    ASSERT_TRUE(seek(pipeline, start, start + 2 * GST_SECOND)) << i;
  }
  scripted::release(Step::kAsk);
  ASSERT_TRUE(pipeline.wait_eos());
  EXPECT_EQ(scripted::n_cancelled(), 100);
  const auto results = pipeline.structures("vidi/window");
  EXPECT_EQ(results.size(), 4u);
  for (const GstStructure* s : results) {
    EXPECT_GE(number(s, "window-start"), start);
    EXPECT_LE(number(s, "window-stop"), start + 2 * GST_SECOND + 100 * GST_MSECOND);
  }
}

// Every result's event belongs to the segment behind which it comes.
struct SeekWatch {
  GstSegment segment = time_segment();
  int n_events = 0, n_stale = 0;

  static GstPadProbeReturn see(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto& self = *static_cast<SeekWatch*>(data);
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &self.segment);
    if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM) return GST_PAD_PROBE_OK;
    const GstStructure* s = gst_event_get_structure(event);
    if (!gst_structure_has_field(s, "window-start")) return GST_PAD_PROBE_OK;
    const guint64 start = number(s, "window-start");
    ++self.n_events;
    if (start < self.segment.start || start >= self.segment.stop) ++self.n_stale;
    return GST_PAD_PROBE_OK;
  }
};

// A hundred seeks in a row, at whatever moment the model is in: behind each new segment come
// results of that segment only.
TEST_F(Flush, AHundredSeeksInARow) {
  const Film film;
  scripted::answer_with("0-1");
  Pipeline pipeline(film.player());
  SeekWatch watch;
  GstPad* src = gst_element_get_static_pad(pipeline.v(), "src");
  gst_pad_add_probe(src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, SeekWatch::see, &watch, nullptr);
  gst_object_unref(src);
  ASSERT_TRUE(pipeline.to(GST_STATE_PAUSED));
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  for (int i = 0; i < 100; ++i) {
    const GstClockTime start = i % 4 * 3 * GST_SECOND;
    const int n_asked = scripted::count(Step::kAsk);  // before: the new stretch may be over at once
    ASSERT_TRUE(seek(pipeline, start, start + 2 * GST_SECOND)) << i;
    if (i % 3 == 0) {
      EXPECT_TRUE(scripted::wait_for(Step::kAsk, n_asked + 1));
    }
  }
  ASSERT_TRUE(pipeline.wait_eos());
  pipeline.to(GST_STATE_NULL);
  EXPECT_GE(watch.n_events, 4) << "at least the windows of the last seek, which ran to its EOS";
  EXPECT_EQ(watch.n_stale, 0);
  EXPECT_EQ(pipeline.error_text(), "");
}

}  // namespace
}  // namespace vidi::test
