// Pads that an application asks for and gives back, at any time.
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

class Pads : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    scripted::answer_with("0.25-0.50");
  }

  // A fakesink behind a new pad of this name.
  GstElement* attach(Rig& rig, const char* name) {
    GstPad* pad = gst_element_request_pad_simple(rig.v(), name);
    if (!pad) return nullptr;
    GstElement* sink = gst_element_factory_make("fakesink", nullptr);
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    gst_bin_add(GST_BIN(rig.get()), sink);
    GstPad* peer = gst_element_get_static_pad(sink, "sink");
    EXPECT_EQ(gst_pad_link(pad, peer), GST_PAD_LINK_OK);
    gst_object_unref(peer);
    gst_object_unref(pad);
    gst_element_sync_state_with_parent(sink);
    return sink;
  }
  void detach(Rig& rig, const char* name, GstElement* sink) {
    GstPad* pad = gst_element_get_static_pad(rig.v(), name);
    GstPad* peer = gst_element_get_static_pad(sink, "sink");
    gst_pad_unlink(pad, peer);
    gst_element_release_request_pad(rig.v(), pad);
    gst_object_unref(peer);
    gst_object_unref(pad);
    gst_element_set_state(sink, GST_STATE_NULL);
    gst_bin_remove(GST_BIN(rig.get()), sink);
  }
};

// Text and JSON pads come and go a hundred times while video flows and hits are sent.
TEST_F(Pads, SidePadsComeAndGo) {
  Rig rig;
  rig.play();
  for (int i = 0; i < 100; ++i) {
    GstElement* text_sink = attach(rig, "text_src");
    GstElement* json_sink = attach(rig, "json_src");
    ASSERT_TRUE(text_sink && json_sink);
    rig.frames(3 * i, 3 * i + 1);
    detach(rig, i % 2 ? "text_src" : "json_src", i % 2 ? text_sink : json_sink);
    rig.frames(3 * i + 2, 3 * i + 2);
    detach(rig, i % 2 ? "json_src" : "text_src", i % 2 ? json_sink : text_sink);
  }
  rig.end();
  EXPECT_EQ(rig.structures("vidi/window").size(), 75u);
}

// A JSON pad that comes late has a complete stream of its own: its lines arrive.
TEST_F(Pads, LateJsonPadGetsWhatFollows) {
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  GstElement* sink = attach(rig, "json_src");
  ASSERT_TRUE(sink);
  const auto log = log_of(sink, "sink");
  rig.frames(5, 11);
  rig.end();
  EXPECT_EQ(log->count("buffer"), 4);  // two windows, a result and a window each
  EXPECT_EQ(log->count("eos"), 1);
}

// Each pad is there once.
TEST_F(Pads, SecondOneIsRefused) {
  Rig rig;
  for (const char* name : {"text_src", "json_src", "audio_sink"}) {
    GstElement* v = rig.v();
    GstPadTemplate* templ = gst_element_get_pad_template(v, name);
    GstPad* first = gst_element_request_pad(v, templ, nullptr, nullptr);
    EXPECT_TRUE(first) << name;
    EXPECT_FALSE(gst_element_request_pad(v, templ, nullptr, nullptr)) << name;
    gst_clear_object(&first);
  }
}

// A released pad can be asked for again.
TEST_F(Pads, ReleasedPadsComeBack) {
  Rig rig;
  for (int i = 0; i < 3; ++i) {
    for (const char* name : {"text_src", "json_src", "audio_sink"}) {
      GstPad* pad = gst_element_request_pad_simple(rig.v(), name);
      ASSERT_TRUE(pad) << name;
      gst_element_release_request_pad(rig.v(), pad);
      gst_object_unref(pad);
    }
  }
  EXPECT_FALSE(gst_element_get_static_pad(rig.v(), "audio_src"));
}

// An audio pad that comes while video flows, before a window was submitted, is heard.
TEST_F(Pads, AudioPadBeforeTheFirstWindow) {
  Rig rig;
  rig.play();
  rig.frames(0, 1);
  rig.add_audio();
  rig.audio->start();
  rig.sound(0, 5);
  rig.frames(2, 4);
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  EXPECT_TRUE(flag(s, "has-audio"));
}

// One that comes later is heard from then on, and each window says whether it was.
TEST_F(Pads, AudioPadAfterTheFirstWindow) {
  Rig rig;
  rig.play();
  rig.frames(0, 5);
  const GstStructure* first = rig.wait_structure("vidi/window");
  ASSERT_TRUE(first);
  EXPECT_FALSE(flag(first, "has-audio"));
  rig.add_audio();
  rig.audio->start();
  rig.sound(6, 12);
  rig.frames(6, 12);
  for (const guint64 start : {4, 8}) {
    const GstStructure* window = rig.wait_structure("vidi/window");
    ASSERT_TRUE(window);
    EXPECT_EQ(number(window, "window-start"), start * GST_SECOND);
    EXPECT_TRUE(flag(window, "has-audio"));
  }
}

// An audio pad that is released while its data flows is no longer waited for.
TEST_F(Pads, AudioPadReleasedWhileDataFlows) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 4);
  rig.frames(0, 7);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  rig.audio->unlink();
  gst_element_release_request_pad(rig.v(), rig.audio->peer());
  rig.frames(8, 12);
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  EXPECT_FALSE(flag(s, "has-audio"));
}

