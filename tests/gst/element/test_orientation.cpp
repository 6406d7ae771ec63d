// Pictures that are stored turned: the model sees what a player shows, and GStreamer's own
// videoflip, which players use, says what that is.
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

constexpr const char* kValues[] = {"rotate-0",        "rotate-90",      "rotate-180",
                                   "rotate-270",      "flip-rotate-0",  "flip-rotate-90",
                                   "flip-rotate-180", "flip-rotate-270"};
constexpr int kWidth = 32, kHeight = 20;

// What happens on the pad. Two frames at least belong to a window.
struct Step {
  enum Kind { kFrame, kStreamTags, kGlobalTags, kStart } kind = kFrame;
  std::string text = {};  // of the tag, "" = a list without it; the id of a stream
};
using Story = std::vector<Step>;
using Digests = std::vector<uint64_t>;

Story frames_after(const Step& step) { return {step, {}, {}}; }

Story joined(const std::vector<Story>& parts) {
  Story all;
  for (const Story& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string caps_of(const std::string& format) {
  return "video/x-raw, format=" + format + ", width=" + std::to_string(kWidth) +
         ", height=" + std::to_string(kHeight) + ", framerate=1/1, pixel-aspect-ratio=16/11";
}

// No two pixels of it are alike, nor two frames.
GstBuffer* noise(const std::string& caps_text, unsigned n) {
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  uint32_t state = n + 1;
  for (gsize i = 0; i < map.size; ++i)
    map.data[i] = static_cast<guint8>((state = state * 1664525u + 1013904223u) >> 24);
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = n * GST_SECOND;
  GST_BUFFER_DURATION(buffer) = GST_SECOND;
  return buffer;
}

GstEvent* tags(const Step& step) {
  GstTagList* list = gst_tag_list_new(GST_TAG_TITLE, "a film", nullptr);
  if (!step.text.empty())
    gst_tag_list_add(list, GST_TAG_MERGE_REPLACE, GST_TAG_IMAGE_ORIENTATION, step.text.c_str(),
                     nullptr);
  const bool global = step.kind == Step::kGlobalTags;
  gst_tag_list_set_scope(list, global ? GST_TAG_SCOPE_GLOBAL : GST_TAG_SCOPE_STREAM);
  return gst_event_new_tag(list);
}

GstEvent* caps_event(const std::string& text) {
  GstCaps* caps = gst_caps_from_string(text.c_str());
  GstEvent* event = gst_event_new_caps(caps);
  gst_caps_unref(caps);
  return event;
}

struct Shown {
  std::string caps;
  GstBuffer* buffer;
};

// What an application with videoflip in it shows.
std::vector<Shown> flipped(const std::string& caps, const Story& story) {
  GstHarness* h = gst_harness_new("videoflip");
  gst_util_set_object_arg(G_OBJECT(h->element), "video-direction", "auto");
  const GstSegment segment = time_segment();
  std::vector<Shown> shown;
  const auto start = [&](const std::string& id) {
    gst_harness_push_event(h, gst_event_new_stream_start(id.c_str()));
    gst_harness_push_event(h, caps_event(caps));
    gst_harness_push_event(h, gst_event_new_segment(&segment));
  };
  start("first");
  unsigned n = 0;
  for (const Step& step : story) {
    if (step.kind == Step::kStart) start(step.text);
    if (step.kind == Step::kStreamTags || step.kind == Step::kGlobalTags)
      gst_harness_push_event(h, tags(step));
    if (step.kind != Step::kFrame) continue;
    EXPECT_EQ(gst_harness_push(h, noise(caps, n++)), GST_FLOW_OK);
    GstBuffer* buffer = gst_harness_pull(h);
    GstCaps* now = gst_pad_get_current_caps(h->sinkpad);
    gchar* text = gst_caps_to_string(now);
    shown.push_back({text, buffer});
    g_free(text);
    gst_caps_unref(now);
  }
  gst_harness_teardown(h);
  return shown;
}

struct Orientation : ElementTest {
  static void start(Rig& rig, const std::string& caps, const std::string& id) {
    const GstSegment segment = time_segment();
    rig.video.send(gst_event_new_stream_start(id.c_str()));
    rig.video.send(caps_event(caps));
    rig.video.send(gst_event_new_segment(&segment));
  }

  // What the model saw, over all windows.
  static Digests seen(const std::string& caps, const std::function<void(Rig&)>& feed) {
    Digests digests;
    scripted::reset();
    scripted::answer_with([&](const Query&, const scripted::SeenWindow& window) {
      digests.insert(digests.end(), window.digests.begin(), window.digests.end());
      return std::string("none");
    });
    Rig rig({.windows = "window-duration=0", .video_caps = caps});
    rig.start();
    start(rig, caps, "first");
    feed(rig);
    rig.video.eos();
    EXPECT_TRUE(rig.messages(GST_MESSAGE_WARNING).empty());
    return digests;
  }

  static Digests seen_as_told(const std::string& caps, const Story& story) {
    return seen(caps, [&](Rig& rig) {
      unsigned n = 0;
      for (const Step& step : story) {
        switch (step.kind) {
          case Step::kStart:
            start(rig, caps, step.text);
            break;
          case Step::kFrame:
            EXPECT_EQ(rig.video.push(noise(caps, n++)), GST_FLOW_OK);
            break;
          default:
            rig.video.send(tags(step));
        }
      }
    });
  }

  static Digests seen_after_videoflip(const std::string& caps, const Story& story) {
    const std::vector<Shown> shown = flipped(caps, story);
    return seen(shown[0].caps, [&](Rig& rig) {
      std::string before = shown[0].caps;
      for (const Shown& s : shown) {
        if (s.caps != before) rig.video.send(caps_event(before = s.caps));
        rig.video.push(s.buffer);
      }
    });
  }

  static void expect_as_shown(const Story& story, const std::string& format = "RGB") {
    const std::string caps = caps_of(format);
    const Digests told = seen_as_told(caps, story);
    EXPECT_EQ(told, seen_after_videoflip(caps, story)) << format;
    EXPECT_FALSE(told.empty());
  }
};

// All eight values, as a tag of the stream and of the file, in several formats.
TEST_F(Orientation, PicturesAreSeenAsTheyAreShown) {
  for (const char* value : kValues) {
    SCOPED_TRACE(value);
    for (const char* format : {"RGB", "BGRx", "Y444", "GRAY8"})
      expect_as_shown(frames_after({Step::kStreamTags, value}), format);
    expect_as_shown(frames_after({Step::kGlobalTags, value}));
  }
}

// What is said in mid-stream holds for the frames behind it, in the same window.
TEST_F(Orientation, ChangesInMidStream) {
  std::vector<Story> parts;
  for (const char* value : kValues) parts.push_back(frames_after({Step::kStreamTags, value}));
  expect_as_shown(joined(parts), "Y444");
}

// The stream's own word goes before the file's, whichever comes first. (To videoflip 1.22 the last
// one counts, to that of 1.24 the stream's.)
TEST_F(Orientation, TheStreamGoesBeforeTheFile) {
  const std::string caps = caps_of("RGB");
  const Step side{Step::kStreamTags, "rotate-90"}, none{Step::kStreamTags, ""};
  const Step file{Step::kGlobalTags, "rotate-180"};
  EXPECT_EQ(seen_as_told(caps, joined({frames_after(side), frames_after(file)})),
            seen_as_told(caps, joined({frames_after(side), frames_after(none)})));
  expect_as_shown(joined({frames_after(file), frames_after(side)}));
}

// Another stream begins upright, the same one goes on as it was. (videoflip 1.22 waits for the next
// tag.)
TEST_F(Orientation, AnotherStreamBeginsUpright) {
  const std::string caps = caps_of("RGB");
  const Step same{Step::kStart, "first"}, next{Step::kStart, "second"};
  const Step upright{Step::kStreamTags, "rotate-0"}, none{Step::kStreamTags, ""};
  for (const auto kind : {Step::kStreamTags, Step::kGlobalTags}) {
    const Step side{kind, "rotate-90"};
    EXPECT_EQ(seen_as_told(caps, joined({frames_after(side), frames_after(same)})),
              seen_as_told(caps, joined({frames_after(side), frames_after(none)})));
    EXPECT_EQ(seen_as_told(caps, joined({frames_after(side), frames_after(next)})),
              seen_as_told(caps, joined({frames_after(side), frames_after(upright)})));
  }
}

// Lists of parsers and decoders, which say nothing of it, change nothing.
TEST_F(Orientation, ListsThatSayNothing) {
  const std::string caps = caps_of("RGB");
  for (const auto kind : {Step::kStreamTags, Step::kGlobalTags}) {
    const Step side{kind, "rotate-270"}, none{kind, ""};
    EXPECT_EQ(seen_as_told(caps, joined({frames_after(side), frames_after(none)})),
              seen_after_videoflip(caps, joined({frames_after(side), {{}, {}}})));
  }
}

// A value that nobody knows is no reason to turn anything.
TEST_F(Orientation, UnknownValues) {
  const std::string caps = caps_of("RGB");
  const Digests plain = seen_as_told(caps, {{}, {}});
  for (const char* value : {"upside-down", "rotate-45", " ", "rotate-90 "})
    EXPECT_EQ(seen_as_told(caps, frames_after({Step::kStreamTags, value})), plain) << value;
}

// The buffers themselves, their caps and the tags pass untouched: who shows them turns them.
TEST_F(Orientation, FramesPassUntouched) {
  const std::string caps = caps_of("RGB");
  Rig rig({.video_caps = caps});
  rig.start();
  rig.video.send(tags({Step::kStreamTags, "rotate-90"}));
  std::vector<GstBuffer*> sent;
  for (unsigned n = 0; n < 3; ++n) {
    sent.push_back(noise(caps, n));
    EXPECT_EQ(rig.video.push(sent.back()), GST_FLOW_OK);
  }
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers(), sent);
  EXPECT_EQ(rig.out().count("caps"), 1);
  ASSERT_EQ(rig.out().count("tag"), 1);
  GstTagList* list = nullptr;
  gst_event_parse_tag(rig.out().events("tag")[0], &list);
  gchar* value = nullptr;
  ASSERT_TRUE(gst_tag_list_get_string(list, GST_TAG_IMAGE_ORIENTATION, &value));
  EXPECT_STREQ(value, "rotate-90");
  g_free(value);
}

// An element that is used again knows nothing of the film before.
TEST_F(Orientation, IsForgottenWithTheStream) {
  const std::string caps = caps_of("RGB");
  const Digests plain = seen_as_told(caps, {{}, {}});
  Digests last;
  scripted::reset();
  scripted::answer_with([&](const Query&, const scripted::SeenWindow& window) {
    last = window.digests;
    return std::string("none");
  });
  Rig rig({.windows = "window-duration=0", .video_caps = caps});
  for (const bool turned : {true, false}) {
    rig.start();
    if (turned) rig.video.send(tags({Step::kStreamTags, "rotate-90"}));
    for (unsigned n = 0; n < 2; ++n) rig.video.push(noise(caps, n));
    rig.video.eos();
    EXPECT_EQ(last == plain, !turned);
    EXPECT_TRUE(rig.to(GST_STATE_READY));
    for (const bool active : {false, true}) {  // an element upstream would go to READY as well
      gst_pad_set_active(rig.video.pad(), active);
    }
  }
}

}  // namespace
}  // namespace vidi::test
