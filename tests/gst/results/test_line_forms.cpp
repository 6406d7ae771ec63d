// A JSON line as a KLV packet and as an ID3 tag, byte by byte, and which of the forms a pad sends.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "gst/results/line_forms.h"
#include "gst/results/sparse_pad.h"

namespace vidi {
namespace {

using namespace std::string_literals;

std::string formed(const std::string& line, const char* caps_text) {
  GstBuffer* buffer = gst_buffer_new_memdup(line.data(), line.size());
  GST_BUFFER_PTS(buffer) = 5;
  GstCaps* caps = gst_caps_from_string(caps_text);
  buffer = in_form(buffer, caps);
  gst_caps_unref(caps);
  EXPECT_EQ(GST_BUFFER_PTS(buffer), 5u);
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  gst_buffer_unref(buffer);
  return bytes;
}

class LineForms : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

// As it is, with its end, where JSON is taken.
TEST_F(LineForms, JsonStaysAsItIs) {
  EXPECT_EQ(formed("{\"a\":1}\n", "application/x-json"), "{\"a\":1}\n");
}

// Key, length and line: one byte of length up to 127, else the number of bytes before it.
TEST_F(LineForms, KlvHasKeyLengthAndLine) {
  const std::string key = "\x06\x0e\x2b\x34\x01\x01\x01\x01\x0fvidi\0\0\x01"s;
  const char* caps = "meta/x-klv, parsed=true";
  EXPECT_EQ(formed("{}\n", caps), key + "\x02{}");
  EXPECT_EQ(formed("\n", caps), key + "\0"s);
  EXPECT_EQ(formed(std::string(127, 'x') + "\n", caps), key + "\x7f" + std::string(127, 'x'));
  EXPECT_EQ(formed(std::string(128, 'x'), caps), key + "\x81\x80" + std::string(128, 'x'));
  EXPECT_EQ(formed(std::string(256, 'x'), caps), key + "\x82\x01\0"s + std::string(256, 'x'));
  EXPECT_EQ(formed(std::string(70000, 'x'), caps),
            key + "\x83\x01\x11\x70" + std::string(70000, 'x'));
}

// An ID3v2.4 tag with one frame of text, sizes in seven bits a byte.
TEST_F(LineForms, Id3HasOneFrame) {
  const char* caps = "meta/x-id3, parsed=true";
  EXPECT_EQ(formed("{}\n", caps), "ID3\4\0\0\0\0\0\x13TXXX\0\0\0\x09\0\0\3vidi\0{}\0"s);
  const std::string line(300, 'x');  // 307 = 2 * 128 + 51 with the rest of its frame
  EXPECT_EQ(formed(line, caps), "ID3\4\0\0\0\0\2\x3dTXXX\0\0\2\x33\0\0\3vidi\0"s + line + "\0"s);
}

// ---- Caps decide ----

// A downstream that takes these caps, and what it was told and given.
struct Downstream {
  explicit Downstream(const char* caps_text) {
    GstCaps* caps = gst_caps_from_string(caps_text);
    GstPadTemplate* templ = gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps);
    gst_caps_unref(caps);
    gst_object_ref_sink(templ);
    pad = GST_PAD(gst_object_ref_sink(gst_pad_new_from_template(templ, "sink")));
    gst_object_unref(templ);
    gst_pad_set_element_private(pad, this);
    gst_pad_set_chain_function(pad, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      auto* self = static_cast<Downstream*>(gst_pad_get_element_private(pad));
      GstCaps* now = gst_pad_get_current_caps(pad);
      {
        std::lock_guard lock(self->mutex);
        self->got.push_back(gst_structure_get_name(gst_caps_get_structure(now, 0)));
        self->changed.notify_all();
      }
      gst_caps_unref(now);
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_active(pad, TRUE);
  }
  ~Downstream() {
    gst_pad_set_active(pad, FALSE);
    gst_object_unref(pad);
  }

  // What the buffers came as, once there is one.
  std::vector<std::string> first() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(20), [this] { return !got.empty(); });
    return got;
  }

  GstPad* pad;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> got;
};

// JSON where it is taken, else KLV, else ID3; and with another peer, the form which that one takes.
TEST_F(LineForms, TheFirstThatDownstreamTakesIsSent) {
  GstCaps* caps = gst_caps_from_string(kLineCaps);
  GstPadTemplate* templ = gst_pad_template_new("json_src", GST_PAD_SRC, GST_PAD_REQUEST, caps);
  gst_object_ref_sink(templ);
  GstPad* raw = GST_PAD(gst_object_ref_sink(gst_pad_new_from_template(templ, "json_src")));
  {
    SparsePad pad(raw, caps, in_form);
    gst_pad_set_active(raw, TRUE);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    for (const auto& [taken, sent] : std::vector<std::pair<const char*, const char*>>{
             {"ANY", "application/x-json"},
             {"meta/x-klv, parsed=true; video/x-h264", "meta/x-klv"},
             {"meta/x-id3, parsed=true", "meta/x-id3"},
             {"meta/x-id3, parsed=true; meta/x-klv, parsed=true", "meta/x-klv"},
             {"application/x-json; meta/x-klv, parsed=true", "application/x-json"}}) {
      Downstream down(taken);
      ASSERT_EQ(gst_pad_link(raw, down.pad), GST_PAD_LINK_OK) << taken;
      pad.start("video", std::nullopt, segment, 0);
      pad.push(gst_buffer_new_memdup("{}\n", 3));
      EXPECT_EQ(down.first(), std::vector<std::string>{sent}) << taken;
      gst_pad_unlink(raw, down.pad);
    }
    // Linked anew in the middle of a stream.
    Downstream last("meta/x-klv, parsed=true");
    ASSERT_EQ(gst_pad_link(raw, last.pad), GST_PAD_LINK_OK);
    pad.push(gst_buffer_new_memdup("{}\n", 3));
    EXPECT_EQ(last.first(), std::vector<std::string>{"meta/x-klv"});
    gst_pad_unlink(raw, last.pad);
    gst_pad_set_active(raw, FALSE);
  }
  gst_object_unref(raw);
  gst_object_unref(templ);
  gst_caps_unref(caps);
}

}  // namespace
}  // namespace vidi
