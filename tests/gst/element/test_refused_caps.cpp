// Caps that the elements do not take: the error names them, and what to put between.
#include <gst/gst.h>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

struct RefusedCaps : ElementTest {};

constexpr char kGl[] =
    "video/x-raw(memory:GLMemory), format=RGBA, width=16, height=16, framerate=10/1";

// What the element says when its upstream sends these caps after it was linked.
std::string said_of(Pipeline& pipeline, const char* caps) {
  GstElement* source = pipeline.element("a");
  GstCaps* sent = gst_caps_from_string(caps);
  g_object_set(source, "caps", sent, nullptr);
  gst_caps_unref(sent);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 16 * 16 * 4, nullptr);
  g_signal_emit_by_name(source, "push-buffer", buffer, &flow);
  gst_buffer_unref(buffer);
  GstMessage* error = pipeline.wait_message(GST_MESSAGE_ERROR, [&](GstMessage* message) {
    return GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline.v());
  });
  if (!error) return "";
  const Complaint complaint = complaint_of(error);
  EXPECT_EQ(complaint.domain, GST_CORE_ERROR);
  EXPECT_EQ(complaint.code, GST_CORE_ERROR_NEGOTIATION);
  return complaint.text;
}

std::string said_of(const std::string& between, const char* caps, const char* pad = "sink") {
  Pipeline pipeline("appsrc name=a format=time " + between + " ! v." + pad +
                    " vidifilter name=v model-path=model query=cat v.src ! fakesink");
  return said_of(pipeline, caps);
}

// Each kind of memory that is not taken is named, with the element that copies out of it; so are
// compressed pictures and raw ones of no format that GStreamer can read.
TEST_F(RefusedCaps, ErrorNamesThemAndWhatToPutInFront) {
  const std::pair<const char*, const char*> cases[] = {
      {kGl, "put gldownload in front"},
      {"video/x-raw(memory:DMABuf), format=NV12, width=16, height=16", "put vapostproc in front"},
      {"video/x-raw(memory:VASurface), format=NV12, width=16, height=16", "put vaapipostproc in"},
      {"video/x-h264, width=16, height=16", "put decodebin in front"},
      {"video/x-raw, format=ENCODED, width=16, height=16", "put videoconvert in front"}};
  for (const auto& [caps, remedy] : cases) {
    const std::string said = said_of("", caps);
    EXPECT_EQ(said.find("expected raw video in system "), 0u) << said;
    const std::string kind(caps, std::string(caps).find(','));
    EXPECT_NE(said.find("found " + kind), std::string::npos) << said;
    EXPECT_NE(said.find(remedy), std::string::npos) << said;
  }
}

// Likewise where they come through a queue, a bin and both, which hand caps on.
TEST_F(RefusedCaps, ErrorComesThroughQueuesAndBins) {
  for (const char* between : {"! queue", "! queue ! multiqueue name=m ! queue", "! ( queue ! tee )",
                              "! ( ( queue ) ) ! queue2"}) {
    const std::string said = said_of(between, kGl);
    EXPECT_NE(said.find("gldownload"), std::string::npos) << between << ": " << said;
  }
}

// And of sound: raw with more channels than are taken, and compressed.
TEST_F(RefusedCaps, SoundIsNamedAsWell) {
  const char* many =
      "audio/x-raw, format=S16LE, rate=48000, channels=100, layout=interleaved, "
      "channel-mask=(bitmask)0";
  EXPECT_NE(said_of("! queue", many, "audio_sink").find("put audioconvert in front"),
            std::string::npos);
  EXPECT_NE(said_of("! queue", "audio/x-opus", "audio_sink").find("put decodebin in front"),
            std::string::npos);
}

// Whoever only asks whether caps are taken, as a converter does before it converts, gets a no and
// nothing else: neither before the stream nor in it.
TEST_F(RefusedCaps, QuestionIsNoError) {
  Rig rig;
  rig.play();
  ASSERT_EQ(rig.frame(0), GST_FLOW_OK);
  GstCaps* caps = gst_caps_from_string(kGl);
  EXPECT_FALSE(gst_pad_peer_query_accept_caps(rig.video.pad(), caps));
  gst_caps_unref(caps);
  EXPECT_EQ(rig.frame(100 * GST_MSECOND), GST_FLOW_OK);
  rig.end();
  EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty());
}

// Caps that change to such ones in the middle are one error, however often they are sent.
TEST_F(RefusedCaps, ChangeIsOneError) {
  Rig rig;
  rig.play();
  ASSERT_EQ(rig.frame(0), GST_FLOW_OK);
  GstCaps* caps = gst_caps_from_string(kGl);
  rig.video.send(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(rig.frame(i * GST_SECOND / 10), GST_FLOW_NOT_NEGOTIATED);
  EXPECT_EQ(rig.messages(GST_MESSAGE_ERROR).size(), 1u);
}

// What is refused behind the element is not ours to explain: the stream ends without an error of
// ours.
TEST_F(RefusedCaps, RefusalBehindIsNotOurs) {
  Rig rig({.out = "video/x-raw,format=BGR ! fakesink async=false"});
  ASSERT_TRUE(rig.to(GST_STATE_PLAYING));
  rig.video.start();
  EXPECT_EQ(rig.frame(0), GST_FLOW_NOT_NEGOTIATED);
  EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty());
}

// vididecode says what it takes, and what came.
TEST_F(RefusedCaps, DecoderNamesThem) {
  Pipeline pipeline("appsrc name=a format=time ! queue ! vididecode name=v ! fakesink");
  const std::string said = said_of(pipeline, "video/x-av1, width=16, height=16");
  EXPECT_EQ(said.find("expected H.264"), 0u) << said;
  EXPECT_NE(said.find("found video/x-av1"), std::string::npos) << said;
}

}  // namespace
}  // namespace vidi::test
