// The element behind a real RTSP server on loopback.
#include <gst/app/gstappsink.h>

#include <algorithm>
#include <memory>

#include "tests/support/element.h"
#include "tests/support/rtsp_server.h"

namespace vidi::test {
namespace {

constexpr GstClockTime kWindow = GST_SECOND;

// Links a pad that has just appeared to the element that waits for it: `next` is "video" or "audio"
// for a pad of rtspsrc, and a queue for a pad of decodebin. gst-launch's own late links work for
// one run only; these work again after NULL.
void link_to(GstElement* from, GstPad* pad, const char* next) {
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(from));
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), next);
  GstPad* sink = gst_element_get_static_pad(element, "sink");
  EXPECT_EQ(gst_pad_link(pad, sink), GST_PAD_LINK_OK) << next;
  gst_object_unref(sink);
  gst_object_unref(element);
  gst_object_unref(pipeline);
}

void on_decoded(GstElement* decoder, GstPad* pad, gpointer queue) {
  link_to(decoder, pad, static_cast<const char*>(queue));
}

void on_received(GstElement* rtspsrc, GstPad* pad, gpointer) {
  GstCaps* caps = gst_pad_query_caps(pad, nullptr);
  const gchar* media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  link_to(rtspsrc, pad, g_strcmp0(media, "video") == 0 ? "video" : "audio");
  gst_caps_unref(caps);
}

// One camera: pictures and sound through the element, windows of one second. `more` is what else
// hangs on the element "v".
class Camera : public Pipeline {
 public:
  explicit Camera(const std::string& uri, const std::string& more = "")
      : Pipeline("rtspsrc name=r protocols=tcp latency=100 location=" + uri +
                 " vidifilter name=v model-path=/scripted query=ball frame-rate=5/1 merge-gap=0 "
                 "window-duration=1000000000 window-stride=1000000000 audio-wait=500000000 "
                 "decodebin name=video decodebin name=audio "
                 "queue name=pictures ! v.sink queue name=sound ! v.audio_sink "
                 "v.src ! fakesink sync=false v.audio_src ! fakesink sync=false async=false " +
                 more) {
    g_signal_connect(element("r"), "pad-added", G_CALLBACK(on_received), nullptr);
    g_signal_connect(element("video"), "pad-added", G_CALLBACK(on_decoded), gpointer("pictures"));
    g_signal_connect(element("audio"), "pad-added", G_CALLBACK(on_decoded), gpointer("sound"));
  }
  bool play() {
    return gst_element_set_state(get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  }
};

bool can_tell_the_clock(GstElement* rtspsrc) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(rtspsrc), "add-reference-timestamp-meta");
}

bool has_sound(const GstStructure* s) { return flag(s, "has-audio"); }

class Rtsp : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    scripted::answer_with("0.20-0.60");
    server_ = std::make_unique<RtspServer>(RtspContent{});
    ASSERT_NE(server_->port(), 0);
  }
  std::unique_ptr<RtspServer> server_;
};

// What the model finds in a camera's pictures and sound arrives while the stream goes on.
TEST_F(Rtsp, ResultsArrive) {
  Camera camera(server_->uri());
  ASSERT_TRUE(camera.play());
  const GstStructure* hit = camera.wait_structure("vidi/result", has_sound);
  ASSERT_TRUE(hit);
  EXPECT_EQ(text(hit, "query"), "ball");
  const guint64 start = number(hit, "window-start");
  EXPECT_NEAR(number(hit, "timestamp"), start + 0.2 * kWindow, 0.01 * kWindow);
  EXPECT_NEAR(number(hit, "duration"), 0.4 * kWindow, 0.01 * kWindow);
  EXPECT_LT(number(hit, "delay"), kLimit);
}

// A camera is live: while the model is busy the oldest window goes, and the stream does not wait.
TEST_F(Rtsp, OverloadDropsTheOldest) {
  Camera camera(server_->uri());
  scripted::hold(scripted::Step::kAsk);
  ASSERT_TRUE(camera.play());
  const auto is_overload = [](const GstStructure* s) { return text(s, "reason") == "overload"; };
  const GstStructure* dropped = camera.wait_structure("vidi/window-dropped", is_overload);
  ASSERT_TRUE(dropped);
  // 0 is being asked, or the model is not there yet; before it a machine that has no time for its
  // pictures may lose windows that have too few.
  const auto all = camera.structures("vidi/window-dropped");
  const auto n_before = std::find(all.begin(), all.end(), dropped) - all.begin();
  EXPECT_LE(number(dropped, "window-index"), static_cast<guint64>(n_before) + 1);
  GstMessage* qos = camera.wait_message(GST_MESSAGE_QOS);
  ASSERT_TRUE(qos);
  gboolean live = FALSE;
  gst_message_parse_qos(qos, &live, nullptr, nullptr, nullptr, nullptr);
  EXPECT_TRUE(live);
  scripted::release(scripted::Step::kAsk);
}

