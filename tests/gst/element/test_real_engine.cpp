// The element with the real engine behind it, found where the build tree has it, and the trained
// small checkpoint, for which the reference gave the answers of the golden cases.
#include <gst/app/gstappsrc.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "model/checkpoint/safetensors.h"
#include "tests/support/element.h"

namespace vidi::test {
namespace {

const std::string kGolden = VIDI_TEST_DATA "/golden/";
const std::string kRgb = "appsrc name=pictures format=time ";
const std::string kSound =
    "appsrc name=sound format=time "
    "caps=audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved ! "
    "v.audio_sink v.audio_src ! fakesink sync=false ";

class RealEngine : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 1);
    unsetenv("VIDI_ENGINE");
    gst_init(nullptr, nullptr);
  }
};

std::string filter(const std::string& more, const std::string& device = "cpu") {
  return "vidifilter name=v device=" + device + std::string(" model-path=\"") +
         VIDI_DEMO_CHECKPOINT + "\" " + more + " ! fakesink sync=false ";
}

// One tensor of a case file as a buffer of bytes from `begin`.
GstBuffer* bytes_of(const std::string& path, const TensorEntry& entry, uint64_t begin,
                    uint64_t size, GstClockTime pts, GstClockTime duration) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  read_file_range(path, entry.begin + begin, map.data, size);
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

void set_size(GstAppSrc* pictures, const TensorEntry& frames) {
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "RGB", "framerate",
                                      GST_TYPE_FRACTION, 0, 1, "width", G_TYPE_INT,
                                      static_cast<int>(frames.shape[2]), "height", G_TYPE_INT,
                                      static_cast<int>(frames.shape[1]), nullptr);
  gst_app_src_set_caps(pictures, caps);
  gst_caps_unref(caps);
}

// A golden case as a stream: its frames spread over its length, as many a second as the checkpoint
// asks for, and the sound beside them.
void play_case(Pipeline& pipeline, const std::string& path) {
  const SafetensorsHeader header = read_safetensors_header(path);
  const TensorEntry& frames = header.tensors.at("frames");
  const uint64_t n = frames.shape[0], size = (frames.end - frames.begin) / n;
  const auto gap =
      static_cast<GstClockTime>(std::stod(header.metadata.at("duration")) * GST_SECOND) / n;
  auto* pictures = GST_APP_SRC(pipeline.element("pictures"));
  set_size(pictures, frames);
  auto* sound = GST_APP_SRC(pipeline.element("sound"));
  const TensorEntry& audio = header.tensors.at("audio");
  gst_app_src_push_buffer(sound, bytes_of(path, audio, 0, audio.end - audio.begin, 0,
                                          gst_util_uint64_scale(audio.numel(), GST_SECOND, 16000)));
  gst_app_src_end_of_stream(sound);
  for (uint64_t k = 0; k < n; ++k) {
    gst_app_src_push_buffer(pictures, bytes_of(path, frames, k * size, size, k * gap, gap));
  }
  gst_app_src_end_of_stream(pictures);
}

// A golden case, played through the element, gets the reference's answer, word for word.
TEST_F(RealEngine, AnswersGoldenCasesAsTheReference) {
  for (const char* name : {"seen", "heard", "two_ranges", "both", "absent"}) {
    const std::string folder = kGolden + "demo/" + name;
    const auto input = read_safetensors_header(folder + "/input.safetensors").metadata;
    const auto expected = read_safetensors_header(folder + "/expected.safetensors").metadata;
    Pipeline pipeline(kRgb + " ! " + filter("") + kSound);
    g_object_set(pipeline.v(), "query", input.at("question").c_str(), nullptr);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    play_case(pipeline, folder + "/input.safetensors");
    ASSERT_TRUE(pipeline.wait_eos()) << name;
    const auto windows = pipeline.structures("vidi/window");
    ASSERT_EQ(windows.size(), 1u) << name;
    const GValue* texts = gst_structure_get_value(windows[0], "texts");
    EXPECT_STREQ(g_value_get_string(gst_value_array_get_value(texts, 0)),
                 expected.at("output.text").c_str())
        << name;
  }
}

