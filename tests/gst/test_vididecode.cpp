// vididecode against an ordinary decoder: vidifilter behind either must see the same.
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/support/element.h"

namespace vidi::test {
namespace {

namespace fs = std::filesystem;
using scripted::SeenWindow;

// Bars that move, so that frames depend on each other, and noise in a corner, so that no two are
// the same.
constexpr char kMoving[] = "videotestsrc horizontal-speed=3 num-buffers=";
constexpr char kSmall[] = "video/x-raw,width=90,height=50,framerate=30/1 ! ";

struct Film {
  std::string name, pipeline;  // from raw video to the muxer
  bool is_cut = true;          // whether ranges are to be decoded side by side
  int n_frames = 300;
  friend std::ostream& operator<<(std::ostream& out, const Film& f) { return out << f.name; }
};

std::string h264(const std::string& options) {
  return "x264enc speed-preset=ultrafast " + options +
         " ! video/x-h264,profile=main ! h264parse ! ";
}

bool is_installed(const std::string& factory) {
  GstElementFactory* found = gst_element_factory_find(factory.c_str());
  if (found) gst_object_unref(found);
  return found != nullptr;
}

bool can_be_made(const Film& film) {
  for (const char* encoder : {"x264enc", "x265enc", "openh264enc", "vp8enc", "vp9enc"}) {
    if (film.pipeline.find(encoder) != std::string::npos && !is_installed(encoder)) return false;
  }
  return true;
}

Film steady() {
  const std::string encoder = is_installed("x264enc")
                                  ? h264("bframes=3 b-adapt=false key-int-max=40")
                                  : "openh264enc gop-size=40 ! h264parse ! ";
  return {"steady", encoder + "mp4mux"};
}

std::vector<Film> films() {
  const std::string b = "bframes=3 b-adapt=false ";
  const std::string vp8 = "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=40 ";
  return {
      steady(),
      {"openh264", "openh264enc gop-size=30 ! h264parse ! mp4mux"},
      {"mp4", h264(b + "key-int-max=40") + "mp4mux"},
      {"mp4-fragments", h264(b + "key-int-max=40") + "mp4mux fragment-duration=1000"},
      {"mkv-pyramid", h264(b + "b-pyramid=true key-int-max=60") + "matroskamux"},
      {"mpeg-ts", h264(b + "key-int-max=40") + "mpegtsmux"},
      {"open", h264(b + "key-int-max=30 option-string=open-gop=1") + "mp4mux", false},
      {"one-key-frame", h264(b + "key-int-max=9999") + "mp4mux", false},
      {"many-without-key-frame", h264(b + "key-int-max=9999") + "mp4mux", false, 1400},
      {"key-frames-only", h264("key-int-max=1") + "mp4mux"},
      {"short", h264(b + "key-int-max=7") + "matroskamux"},
      {"variable", "identity drop-probability=0.4 ! " + h264(b + "key-int-max=30") + "matroskamux"},
      {"rarely", "identity drop-probability=0.97 ! " + h264(b + "key-int-max=5") + "matroskamux",
       false, 3000},
      {"refresh", h264("intra-refresh=true key-int-max=30") + "mp4mux", false},
      {"interlaced", h264("interlaced=true key-int-max=30") + "mp4mux"},
      {"h265", "x265enc speed-preset=ultrafast key-int-max=30 log-level=none ! h265parse ! mp4mux"},
      {"vp8", vp8 + "! webmmux"},
      {"vp8-hidden", vp8 + "lag-in-frames=10 auto-alt-ref=true ! webmmux"},
      {"vp9", "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=40 lag-in-frames=10 ! webmmux"},
      {"mjpeg", "jpegenc ! matroskamux", false},
  };
}

struct Watching {
  std::string properties;
  GstClockTime seek_to = 0;
};

// What the model saw and what the element said of its windows.
struct Seen {
  std::vector<std::vector<uint64_t>> pictures;
  std::vector<std::string> windows;
};

struct Outcome {
  Seen seen;
  guint64 n_ranges = 0, n_in = 0, n_out = 0;
};

void set_rank(const char* factory, guint rank) {
  GstPluginFeature* feature = gst_registry_lookup_feature(gst_registry_get(), factory);
  ASSERT_NE(feature, nullptr);
  gst_plugin_feature_set_rank(feature, rank);
  gst_object_unref(feature);
}

void use_three(GstBin*, GstBin*, GstElement* element, gpointer) {
  GstElementFactory* factory = gst_element_get_factory(element);
  if (factory && g_str_equal(GST_OBJECT_NAME(factory), "vididecode"))
    g_object_set(element, "decoders", 3, nullptr);
}

void read_stats(const GValue* item, gpointer run) {
  GObject* element = G_OBJECT(g_value_get_object(item));
  if (!g_str_has_prefix(GST_OBJECT_NAME(element), "vididecode")) return;
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  auto* r = static_cast<Outcome*>(run);
  r->n_ranges = number(stats, "ranges");
  r->n_in = number(stats, "frames-in"), r->n_out = number(stats, "frames-out");
  gst_structure_free(stats);
}

std::string window_text(const GstStructure* s) {
  return std::to_string(number(s, "window-start")) + ".." +
         std::to_string(number(s, "window-stop"));
}

struct VidiDecode : ::testing::Test {
  void SetUp() override {
    prepare();
    folder = fs::temp_directory_path() / ("vididecode-" + std::to_string(getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override {
    set_rank("vididecode", GST_RANK_NONE);
    fs::remove_all(folder);
  }

  std::string made(const Film& film) {
    const std::string path = folder / film.name;
    Pipeline maker(kMoving + std::to_string(film.n_frames) + " ! " + kSmall + film.pipeline +
                   " ! filesink location=" + path);
    EXPECT_TRUE(maker.to(GST_STATE_PLAYING));
    EXPECT_TRUE(maker.wait_eos());
    return path;
  }

  static std::string description(const std::string& path, const Watching& watching) {
    return "filesrc location=" + path + " ! decodebin ! vidifilter name=v model-path=model " +
           "query=cat " + watching.properties + " ! fakesink sync=false";
  }

  Outcome watched(const std::string& path, const Watching& watching, bool side_by_side) {
    set_rank("vididecode", side_by_side ? G_MAXINT : GST_RANK_NONE);
    Outcome run;
    scripted::reset();
    scripted::answer_with([&](const Query&, const SeenWindow& window) {
      run.seen.pictures.push_back(window.digests);
      return std::string("none");
    });
    Pipeline pipeline(description(path, watching));
    g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(use_three), nullptr);
    if (watching.seek_to > 0) {
      EXPECT_TRUE(pipeline.to(GST_STATE_PAUSED));
      EXPECT_TRUE(gst_element_seek_simple(
          pipeline.get(), GST_FORMAT_TIME,
          static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
          watching.seek_to));
    }
    EXPECT_TRUE(pipeline.to(GST_STATE_PLAYING));
    EXPECT_TRUE(pipeline.wait_eos());
    for (const GstStructure* s : pipeline.structures("vidi/window"))
      run.seen.windows.push_back(window_text(s));
    GstIterator* all = gst_bin_iterate_recurse(GST_BIN(pipeline.get()));
    gst_iterator_foreach(all, read_stats, &run);
    gst_iterator_free(all);
    return run;
  }

  void expect_same(const std::string& path, const Watching& watching, Outcome* fast = nullptr) {
    const Outcome plain = watched(path, watching, false);
    const Outcome run = watched(path, watching, true);
    EXPECT_FALSE(plain.seen.pictures.empty());
    EXPECT_EQ(run.seen.pictures, plain.seen.pictures) << watching.properties;
    EXPECT_EQ(run.seen.windows, plain.seen.windows) << watching.properties;
    if (fast) *fast = run;
  }

  fs::path folder;
};

const std::vector<Watching> kWatchings = {
    {"window-duration=0"},
    {"window-duration=0 frame-rate=2/5"},
    {"window-duration=3000000000 window-stride=1300000000 frame-rate=7/3"},
};

// Of every kind of file the model sees the same pictures, pixel by pixel, in the same windows.
TEST_F(VidiDecode, SamePicturesAsAnOrdinaryDecoder) {
  for (const Film& film : films()) {
    if (!can_be_made(film)) continue;
    SCOPED_TRACE(film.name);
    const std::string path = made(film);
    for (const Watching& watching : kWatchings) {
      Outcome run;
      expect_same(path, watching, &run);
      EXPECT_EQ(run.n_ranges > 1, film.is_cut);
      if (film.is_cut) {
        EXPECT_LT(run.n_out, run.n_in / 2);
      }
    }
  }
}

// A stream that begins in the middle of a range, as after a seek, is decoded from before that.
TEST_F(VidiDecode, SamePicturesAfterASeek) {
  const std::string path = made(steady());
  expect_same(path, {"window-duration=0", 3 * GST_SECOND + 123456789});
  expect_same(path, {"window-duration=3000000000 window-stride=2000000000", 4 * GST_SECOND});
}

// A damaged file is watched to its end all the same; what is not damaged is the same. How libav
// fills in what is damaged depends on the number of its threads.
TEST_F(VidiDecode, WatchesADamagedFile) {
  constexpr int kHoles = 6;
  const std::string path = made({"damaged", steady().pipeline, true, 900});
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(fs::file_size(path));
  for (int part = 3; part < 3 + kHoles; ++part) {
    file.seekp(size * part / 10);
    file << std::string(500, '\xa5');
  }
  file.close();
  const Seen plain = watched(path, {"window-duration=0"}, false).seen;
  const Seen seen = watched(path, {"window-duration=0"}, true).seen;
  EXPECT_EQ(seen.windows, plain.windows);
  ASSERT_EQ(seen.pictures.size(), 1u);
  ASSERT_EQ(seen.pictures[0].size(), plain.pictures[0].size());
  int n_different = 0;
  for (size_t i = 0; i < seen.pictures[0].size(); ++i)
    n_different += seen.pictures[0][i] != plain.pictures[0][i];
  EXPECT_LE(n_different, 2 * kHoles);  // a range of 40 frames has two pictures at most
}

// A file that breaks off is watched up to there.
TEST_F(VidiDecode, SamePicturesOfATruncatedFile) {
  const std::string path =
      made({"truncated", "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=40 ! webmmux"});
  fs::resize_file(path, fs::file_size(path) * 2 / 3);
  expect_same(path, {"window-duration=0"});
}

// Without vidifilter downstream every frame passes, each at its time.
TEST_F(VidiDecode, AllFramesPassToOthers) {
  const std::string path = made(steady());
  Pipeline pipeline("filesrc location=" + path +
                    " ! parsebin ! vididecode ! fakesink name=v sync=false signal-handoffs=true");
  std::vector<GstClockTime> times;
  const auto note = +[](GstElement*, GstBuffer* buffer, GstPad*, std::vector<GstClockTime>* all) {
    all->push_back(GST_BUFFER_PTS(buffer));
  };
  g_signal_connect(pipeline.v(), "handoff", G_CALLBACK(note), &times);
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  ASSERT_TRUE(pipeline.wait_eos());
  EXPECT_EQ(times.size(), 300u);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

// A pipeline stops at any time, also while the model holds everything up.
TEST_F(VidiDecode, StopsAtAnyTime) {
  const std::string path = made({"long", steady().pipeline, true, 900});
  set_rank("vididecode", G_MAXINT);
  for (int round = 0; round < 5; ++round) {
    scripted::reset();
    if (round % 2 == 0) scripted::hold(scripted::Step::kEncode);
    Pipeline pipeline(description(path, {"window-duration=3000000000 window-stride=500000000"}));
    g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(use_three), nullptr);
    ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
    ASSERT_TRUE(scripted::wait_for(scripted::Step::kEncode, 1));
    Background stop([&] { gst_element_set_state(pipeline.get(), GST_STATE_NULL); });
    ASSERT_TRUE(stop.ended());
  }
}

// Seeking again and again while ranges are under way ends where the last one leads.
TEST_F(VidiDecode, SeeksWhileItDecodes) {
  const std::string path = made({"long", steady().pipeline, true, 900});
  set_rank("vididecode", G_MAXINT);
  Pipeline pipeline(description(path, {"window-duration=0"}));
  g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(use_three), nullptr);
  ASSERT_TRUE(pipeline.to(GST_STATE_PAUSED));
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  for (int to = 20; to >= 0; to -= 4) {
    Background seek([&] {
      gst_element_seek_simple(pipeline.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                              static_cast<gint64>(to) * GST_SECOND);
    });
    ASSERT_TRUE(seek.ended());
  }
  // What came before the last seek may have ended, too; its message still waits.
  size_t pictures = 0;
  for (int ends = 0; ends < 7 && pictures != 30; ++ends) {
    ASSERT_TRUE(pipeline.wait_eos());
    pictures = scripted::last_window().digests.size();
  }
  EXPECT_EQ(pictures, 30u);
}

}  // namespace
}  // namespace vidi::test
