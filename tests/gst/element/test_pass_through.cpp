// Data, events and queries pass the element as if it were not there.
#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include <chrono>
#include <cstring>
#include <future>
#include <random>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

struct PassThrough : ElementTest {};

constexpr const char* kVideoFormats[] = {
    "RGB",  "BGR",  "RGBA",  "BGRx",    "xRGB",      "ARGB",       "I420",      "YV12",
    "NV12", "NV21", "YUY2",  "UYVY",    "AYUV",      "Y444",       "Y42B",      "Y41B",
    "v210", "NV16", "NV24",  "GRAY8",   "GRAY16_LE", "P010_10LE",  "I420_10LE", "I422_10LE",
    "VUYA", "v216", "RGB16", "RGB15",   "ARGB64",    "Y210",       "r210",      "I420_12LE",
    "A420", "GBR",  "IYU1",  "P016_LE", "Y410",      "BGR10A2_LE", "GRAY16_BE", "Y444_16LE"};

constexpr const char* kAudioFormats[] = {"S8",    "U8",       "S16LE", "S16BE", "U16LE",
                                         "S24LE", "S24_32LE", "S32LE", "F32LE", "F64LE"};

GstBuffer* random_buffer(gsize size, unsigned seed) {
  std::minstd_rand random(seed + 1);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < size; ++i) map.data[i] = static_cast<guint8>(random() >> 8);
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

// Everything a buffer can carry.
GstBuffer* decorated(GstBuffer* buffer, unsigned n) {
  GST_BUFFER_PTS(buffer) = n * GST_SECOND;
  GST_BUFFER_DTS(buffer) = n * GST_SECOND + 17;
  GST_BUFFER_DURATION(buffer) = GST_SECOND - 3;
  GST_BUFFER_OFFSET(buffer) = 1000 + n;
  GST_BUFFER_OFFSET_END(buffer) = 1001 + n;
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
  GstCaps* unix_time = gst_caps_new_empty_simple("timestamp/x-unix");
  gst_buffer_add_reference_timestamp_meta(buffer, unix_time, 12345 + n, GST_CLOCK_TIME_NONE);
  gst_caps_unref(unix_time);
  return buffer;
}

// Same object, same memory object, and nothing about either has changed.
void expect_untouched(GstBuffer* arrived, GstBuffer* sent, GstBuffer* copy) {
  ASSERT_EQ(arrived, sent);
  EXPECT_EQ(GST_BUFFER_PTS(arrived), GST_BUFFER_PTS(copy));
  EXPECT_EQ(GST_BUFFER_DTS(arrived), GST_BUFFER_DTS(copy));
  EXPECT_EQ(GST_BUFFER_DURATION(arrived), GST_BUFFER_DURATION(copy));
  EXPECT_EQ(GST_BUFFER_OFFSET(arrived), GST_BUFFER_OFFSET(copy));
  EXPECT_EQ(GST_BUFFER_OFFSET_END(arrived), GST_BUFFER_OFFSET_END(copy));
  EXPECT_EQ(gst_buffer_get_flags(arrived), gst_buffer_get_flags(copy));
  const auto* stamp = gst_buffer_get_reference_timestamp_meta(arrived, nullptr);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->timestamp, gst_buffer_get_reference_timestamp_meta(copy, nullptr)->timestamp);
  ASSERT_EQ(gst_buffer_get_size(arrived), gst_buffer_get_size(copy));
  GstMapInfo map;
  gst_buffer_map(copy, &map, GST_MAP_READ);
  EXPECT_EQ(gst_buffer_memcmp(arrived, 0, map.data, map.size), 0);
  gst_buffer_unmap(copy, &map);
}