// The bundled model brings its own sentence for highlights: the answer's titles become labels.
TEST_F(RealEngine, ListsHighlightsInItsOwnWords) {
  Pipeline pipeline(kRgb + " ! " + filter("task=highlight") + kSound);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  play_case(pipeline, kGolden + "demo/highlight/input.safetensors");
  const GstStructure* result = pipeline.wait_structure("vidi/result");
  ASSERT_TRUE(result);
  EXPECT_EQ(text(result, "task"), "highlight");
  EXPECT_EQ(text(result, "source"), "model");
  EXPECT_NE(text(result, "label"), "");
}

// After EOS the encoded window still answers, also where it is split over devices.
void expect_answers_after_the_end(const std::string& properties, const std::string& device) {
  const std::string folder = kGolden + "demo/two_ranges";
  const auto told = read_safetensors_header(folder + "/expected.safetensors").metadata;
  Pipeline pipeline(kRgb + " ! " + filter("query=\"a zebra\" " + properties, device) + kSound);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  play_case(pipeline, folder + "/input.safetensors");
  ASSERT_TRUE(pipeline.wait_eos());
  EXPECT_TRUE(pipeline.structures("vidi/result").empty());
  gchar* id = nullptr;
  g_signal_emit_by_name(pipeline.v(), "ask", told.at("question").c_str(), GST_CLOCK_TIME_NONE,
                        GST_CLOCK_TIME_NONE, &id);
  ASSERT_TRUE(id);
  const GstStructure* result = pipeline.wait_structure("vidi/result");
  ASSERT_TRUE(result);
  EXPECT_EQ(text(result, "query-id"), id);
  const double start_s = std::stod(told.at("output.text")) * std::stod(told.at("duration"));
  EXPECT_NEAR(static_cast<double>(number(result, "timestamp")), start_s * GST_SECOND,
              GST_SECOND / 1000);
  g_free(id);
}

TEST_F(RealEngine, AnswersQuestionsAfterTheEnd) {
  expect_answers_after_the_end("", "cpu");
  expect_answers_after_the_end("split-windows=true", "cpu,cpu");
}

const std::string kEndless = "videotestsrc pattern=ball ! video/x-raw,width=160,height=120 ! ";
const std::string kShortWindows =
    "window-duration=4000000000 window-stride=2000000000 query=\"a ball\" ";

// Behind a gate a picture in which nothing moves is looked at, and asked about once; one in which
// something does is asked about in every window.
TEST_F(RealEngine, TheGatePassesAStillPictureBy) {
  for (const std::string pattern : {"circular", "ball"}) {
    Pipeline pipeline("videotestsrc num-buffers=40 pattern=" + pattern +
                      " ! video/x-raw,width=160,height=120,framerate=2/1 ! " +
                      filter("gate=motion query=\"a ball\" window-duration=4000000000 "
                             "window-stride=4000000000"));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    ASSERT_TRUE(pipeline.wait_eos()) << pipeline.error_text();
    const auto windows = pipeline.structures("vidi/window");
    ASSERT_EQ(windows.size(), 5u) << pattern;
    EXPECT_FALSE(flag(windows[0], "gated"));
    for (size_t i = 1; i < windows.size(); ++i)
      EXPECT_EQ(flag(windows[i], "gated"), pattern == "circular") << pattern << " " << i;
  }
}

// Two devices give the same answers as one, in the same order, whichever has a window; what
// overlapping windows share is made on each.
TEST_F(RealEngine, TwoDevicesAnswerAsOne) {
  const auto answers_on = [](const std::string& device, const std::string& properties = "") {
    Pipeline pipeline(
        "videotestsrc num-buffers=60 pattern=ball ! "
        "video/x-raw,width=160,height=120,framerate=2/1 ! " +
        filter("queries=\"<\\\"a ball\\\",\\\"something white\\\">\" "
               "window-duration=6000000000 window-stride=3000000000 " +
                   properties,
               device) +
        "audiotestsrc num-buffers=300 wave=ticks samplesperbuffer=1600 ! "
        "audio/x-raw,rate=16000 ! v.audio_sink v.audio_src ! fakesink sync=false");
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    EXPECT_TRUE(pipeline.wait_eos()) << pipeline.error_text();
    std::vector<std::string> answers;
    for (const GstStructure* window : pipeline.structures("vidi/window")) {
      const GValue* texts = gst_structure_get_value(window, "texts");
      answers.push_back(std::to_string(number(window, "window-index")));
      for (guint i = 0; i < gst_value_array_get_size(texts); ++i)
        answers.push_back(g_value_get_string(gst_value_array_get_value(texts, i)));
    }
    return answers;
  };
  const auto one = answers_on("cpu");
  EXPECT_GE(one.size(), 3u * 9);
  EXPECT_EQ(answers_on("cpu,cpu"), one);
  EXPECT_EQ(answers_on("cpu,cpu,cpu"), one);
  EXPECT_EQ(answers_on("cpu,cpu", "split-windows=true"), one);
  EXPECT_EQ(answers_on("cpu,cpu,cpu", "split-windows=true keys=int8"),
            answers_on("cpu", "keys=int8"));
}

