// What the tests of SparsePad share: a downstream that writes down what arrives, and a pad linked
// to it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gst/results/sparse_pad.h"

namespace vidi::test {

inline constexpr auto kLong = std::chrono::seconds(20);

inline GstBuffer* buffer_at(GstClockTime pts, const char* text = "cue") {
  GstBuffer* buffer = gst_buffer_new_memdup(text, strlen(text));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = GST_MSECOND;
  return buffer;
}

// A sink pad that writes down what arrives, and can be told to hold buffers or to refuse them.
class Downstream {
 public:
  Downstream() : pad_(gst_pad_new("sink", GST_PAD_SINK)) {
    gst_object_ref_sink(pad_);
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(pad_, chain);
    gst_pad_set_event_function(pad_, event);
    gst_pad_set_active(pad_, TRUE);
  }
  ~Downstream() {
    release();
    gst_pad_set_active(pad_, FALSE);
    gst_object_unref(pad_);
  }

  GstPad* pad() const { return pad_; }
  void hold() {
    set([this] { holds_ = true; });
  }  // from now on buffers stay until release or flush
  void release() {
    set([this] { holds_ = false; });
  }
  void answer(GstFlowReturn flow) {
    set([this, flow] { answer_ = flow; });
  }

  // Waits until `entry` is the last thing that arrived.
  bool ends_with(const std::string& entry) {
    return wait([&] { return !log_.empty() && log_.back() == entry; });
  }
  bool holding() {
    return wait([&] { return held_ > 0; });
  }
  std::vector<std::string> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(log_, {});
  }
  std::thread::id thread() {
    std::lock_guard lock(mutex_);
    return thread_;
  }

 private:
  void set(const std::function<void()>& change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, condition);
  }
  static Downstream* self(GstPad* pad) {
    return static_cast<Downstream*>(gst_pad_get_element_private(pad));
  }

  static GstFlowReturn chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
    return self(pad)->take_buffer(buffer);
  }
  GstFlowReturn take_buffer(GstBuffer* buffer) {
    std::unique_lock lock(mutex_);
    log_.push_back("buffer " + std::to_string(GST_BUFFER_PTS(buffer)));
    held_++;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !holds_ || flushing_; });
    held_--;
    gst_buffer_unref(buffer);
    return flushing_ ? GST_FLOW_FLUSHING : answer_;
  }

  static gboolean event(GstPad* pad, GstObject*, GstEvent* event) {
    self(pad)->take_event(event);
    gst_event_unref(event);
    return TRUE;
  }
  void take_event(GstEvent* event) {
    std::lock_guard lock(mutex_);
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START) flushing_ = true;
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) flushing_ = false;
    log_.push_back(describe(event));
    thread_ = std::this_thread::get_id();
    changed_.notify_all();
  }

  static std::string describe(GstEvent* event) {
    std::string text = GST_EVENT_TYPE_NAME(event);
    if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
      const gchar* id = nullptr;
      guint group = 0;
      GstStreamFlags flags;
      gst_event_parse_stream_start(event, &id);
      gst_event_parse_stream_flags(event, &flags);
      text += std::string(" ") + id + (flags == GST_STREAM_FLAG_SPARSE ? " sparse" : " dense");
      if (gst_event_parse_group_id(event, &group))
        text.append(" group ").append(std::to_string(group));
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      text += std::string(" ") + gst_structure_get_name(gst_caps_get_structure(caps, 0));
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      text.append(" ").append(std::to_string(segment->start));
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) {
      GstClockTime start = 0, duration = 0;
      gst_event_parse_gap(event, &start, &duration);
      text.append(" ").append(std::to_string(start)).append("+").append(std::to_string(duration));
    }
    return text;
  }

  GstPad* const pad_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::thread::id thread_;
  GstFlowReturn answer_ = GST_FLOW_OK;
  bool holds_ = false, flushing_ = false;
  int held_ = 0;
};

using Log = std::vector<std::string>;

class SparsePadTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  SparsePadTest() : raw_(gst_pad_new("text_src", GST_PAD_SRC)) {
    gst_object_ref_sink(raw_);
    GstCaps* caps = gst_caps_from_string("text/x-raw, format=utf8");
    pad_ = std::make_unique<SparsePad>(raw_, caps);
    gst_caps_unref(caps);
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    link();
    gst_pad_set_active(raw_, TRUE);
  }
  ~SparsePadTest() override {
    gst_pad_set_active(raw_, FALSE);
    pad_.reset();
    gst_object_unref(raw_);
  }

  void link() {
    ASSERT_EQ(gst_pad_link_full(raw_, sink_.pad(), GST_PAD_LINK_CHECK_NOTHING), GST_PAD_LINK_OK);
  }
  void start(GstClockTime position = 0) { pad_->start("up", std::nullopt, segment_, position); }
  // Waits for it: what downstream says is known a moment after the buffer came there.
  bool flow_is(GstFlowReturn flow) {
    const auto give_up = std::chrono::steady_clock::now() + kLong;
    while (pad_->last_flow() != flow && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    return pad_->last_flow() == flow;
  }
  void start_and_forget() {
    start();
    ASSERT_TRUE(sink_.ends_with("gap 0+0"));
    sink_.take();
  }

  GstPad* raw_;
  Downstream sink_;
  std::unique_ptr<SparsePad> pad_;
  GstSegment segment_;
};

}  // namespace vidi::test