// Pushes four buffers of a size and checks each at the other end.
void expect_bit_exact(Feeder& in, Outlet& out, gsize size) {
  std::vector<GstBuffer*> sent, copies;
  std::vector<GstMemory*> memories;
  for (unsigned n = 0; n < 4; ++n) {
    sent.push_back(decorated(random_buffer(size, n), n));
    copies.push_back(gst_buffer_copy_deep(sent.back()));
    memories.push_back(gst_buffer_peek_memory(sent.back(), 0));
    EXPECT_EQ(in.push(sent.back()), GST_FLOW_OK);
  }
  const auto arrived = out.buffers();
  ASSERT_EQ(arrived.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    expect_untouched(arrived[i], sent[i], copies[i]);
    EXPECT_EQ(gst_buffer_peek_memory(arrived[i], 0), memories[i]);
    gst_buffer_unref(copies[i]);
  }
}

GstVideoInfo video_info(const std::string& caps_text) {
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps)) << caps_text;
  gst_caps_unref(caps);
  return info;
}

std::string video_caps(const std::string& format, int width, int height) {
  return "video/x-raw, format=" + format + ", width=" + std::to_string(width) +
         ", height=" + std::to_string(height) + ", framerate=1/1";
}

struct VideoFormat : ElementTest, ::testing::WithParamInterface<const char*> {};

// Video of any format leaves as the very buffers that came, bit by bit, and is looked at as well.
TEST_P(VideoFormat, PassesBitExactWithoutACopy) {
  const std::string caps = video_caps(GetParam(), 50, 34);  // no power of two: rows are padded
  Rig rig({.windows = windows_of(2), .video_caps = caps});
  rig.start();
  expect_bit_exact(rig.video, rig.out(), video_info(caps).size);
  rig.video.eos();
  EXPECT_EQ(scripted::n_frames_seen(), 4);
  EXPECT_TRUE(rig.messages(GST_MESSAGE_WARNING).empty());
}

INSTANTIATE_TEST_SUITE_P(All, VideoFormat, ::testing::ValuesIn(kVideoFormats),
                         [](const auto& format) { return std::string(format.param); });

struct AudioFormat : ElementTest, ::testing::WithParamInterface<const char*> {};

// Sound of any format, rate, layout and channel count leaves as the very buffers that came.
TEST_P(AudioFormat, PassesBitExactWithoutACopy) {
  for (const char* rest :
       {"rate=8000, channels=1, layout=interleaved", "rate=44100, channels=2, layout=interleaved",
        "rate=48000, channels=6, layout=interleaved, channel-mask=(bitmask)0x3f"}) {
    const std::string text = std::string("audio/x-raw, format=") + GetParam() + ", " + rest;
    Rig rig({.audio = true, .audio_caps = text});
    rig.start();
    GstCaps* caps = gst_caps_from_string(text.c_str());
    GstAudioInfo info;
    ASSERT_TRUE(gst_audio_info_from_caps(&info, caps)) << text;
    gst_caps_unref(caps);
    expect_bit_exact(*rig.audio, rig.audio_out(), info.bpf * 1000);
    EXPECT_EQ(rig.stat("audio-samples") > 0, true) << text;
    EXPECT_TRUE(rig.messages(GST_MESSAGE_WARNING).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(All, AudioFormat, ::testing::ValuesIn(kAudioFormats),
                         [](const auto& format) { return std::string(format.param); });

// A buffer of several memories, with planes at places of its own, passes as it is and is read
// right.
TEST_F(PassThrough, SeveralMemoriesAndAVideoMetaPass) {
  Rig rig({.windows = windows_of(2), .video_caps = video_caps("I420", 16, 16)});
  rig.start();
  std::vector<GstBuffer*> sent;
  for (unsigned n = 0; n < 3; ++n) {
    GstBuffer* buffer = gst_buffer_new();
    for (const gsize size : {32 * 16, 16 * 8, 16 * 8}) {
      GstMemory* plane = gst_allocator_alloc(nullptr, size, nullptr);
      GstMapInfo map;
      gst_memory_map(plane, &map, GST_MAP_WRITE);
      memset(map.data, 128, map.size);
      gst_memory_unmap(plane, &map);
      gst_buffer_append_memory(buffer, plane);
    }
    gsize offsets[GST_VIDEO_MAX_PLANES] = {0, 32 * 16, 32 * 16 + 16 * 8, 0};
    gint strides[GST_VIDEO_MAX_PLANES] = {32, 16, 16, 0};
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 16, 16,
                                   3, offsets, strides);
    GST_BUFFER_PTS(buffer) = n * GST_SECOND;
    sent.push_back(buffer);
    EXPECT_EQ(rig.video.push(buffer), GST_FLOW_OK);
  }
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers(), sent);
  for (GstBuffer* buffer : sent) {
    EXPECT_EQ(gst_buffer_n_memory(buffer), 3u);
    EXPECT_TRUE(gst_buffer_get_video_meta(buffer));
  }
  for (const uint32_t colour : scripted::last_window().frames) {
    EXPECT_EQ(colour & 0xff, colour >> 16) << "grey, " << std::hex << colour;
  }
}

// A buffer that is too small for its caps passes like any other; only the picture is missing.
TEST_F(PassThrough, BrokenBuffersPass) {
  Rig rig;
  rig.start();
  for (unsigned n = 0; n < 4; ++n) {
    GstBuffer* buffer = random_buffer(n == 1 ? 10 : 0, n);
    GST_BUFFER_PTS(buffer) = n * GST_SECOND;
    EXPECT_EQ(rig.video.push(buffer), GST_FLOW_OK);
  }
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 4u);
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 1u) << "said once";
}