// The text of a live stream is stamped with its arrival: the hit itself has long been shown.
TEST_F(Rtsp, TextIsStampedWithItsArrival) {
  Camera camera(server_->uri(),
                "v.text_src ! appsink name=text sync=false "
                "async=false");
  ASSERT_TRUE(camera.play());
  GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(camera.element("text")), kLimit);
  ASSERT_TRUE(sample);
  const GstClockTime shown = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
  gst_sample_unref(sample);
  const GstStructure* hit =
      camera.wait_structure("vidi/result", [](const GstStructure* s) { return flag(s, "final"); });
  ASSERT_TRUE(hit);
  // Cues count in stream time.
  const GstClockTime found = number(hit, "window-stop") - number(hit, "timestamp");
  EXPECT_GE(shown, number(hit, "stream-time") + found);
}

// With the camera's reports (RTCP), hits carry the camera's wall clock.
TEST_F(Rtsp, UtcTimeFollowsTheReports) {
  Camera camera(server_->uri());
  if (!can_tell_the_clock(camera.element("r"))) {
    GTEST_SKIP() << "this rtspsrc has no add-reference-timestamp-meta";
  }
  g_object_set(camera.element("r"), "add-reference-timestamp-meta", TRUE, nullptr);
  ASSERT_TRUE(camera.play());
  const GstStructure* hit = camera.wait_structure(
      "vidi/result", [](const GstStructure* s) { return gst_structure_has_field(s, "utc-time"); });
  ASSERT_TRUE(hit);
  GstDateTime* time = nullptr;
  ASSERT_TRUE(gst_structure_get(hit, "utc-time", GST_TYPE_DATE_TIME, &time, nullptr));
  GDateTime* told = gst_date_time_to_g_date_time(time);
  gst_date_time_unref(time);
  GDateTime* now = g_date_time_new_now_utc();
  const double age_s = g_date_time_difference(now, told) / 1e6;
  g_date_time_unref(now);
  g_date_time_unref(told);
  EXPECT_GT(age_s, 0);  // the hit's window had to end first
  EXPECT_LT(age_s, 60);
}

// A camera that goes away, as the socket happens to close or with a reset for certain, ends the
// stream; when it is back the same pipeline finds hits again, with the model that somebody kept.
class RtspKilled : public Rtsp, public ::testing::WithParamInterface<bool> {};

TEST_P(RtspKilled, StartsAgain) {
  Pipeline keeper("vidifilter model-path=/scripted query=ball ! fakesink async=false");
  ASSERT_TRUE(keeper.to(GST_STATE_PAUSED));
  Camera camera(server_->uri());
  ASSERT_TRUE(camera.play());
  const GstStructure* before = camera.wait_structure("vidi/result");
  ASSERT_TRUE(before);
  const std::string first_session = text(before, "session-id");

  const int port = server_->port();
  if (GetParam()) server_->reset_connections_at_the_end();
  server_.reset();
  constexpr auto kEnd = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ASSERT_TRUE(camera.wait_message(kEnd));
  // NULL and not READY: rtspsrc may complain more than once about one end, and only NULL empties
  // the bus, after its thread has ended.
  ASSERT_TRUE(camera.to(GST_STATE_NULL));

  server_ = std::make_unique<RtspServer>(RtspContent{}, port);
  ASSERT_EQ(server_->port(), port);
  ASSERT_TRUE(camera.play());
  EXPECT_TRUE(camera.wait_structure("vidi/result", [&](const GstStructure* s) {
    return text(s, "session-id") != first_session;
  }));
  EXPECT_EQ(scripted::count(scripted::Step::kOpen), 1);
}

INSTANTIATE_TEST_SUITE_P(Ends, RtspKilled, ::testing::Values(false, true),
                         [](const auto& end) { return end.param ? "WithAReset" : "AsItComes"; });

}  // namespace
}  // namespace vidi::test
