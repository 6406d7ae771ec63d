// What is pushed into a pipeline by hand: bytes, and an end that nobody hears.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <string>

#include "examples/common/silent_end.h"

namespace {

constexpr gint64 kLongest = 20 * G_USEC_PER_SEC;

GstFlowReturn fail(GstPad*, GstObject*, GstBuffer* buffer) {
  gst_buffer_unref(buffer);
  return GST_FLOW_ERROR;
}

class SilentEndTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  SilentEndTest() { end_.watch(pipeline_); }
  ~SilentEndTest() override {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
    gst_object_unref(source_);
    if (after_) gst_object_unref(after_);
  }

  // `factory` in a bin, as in decodebin; false where it is not installed.
  bool make(const char* factory) {
    element_ = gst_element_factory_make(factory, nullptr);
    if (!element_) return false;
    GstElement* bin = gst_bin_new(nullptr);
    gst_bin_add(GST_BIN(pipeline_), bin);
    gst_bin_add(GST_BIN(bin), element_);
    GstPad* sink = gst_element_get_static_pad(element_, "sink");
    gst_pad_set_active(source_, TRUE);
    EXPECT_EQ(gst_pad_link_full(source_, sink, GST_PAD_LINK_CHECK_NOTHING), GST_PAD_LINK_OK);
    gst_object_unref(sink);
    return true;
  }
  // What comes out of it fails.
  void fail_after() {
    after_ = gst_pad_new("after", GST_PAD_SINK);
    gst_pad_set_chain_function(after_, fail);
    gst_pad_set_active(after_, TRUE);
    GstPad* out = gst_element_get_static_pad(element_, "src");
    gst_pad_link_full(out, after_, GST_PAD_LINK_CHECK_NOTHING);
    gst_object_unref(out);
  }
  void begin() {
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    gst_pad_push_event(source_, gst_event_new_stream_start("s"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_BYTES);
    gst_pad_push_event(source_, gst_event_new_segment(&segment));
  }
  GstFlowReturn push() { return gst_pad_push(source_, gst_buffer_new_memdup("0123456789", 10)); }
  // Until something is said, or long after it would have been.
  std::string why() {
    const gint64 begin = g_get_monotonic_time();
    std::string text;
    while (text.empty() && g_get_monotonic_time() - begin < kLongest) {
      text = end_.why();
      g_thread_yield();
    }
    return text;
  }

  SilentEnd end_;
  GstElement* const pipeline_ = gst_pipeline_new(nullptr);
  GstPad* const source_ = gst_pad_new("source", GST_PAD_SRC);
  GstPad* after_ = nullptr;
  GstElement* element_ = nullptr;
};

TEST_F(SilentEndTest, ADemuxerWithoutAStream) {
  // One that has got all bytes and found no stream is named; before the end it may still find one.
  if (!make("tsdemux")) GTEST_SKIP() << "expected tsdemux (gstreamer1.0-plugins-bad)";
  begin();
  EXPECT_EQ(push(), GST_FLOW_OK);
  EXPECT_EQ(end_.why(), "");
  const gint64 ended = g_get_monotonic_time();
  gst_pad_push_event(source_, gst_event_new_eos());
  const std::string at_once = end_.why();
  if (g_get_monotonic_time() - ended < G_USEC_PER_SEC) {
    EXPECT_EQ(at_once, "");  // its own error may be on its way
  }
  EXPECT_EQ(why(), "GStreamer's tsdemux finds no stream in it");
}

TEST_F(SilentEndTest, AnEndThatIsRefused) {
  // Behind a queue2 something failed, and then the end came: reading stopped before it.
  ASSERT_TRUE(make("queue2"));
  fail_after();
  begin();
  while (push() == GST_FLOW_OK) g_thread_yield();
  EXPECT_EQ(end_.why(), "");
  EXPECT_FALSE(gst_pad_push_event(source_, gst_event_new_eos()));
  EXPECT_EQ(why(), "GStreamer gave up reading it before its end");
}

}  // namespace
