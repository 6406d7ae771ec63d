// Errors that decodebin keeps for itself: a bin that says it is one, with a handler that forwards
// or swallows, as a test wishes.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <thread>

#include "examples/common/lost_errors.h"

namespace {

bool forwards = false;

void handle(GstBin* bin, GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && forwards) {
    gst_element_post_message(GST_ELEMENT(bin), message);
  } else {
    gst_message_unref(message);
  }
}

void init(gpointer klass, gpointer) {
  GST_BIN_CLASS(klass)->handle_message = handle;
  GST_ELEMENT_CLASS(klass)->elementfactory = gst_element_factory_find("decodebin");
}

GType decodebin_like() {
  static const GType type =
      g_type_register_static_simple(GST_TYPE_BIN, "VidiTestDecodebin", sizeof(GstBinClass), init,
                                    sizeof(GstBin), nullptr, static_cast<GTypeFlags>(0));
  return type;
}

class LostErrors : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  LostErrors() {
    hear_lost_errors(pipeline_);
    gst_bin_add(GST_BIN(pipeline_), bin_);
    gst_bin_add(GST_BIN(bin_), element_);
    gst_element_set_state(element_, GST_STATE_PAUSED);
  }
  ~LostErrors() override {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  void post_error() { GST_ELEMENT_ERROR(element_, STREAM, DEMUX, ("It is cut off."), (nullptr)); }
  void post_error_elsewhere() {
    std::thread([this] { post_error(); }).join();
  }

  int n_errors() {
    GstBus* bus = gst_element_get_bus(pipeline_);
    int n = 0;
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
      n += GST_MESSAGE_SRC(message) == GST_OBJECT(element_);
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    return n;
  }

  GstElement* const pipeline_ = gst_pipeline_new(nullptr);
  GstElement* const bin_ =
      GST_ELEMENT(g_object_new(decodebin_like(), nullptr));  // floating, the pipeline's
  GstElement* const element_ = gst_element_factory_make("identity", nullptr);
};

TEST_F(LostErrors, OfItsOwnThread) {
  // One that fails on a thread of its own is heard, once, whether its bin forwards that or not.
  for (const bool one : {false, true}) {
    forwards = one;
    post_error_elsewhere();
    EXPECT_EQ(n_errors(), 1) << one;
  }
}

TEST_F(LostErrors, OfAnAttempt) {
  // One that fails while it is connected, or before it runs, is the bin's affair: it tries another.
  forwards = false;
  post_error();
  EXPECT_EQ(n_errors(), 0);
  gst_element_set_state(element_, GST_STATE_READY);
  post_error_elsewhere();
  EXPECT_EQ(n_errors(), 0);
}

TEST_F(LostErrors, AfterItLeft) {
  // An element that was taken out of its bin has no bus, and frees what listened to it.
  forwards = false;
  gst_object_ref(element_);
  gst_element_set_state(element_, GST_STATE_NULL);
  gst_bin_remove(GST_BIN(bin_), element_);
  GstBus* bus = gst_element_get_bus(element_);
  EXPECT_EQ(bus, nullptr);
  gst_object_unref(element_);
}

}  // namespace
