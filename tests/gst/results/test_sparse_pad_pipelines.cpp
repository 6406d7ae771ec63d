// A text or JSON pad before GStreamer's own elements: it stands for one of an element beside the
// pipeline's own.
#include <gst/app/gstappsink.h>

#include <thread>

#include "tests/support/sparse_pad_rig.h"

namespace vidi::test {
namespace {

class SparsePadPipeline : public SparsePadTest {
 protected:
  SparsePadPipeline() { gst_pad_unlink(raw_, sink_.pad()); }
  ~SparsePadPipeline() override {
    if (pipeline_) {
      gst_element_set_state(pipeline_, GST_STATE_NULL);
      gst_object_unref(pipeline_);
    }
  }

  static bool have(std::initializer_list<const char*> elements) {
    for (const char* name : elements) {
      GstElementFactory* factory = gst_element_factory_find(name);
      if (!factory) return false;
      gst_object_unref(factory);
    }
    return true;
  }
  void launch(const char* line, const char* element, const char* pad) {
    pipeline_ = gst_parse_launch(line, nullptr);
    ASSERT_TRUE(pipeline_);
    GstElement* peer = gst_bin_get_by_name(GST_BIN(pipeline_), element);
    GstPad* sink = gst_element_get_static_pad(peer, pad);
    ASSERT_EQ(gst_pad_link_full(raw_, sink, GST_PAD_LINK_CHECK_NOTHING), GST_PAD_LINK_OK);
    gst_object_unref(sink);
    gst_object_unref(peer);
  }
  GstMessageType wait_for(GstMessageType wanted) {
    GstBus* bus = gst_element_get_bus(pipeline_);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND,
                                                     GstMessageType(wanted | GST_MESSAGE_ERROR));
    gst_object_unref(bus);
    if (!message) return GST_MESSAGE_UNKNOWN;
    const GstMessageType type = GST_MESSAGE_TYPE(message);
    gst_message_unref(message);
    return type;
  }

  // A sink in PAUSED that holds the pad's first item.
  void preroll(GstBuffer* buffer = nullptr) {
    launch("identity name=in ! fakesink", "in", "sink");
    gst_element_set_state(pipeline_, GST_STATE_PAUSED);
    start();
    if (buffer) pad_->push(buffer);
    ASSERT_EQ(wait_for(GST_MESSAGE_ASYNC_DONE), GST_MESSAGE_ASYNC_DONE);
  }

  GstElement* pipeline_ = nullptr;
};

// A sink prerolls with the first GAP alone.
TEST_F(SparsePadPipeline, SinkPrerolls) { preroll(); }

// A pad whose sink holds the first buffer in PAUSED can be released.
TEST_F(SparsePadPipeline, ReleasedInPaused) {
  preroll(buffer_at(0));
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
}

// Likewise when the two have been unlinked: the push is still under way to it.
TEST_F(SparsePadPipeline, ReleasedInPausedAndUnlinked) {
  preroll(buffer_at(0));
  GstPad* peer = gst_pad_get_peer(raw_);
  gst_pad_unlink(raw_, peer);
  gst_object_unref(peer);
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
}

// A pad that came between FLUSH_START and FLUSH_STOP, whose sink holds its preroll, is not waited
// for.
TEST_F(SparsePadPipeline, FlushStopWithoutAStart) {
  preroll();
  pad_->flush_stop(true);
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
}

// A sink that takes nothing holds the latest lines alone, and what is left out is counted.
TEST_F(SparsePadPipeline, ASlowReaderIsBounded) {
  preroll();
  for (int i = 0; i < 10'000; ++i) pad_->push(buffer_at(i));
  EXPECT_GE(pad_->n_left_out(), 5'000u);
  EXPECT_LE(pad_->n_left_out(), 6'000u);
  EXPECT_TRUE(gst_pad_set_active(raw_, FALSE));
}

// webvttenc writes every cue.
TEST_F(SparsePadPipeline, WebVtt) {
  if (!have({"webvttenc", "appsink"})) GTEST_SKIP();
  launch("webvttenc name=vtt ! appsink name=sink sync=false wait-on-eos=false", "vtt", "sink");
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  start();
  for (int i = 1; i <= 3; i++) {
    pad_->push(buffer_at(i * GST_SECOND, ("cue " + std::to_string(i)).c_str()));
    pad_->follow(i * GST_SECOND);
  }
  pad_->end();
  pad_->wait_until_sent();
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
  std::string text;
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) {
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ));
    text.append(reinterpret_cast<char*>(map.data), map.size);
    gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    gst_sample_unref(sample);
  }
  gst_object_unref(sink);
  EXPECT_NE(text.find("WEBVTT"), std::string::npos);
  for (const char* cue : {"cue 1", "cue 2", "cue 3"})
    EXPECT_NE(text.find(cue), std::string::npos) << cue;
}

// textoverlay, which waits for text, plays the whole video, and two cues at its end do not hang it.
TEST_F(SparsePadPipeline, TextOverlay) {
  if (!have({"videotestsrc", "textoverlay"})) GTEST_SKIP();
  launch(
      "videotestsrc num-buffers=50 ! video/x-raw,framerate=25/1,width=64,height=64 ! "
      "identity name=video ! textoverlay name=o wait-text=true ! fakesink",
      "o", "text_sink");
  const auto probe = [](GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* pad = static_cast<SparsePad*>(data);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
      GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
      pad->follow(GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer));
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
      for (int i = 0; i < 3; i++) pad->push(buffer_at(GST_SECOND + i));
      pad->end();
      pad->wait_until_sent();
    }
    return GST_PAD_PROBE_OK;
  };
  GstElement* video = gst_bin_get_by_name(GST_BIN(pipeline_), "video");
  GstPad* src = gst_element_get_static_pad(video, "src");
  const auto both =
      GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(src, both, probe, pad_.get(), nullptr);
  gst_object_unref(src);
  gst_object_unref(video);
  start();
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  EXPECT_EQ(wait_for(GST_MESSAGE_EOS), GST_MESSAGE_EOS);
}

}  // namespace
}  // namespace vidi::test