// Stopped while it loads and while it generates, 20 times, the engine lets go at once and starts
// again.
TEST_F(RealEngine, StartsAndStops20Times) {
  Pipeline pipeline(kEndless + filter(kShortWindows));
  for (int i = 0; i < 20; ++i) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    if (i % 2) {
      ASSERT_TRUE(pipeline.wait_structure("vidi/window")) << i;
    }
    ASSERT_TRUE(pipeline.to(GST_STATE_NULL)) << i;
  }
}

// A seek while the model works: everything after it belongs to the new segment.
TEST_F(RealEngine, FlushesWhileItWorks) {
  Pipeline pipeline(kEndless + filter(kShortWindows));
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(pipeline.wait_structure("vidi/window")) << i;
    const GstClockTime target = i * 1000 * GST_SECOND;
    ASSERT_TRUE(
        gst_element_seek_simple(pipeline.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, target));
    ASSERT_TRUE(pipeline.wait_structure("vidi/window", [&](const GstStructure* s) {
      return number(s, "window-start") >= target;
    })) << i;
  }
}

// Two elements with one model load it once: the second is ready without reading a weight.
TEST_F(RealEngine, IsLoadedOnceForTwoElements) {
  Pipeline pipeline(kEndless + filter(kShortWindows) + kEndless +
                    "vidifilter name=w device=cpu model-path=\"" VIDI_DEMO_CHECKPOINT
                    "\" query=\"a ball\" ! fakesink sync=false");
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  const auto both = [&] { return pipeline.structures("vidi/model").size() == 2; };
  while (!both()) {
    if (!pipeline.wait_message(GST_MESSAGE_ELEMENT)) break;
  }
  const auto models = pipeline.structures("vidi/model");
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(number(models[0], "load-time"), number(models[1], "load-time"));
}

// A folder that is no checkpoint ends the pipeline with one sentence that names it.
TEST_F(RealEngine, SaysWhatIsWrongWithACheckpoint) {
  Pipeline pipeline(kEndless + "vidifilter name=v device=cpu model-path=\"" VIDI_TEST_DATA
                               "/frontend\" ! fakesink");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  ASSERT_TRUE(pipeline.wait_message(GST_MESSAGE_ERROR));
  EXPECT_NE(pipeline.error_text().find("frontend"), std::string::npos) << pipeline.error_text();
}

// An element has kept windows for questions until the model may take no more of its device; then
// another element, which has none to give, has its window analysed all the same, in usual steps.
TEST_F(RealEngine, KeptWindowsGiveWayToAnotherElement) {
  const auto play = [](Pipeline& pipeline) {
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    EXPECT_TRUE(pipeline.wait_eos()) << pipeline.error_text();
  };
  const auto film = [](int n_windows) {
    return "videotestsrc num-buffers=" + std::to_string(n_windows * 120) +
           " ! video/x-raw,width=98,height=98,framerate=2/1 ! " +
           filter("query=cat keep-windows=100 memory-limit=100000000 window-stride=60000000000");
  };
  Pipeline keeper(film(6)), other(film(1));
  play(keeper);
  EXPECT_EQ(keeper.structures("vidi/window").size(), 6u);
  play(other);
  const auto windows = other.structures("vidi/window");
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_FALSE(flag(windows[0], "small-steps"));
  EXPECT_TRUE(other.structures("vidi/window-dropped").empty());
}

}  // namespace
}  // namespace vidi::test