// New caps in mid-stream pass in their place, and the window that is open goes on with pictures of
// both kinds.
TEST_F(PassThrough, WindowsGoOnAcrossCapsChanges) {
  Rig rig;
  rig.start();
  rig.frame(0, 0x102030);
  rig.frame(GST_SECOND, 0x112233);
  const std::string caps = video_caps("BGRx", 64, 8);
  GstCaps* parsed = gst_caps_from_string(caps.c_str());
  rig.video.send(gst_event_new_caps(parsed));
  for (unsigned n = 2; n < 4; ++n) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 8 * 4, nullptr);
    gst_buffer_memset(buffer, 0, 0x44, 64 * 8 * 4);
    GST_BUFFER_PTS(buffer) = n * GST_SECOND;
    rig.video.push(buffer);
  }
  rig.video.eos();
  Strings order = rig.out().story();
  std::erase(order, "vidi/model");  // it comes when the model is ready
  EXPECT_EQ(order, (Strings{"stream-start", "caps", "segment", "buffer", "buffer", "caps", "buffer",
                            "buffer", "vidi/window", "eos"}));
  GstCaps* passed = nullptr;
  gst_event_parse_caps(rig.out().events("caps")[1], &passed);
  EXPECT_TRUE(gst_caps_is_equal(passed, parsed));
  gst_caps_unref(parsed);
  ASSERT_EQ(rig.structures("vidi/window").size(), 1u);
  EXPECT_EQ(scripted::last_window().frames,
            (std::vector<uint32_t>{0x102030, 0x112233, 0x444444, 0x444444}));
}

// Upstream learns downstream's caps, and downstream upstream's, within what the element can read.
TEST_F(PassThrough, CapsQueriesPass) {
  Rig rig;
  const auto answer_with_caps = [](const char* text) {
    return [text](GstQuery* query) {
      if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS) return false;
      GstCaps* caps = gst_caps_from_string(text);
      gst_query_set_caps_result(query, caps);
      gst_caps_unref(caps);
      return true;
    };
  };
  rig.out().answer_queries(answer_with_caps("video/x-raw, format=NV12, width=100"));
  rig.video.answer_queries(answer_with_caps("video/x-raw, format=AYUV, height=7"));
  EXPECT_TRUE(rig.to(GST_STATE_PAUSED));
  GstCaps* down = gst_pad_peer_query_caps(rig.video.pad(), nullptr);
  GstCaps* up = gst_pad_peer_query_caps(rig.out().pad(), nullptr);
  gchar* down_text = gst_caps_to_string(down);
  gchar* up_text = gst_caps_to_string(up);
  EXPECT_TRUE(strstr(down_text, "width=(int)100") && strstr(down_text, "NV12")) << down_text;
  EXPECT_TRUE(strstr(up_text, "height=(int)7") && strstr(up_text, "AYUV")) << up_text;
  EXPECT_FALSE(strstr(down_text, "AYUV")) << down_text;
  g_free(down_text);
  g_free(up_text);
  gst_caps_unref(down);
  gst_caps_unref(up);
}