// A pipeline that only listens to json_src works: video ends at an unlinked src.
TEST_F(Pads, OnlyJsonIsLinked) {
  Pipeline pipeline(
      "videotestsrc num-buffers=9 ! video/x-raw,framerate=1/1,width=32,height=32 ! vidifilter "
      "name=v model-path=model query=cat window-duration=4000000000 window-stride=4000000000  "
      "v.json_src ! fakesink name=out sync=false");
  const auto log = log_of(pipeline.element("out"), "sink");
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_TRUE(pipeline.wait_eos());
  EXPECT_GE(log->count("buffer"), 5);  // the model, two results, two windows
}

// The sometimes pad audio_src links in a launch line, and one that is not linked ends nothing.
TEST_F(Pads, LaunchLines) {
  const std::string video = "videotestsrc num-buffers=5 ! video/x-raw,framerate=1/1 ! v.sink ",
                    audio = "audiotestsrc num-buffers=200 ! v.audio_sink ",
                    filter = "vidifilter name=v model-path=model query=cat v.src ! fakesink ";
  for (const char* end : {" v.audio_src ! fakesink sync=false", ""}) {
    scripted::reset();
    Pipeline pipeline(filter + " sync=false " + video + audio + end);
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    EXPECT_TRUE(pipeline.wait_eos());
    const GstStructure* s = pipeline.structures("vidi/window").at(0);
    EXPECT_TRUE(flag(s, "has-audio"));
  }
}

// A film without sound, in the line that is written for films with it: the sink behind audio_src
// neither holds up the preroll nor the end, whatever else is behind it.
TEST_F(Pads, LaunchLinesOfASilentFilm) {
  const std::string film = "videotestsrc num-buffers=5 ! video/x-raw,framerate=1/1 ! v.sink ",
                    filter =
                        "vidifilter name=v model-path=model query=cat v.src ! fakesink "
                        "sync=false  queue name=q ! v.audio_sink  v.audio_src ! ";
  for (const char* end : {"fakesink", "queue ! audioconvert ! audioresample ! fakesink",
                          "audio/x-raw,rate=8000,channels=1 ! fakesink"}) {
    scripted::reset();
    Pipeline pipeline(filter + end + " sync=false " + film);
    EXPECT_TRUE(pipeline.to(GST_STATE_PAUSED)) << end;
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    EXPECT_TRUE(pipeline.wait_eos()) << end;
    const auto all = pipeline.structures("vidi/window");
    ASSERT_EQ(all.size(), 1u);
    EXPECT_FALSE(flag(all[0], "has-audio"));
  }
}

// A pad that has a stream, but never any data, ends and prerolls with the video too.
TEST_F(Pads, SoundThatNeverComesHoldsNothingUp) {
  for (const bool announced : {true, false}) {
    Rig rig({.properties = "query=cat audio-wait=1000000",
             .tail = "v.audio_src ! fakesink name=out sync=false"});
    rig.audio = std::make_unique<Feeder>(rig.v(), "audio_sink", kMono);
    ASSERT_NE(gst_element_set_state(rig.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    const auto log = log_of(rig.element("out"), "sink");
    rig.video.start();
    if (announced) rig.audio->start();
    rig.frames(0, 5);
    EXPECT_EQ(gst_element_get_state(rig.get(), nullptr, nullptr, kLimit), GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(log->count("stream-start"), 1);
    EXPECT_GE(log->count("gap"), 1);
    rig.video.eos();
    EXPECT_TRUE(rig.wait_eos());
    EXPECT_EQ(log->count("eos"), 1);
  }
}

// Sound that comes after all takes its place: its own stream, then its data, in order.
TEST_F(Pads, LateSoundTakesTheIdlePadsPlace) {
  Rig rig({.tail = "v.audio_src ! fakesink name=out sync=false async=false"});
  rig.audio = std::make_unique<Feeder>(rig.v(), "audio_sink", kMono);
  rig.start();
  const auto log = log_of(rig.element("out"), "sink");
  rig.frames(0, 1);
  EXPECT_TRUE(log->wait_for("gap", 1));
  rig.audio->start();
  rig.sound(0, 4);
  rig.frames(2, 5);
  const auto entries = log->story();
  const auto first = std::find(entries.begin(), entries.end(), "buffer");
  ASSERT_NE(first, entries.end());
  EXPECT_EQ(std::vector<std::string>(first - 3, first),
            (std::vector<std::string>{"stream-start", "caps", "segment"}));
  EXPECT_EQ(std::count(first, entries.end(), "buffer"), 40);
  EXPECT_EQ(std::count(first, entries.end(), "gap"), 0);
  const GstStructure* window = rig.wait_structure("vidi/window");
  ASSERT_TRUE(window);
  EXPECT_TRUE(flag(window, "has-audio"));
  rig.end();
}

// A seek while no sound comes flushes the idle pad as well, and it goes on behind that.
TEST_F(Pads, TheIdlePadIsFlushed) {
  Rig rig({.tail = "v.audio_src ! fakesink name=out sync=false async=false"});
  GstPad* pad = gst_element_request_pad_simple(rig.v(), "audio_sink");
  rig.play();
  const auto log = log_of(rig.element("out"), "sink");
  rig.frames(0, 1);
  EXPECT_TRUE(log->wait_for("gap", 1));
  rig.video.flush();
  const int n_gaps = log->count("gap");
  rig.video.start();
  rig.frames(0, 5);
  EXPECT_TRUE(log->wait_for("gap", n_gaps + 1));
  rig.end();
  EXPECT_EQ(log->count("eos"), 1);
  gst_object_unref(pad);
}

}  // namespace
}  // namespace vidi::test