// Upstream gets downstream's pool, metas and parameters; the element adds and takes nothing.
TEST_F(PassThrough, AllocationQueriesReachDownstream) {
  Rig rig;
  GstBufferPool* pool = gst_buffer_pool_new();
  rig.out().answer_queries([&](GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return false;
    gst_query_add_allocation_pool(query, pool, 768, 3, 7);
    gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
    return true;
  });
  rig.start();
  GstCaps* caps = gst_caps_from_string(kPicture);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  ASSERT_TRUE(gst_pad_peer_query(rig.video.pad(), query));
  ASSERT_EQ(gst_query_get_n_allocation_pools(query), 1u);
  GstBufferPool* offered = nullptr;
  guint size = 0, min = 0, max = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &offered, &size, &min, &max);
  EXPECT_EQ(offered, pool);
  EXPECT_EQ((std::vector<guint>{size, min, max}), (std::vector<guint>{768, 3, 7}));
  EXPECT_EQ(gst_query_get_n_allocation_metas(query), 1u);
  gst_object_unref(offered);
  gst_query_unref(query);
  gst_caps_unref(caps);
  gst_object_unref(pool);
}

// Latency is upstream's, unchanged, with and without sound.
TEST_F(PassThrough, LatencyIsUpstreams) {
  Rig rig({.audio = true});
  const auto latency = [](GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return false;
    gst_query_set_latency(query, TRUE, 40 * GST_MSECOND, 250 * GST_MSECOND);
    return true;
  };
  rig.video.answer_queries(latency);
  rig.audio->answer_queries(latency);
  rig.start();
  for (Outlet* out : {&rig.out(), &rig.audio_out()}) {
    GstQuery* query = gst_query_new_latency();
    ASSERT_TRUE(gst_pad_peer_query(out->pad(), query));
    gboolean live = FALSE;
    GstClockTime min = 0, max = 0;
    gst_query_parse_latency(query, &live, &min, &max);
    EXPECT_TRUE(live);
    EXPECT_EQ(min, 40 * GST_MSECOND);
    EXPECT_EQ(max, 250 * GST_MSECOND);
    gst_query_unref(query);
  }
}

// What an element that does not know a query would do is done: it reaches the other side.
TEST_F(PassThrough, OtherQueriesPass) {
  Rig rig;
  rig.video.answer_queries([](GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_DURATION) {
      gst_query_set_duration(query, GST_FORMAT_TIME, 42 * GST_SECOND);
      return true;
    }
    return GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM;
  });
  rig.start();
  gint64 duration = 0;
  EXPECT_TRUE(gst_pad_peer_query_duration(rig.out().pad(), GST_FORMAT_TIME, &duration));
  EXPECT_EQ(duration, static_cast<gint64>(42 * GST_SECOND));
  GstQuery* custom = gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("test/query"));
  EXPECT_TRUE(gst_pad_peer_query(rig.out().pad(), custom));
  gst_query_unref(custom);
}

// Events from downstream reach upstream, those of the sound its own upstream.
TEST_F(PassThrough, UpstreamEventsPass) {
  Rig rig({.audio = true});
  rig.start();
  const auto send = [](Outlet& out, GstEvent* event) {
    EXPECT_TRUE(gst_pad_push_event(out.pad(), event));
  };
  send(rig.out(), gst_event_new_qos(GST_QOS_TYPE_OVERFLOW, 1.5, -3, 100));
  send(rig.out(), gst_event_new_navigation(gst_structure_new_empty("application/x-gst-nav")));
  send(rig.out(), gst_event_new_reconfigure());
  send(rig.out(),
       gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("GstForceKeyUnit")));
  send(rig.audio_out(),
       gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("test/for-sound")));
  Strings video = rig.video.upstream_events(), audio = rig.audio->upstream_events();
  const auto is_link = [](const std::string& name) { return name == "reconfigure"; };
  EXPECT_TRUE(std::erase_if(video, is_link) >= 1);
  std::erase_if(audio, is_link);
  EXPECT_EQ(video, (Strings{"qos", "navigation", "GstForceKeyUnit"}));
  EXPECT_EQ(audio, (Strings{"test/for-sound"}));
}

// Events that the element does not know pass in their place between the buffers, serialized or not.
TEST_F(PassThrough, UnknownDownstreamEventsPassInOrder) {
  Rig rig;
  rig.start();
  const auto custom = [](GstEventType type, const char* name) {
    return gst_event_new_custom(type, gst_structure_new_empty(name));
  };
  rig.video.send(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "film", nullptr)));
  rig.frame(0);
  rig.video.send(custom(GST_EVENT_CUSTOM_DOWNSTREAM, "test/serialized"));
  rig.frame(100 * GST_MSECOND);
  rig.video.send(custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB, "test/out-of-band"));
  rig.video.send(custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, "test/sticky"));
  rig.video.send(custom(GST_EVENT_CUSTOM_BOTH, "test/both"));
  rig.frame(200 * GST_MSECOND);
  rig.video.send(gst_event_new_segment_done(GST_FORMAT_TIME, 0));
  GstMessage* message = gst_message_new_eos(nullptr);
  rig.video.send(gst_event_new_sink_message("test/message", message));
  gst_message_unref(message);
  EXPECT_EQ(rig.out().story_of_data(),
            (Strings{"tag", "buffer", "test/serialized", "buffer", "test/out-of-band",
                     "test/sticky", "test/both", "buffer", "segment-done", "sink-message"}));
}

// Makes the text pad's task slow, and counts the pictures that left before its CAPS.
struct SlowText {
  Rig& rig;
  std::promise<void> never;
  size_t n_pictures = 0;

  static GstPadProbeReturn see(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto& self = *static_cast<SlowText*>(data);
    const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
    if (type == GST_EVENT_STREAM_START) {
      self.never.get_future().wait_for(std::chrono::milliseconds(50));
    }
    if (type == GST_EVENT_CAPS) self.n_pictures = self.rig.out().buffers().size();
    return GST_PAD_PROBE_OK;
  }
};

// A live muxer writes its headers when the first picture comes, and takes no further track after
// that: the text pad's CAPS is there by then.
TEST_F(PassThrough, TextIsAnnouncedBeforeTheFirstPicture) {
  Rig rig;
  Outlet& cues = rig.record("text_src");
  SlowText slow{rig, {}, 0};
  GstPad* pad = gst_element_get_static_pad(rig.v(), "text_src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, SlowText::see, &slow, nullptr);
  gst_object_unref(pad);
  rig.start();
  const gint64 begin = g_get_monotonic_time();
  EXPECT_EQ(rig.frame(0), GST_FLOW_OK);
  const bool has_given_up = g_get_monotonic_time() - begin >= G_USEC_PER_SEC;
  ASSERT_TRUE(cues.wait_for("caps"));
  if (!has_given_up) {  // the picture waits for a task that gets no time for so long, not for ever
    EXPECT_EQ(slow.n_pictures, 0u);
  }
}

// With nothing linked behind, the video says NOT_LINKED like any element; with the sound alone
// unheard of downstream, it is still listened to.
TEST_F(PassThrough, FlowReturnsAreDownstreams) {
  Rig rig({.audio = true});
  rig.start();
  GstPad* audio_src = gst_pad_get_peer(rig.audio_out().pad());
  GstPad* src = gst_pad_get_peer(rig.out().pad());
  gst_pad_unlink(audio_src, rig.audio_out().pad());
  gst_pad_unlink(src, rig.out().pad());
  EXPECT_EQ(rig.audio->push(mono_audio(1, 0, GST_SECOND)), GST_FLOW_OK);
  EXPECT_EQ(rig.stat("audio-samples"), 16000u);
  EXPECT_EQ(rig.frame(0), GST_FLOW_NOT_LINKED);
  gst_object_unref(audio_src);
  gst_object_unref(src);
}

}  // namespace
}  // namespace vidi::test
