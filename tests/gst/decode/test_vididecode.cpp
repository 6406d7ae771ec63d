// vididecode against an ordinary decoder: vidifilter behind either must see the same.
#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
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
  bool is_cut = true;          // whether GOPs are to be decoded side by side
  int n_frames = 300;
  friend std::ostream& operator<<(std::ostream& out, const Film& f) { return out << f.name; }
};

std::string h264(const std::string& options) {
  return "x264enc speed-preset=ultrafast " + options +
         " ! video/x-h264,profile=main ! h264parse ! ";
}

bool can_be_made(const Film& film) {
  for (const char* encoder : {"x264enc", "x265enc", "openh264enc", "vp8enc", "vp9enc"}) {
    if (film.pipeline.find(encoder) != std::string::npos && !is_installed(encoder)) return false;
  }
  return true;
}

std::string some_h264() {
  return is_installed("x264enc") ? h264("bframes=3 b-adapt=false key-int-max=40")
                                 : "openh264enc gop-size=40 ! h264parse ! ";
}

// Hardware conceals damage in its own way, and nvh264dec (1.24) loses pictures where the size
// changes: there what is compared with is not right itself.
bool compares_with_hardware() {
  constexpr auto kKind = GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  GList* all = gst_element_factory_list_get_elements(kKind, GST_RANK_MARGINAL);  // best first
  GstCaps* caps = gst_caps_from_string("video/x-h264,stream-format=byte-stream,alignment=au");
  GList* fitting = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);
  const bool is_hardware =
      fitting && gst_element_factory_list_is_type(GST_ELEMENT_FACTORY(fitting->data),
                                                  GST_ELEMENT_FACTORY_TYPE_HARDWARE);
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(all);
  gst_caps_unref(caps);
  return is_hardware;
}

Film steady() { return {"steady", some_h264() + "mp4mux"}; }

std::vector<Film> films() {
  prepare();  // this is called before any test: which encoders are there?
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
  std::string before = "";                   // vidifilter, behind the decoder
  std::vector<GstClockTime> turned_at = {};  // the first frames to decode from there on, a quarter
  GstClockTime gap_at = GST_CLOCK_TIME_NONE;
};

// What the model saw and what the element said of its windows.
struct Seen {
  std::vector<std::vector<uint64_t>> pictures;
  std::vector<std::string> windows;
};

struct Outcome {
  Seen seen;
  guint64 n_gops = 0, n_in = 0, n_out = 0;
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
  r->n_gops = number(stats, "ranges");
  r->n_in = number(stats, "frames-in"), r->n_out = number(stats, "frames-out");
  gst_structure_free(stats);
}

// On the parser's pad: tags and gaps between coded frames, each once.
struct Injected {
  std::vector<GstClockTime> turned_at;
  GstClockTime gap_at;
  size_t n_turns = 0;

  // In front of the parser, where a demuxer's tags come from: it repeats them in its own lists, and
  // to videoflip (1.26) a list without the tag takes it back.
  static GstPadProbeReturn before_parser(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Injected*>(data);
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    constexpr const char* kQuarters[] = {"rotate-90", "rotate-180", "rotate-270", "rotate-0"};
    if (self->n_turns < self->turned_at.size() && pts >= self->turned_at[self->n_turns]) {
      GstTagList* list =
          gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, kQuarters[self->n_turns++ % 4], nullptr);
      gst_tag_list_set_scope(list, GST_TAG_SCOPE_STREAM);
      gst_pad_send_event(pad, gst_event_new_tag(list));
    }
    return GST_PAD_PROBE_OK;
  }
  static GstPadProbeReturn behind_parser(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Injected*>(data);
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    if (GST_CLOCK_TIME_IS_VALID(self->gap_at) && pts >= self->gap_at) {
      gst_pad_push_event(pad, gst_event_new_gap(pts, 0));
      self->gap_at = GST_CLOCK_TIME_NONE;
    }
    return GST_PAD_PROBE_OK;
  }
  static GstPadProbeReturn without_tags(GstPad*, GstPadProbeInfo* info, gpointer) {
    const bool is_tag = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_TAG;
    return is_tag ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  }
  // videoflip (1.22) leaves the tag of what it has turned as it was.
  static void on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
    GstElementFactory* factory = gst_element_get_factory(element);
    const std::string name = factory ? GST_OBJECT_NAME(factory) : "";
    if (name != "h264parse" && name != "videoflip") return;
    const auto probe = [&](const char* pad_name, GstPadProbeType type, GstPadProbeCallback call) {
      GstPad* pad = gst_element_get_static_pad(element, pad_name);
      gst_pad_add_probe(pad, type, call, self, nullptr);
      gst_object_unref(pad);
    };
    if (name == "h264parse") {
      probe("sink", GST_PAD_PROBE_TYPE_BUFFER, before_parser);
      probe("src", GST_PAD_PROBE_TYPE_BUFFER, behind_parser);
    } else {
      probe("src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, without_tags);
    }
  }
};

// Writes how players shall turn the pictures into an MP4 file's track header: {a, b, c, d} of its
// matrix, the numbers that decide.
void set_display_matrix(const std::string& path, const std::array<int, 4>& matrix) {
  std::ifstream in(path, std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), {});
  const size_t header = file.find("tkhd");
  ASSERT_NE(header, std::string::npos);
  constexpr size_t kMatrix = 4 + 40;  // behind the name and what stands before the matrix
  for (int i = 0; i < 4; ++i) {
    const auto fixed = static_cast<uint32_t>(matrix[i]) << 16;
    const size_t at = header + kMatrix + 4 * (i < 2 ? i : i + 1);
    for (int byte = 0; byte < 4; ++byte)
      file[at + byte] = static_cast<char>(fixed >> (24 - 8 * byte));
  }
  std::ofstream(path, std::ios::binary) << file;
}

std::string window_text(const GstStructure* s) {
  return std::to_string(number(s, "window-start")) + ".." +
         std::to_string(number(s, "window-stop"));
}

struct VidiDecode : ElementTest {
  void SetUp() override {
    ElementTest::SetUp();
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
    return "filesrc location=" + path + " ! decodebin ! " + watching.before +
           "vidifilter name=v model-path=model " + "query=cat " + watching.properties +
           " ! fakesink sync=false";
  }

  Outcome watched(const std::string& path, const Watching& watching, bool side_by_side) {
    set_rank("vididecode", side_by_side ? G_MAXINT : GST_RANK_NONE);
    Outcome run;
    scripted::reset();
    scripted::answer_with([&](const Query&, const SeenWindow& window) {
      run.seen.pictures.push_back(window.digests);
      return std::string("none");
    });
    Injected injected{watching.turned_at, watching.gap_at};
    Pipeline pipeline(description(path, watching));
    g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(use_three), nullptr);
    g_signal_connect(pipeline.get(), "deep-element-added", G_CALLBACK(Injected::on_element),
                     &injected);
    if (!watching.before.empty())
      Injected::on_element(nullptr, nullptr, pipeline.element("flip"), &injected);
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

class KindOfFile : public VidiDecode, public testing::WithParamInterface<Film> {};

// Of every kind of file the model sees the same pictures, pixel by pixel, in the same windows. A
// kind whose encoder is not installed is skipped, and counted as that.
TEST_P(KindOfFile, SamePicturesAsAnOrdinaryDecoder) {
  const Film& film = GetParam();
  if (!can_be_made(film)) GTEST_SKIP() << "no encoder: " << film.pipeline;
  const std::string path = made(film);
  for (const Watching& watching : kWatchings) {
    Outcome run;
    expect_same(path, watching, &run);
    EXPECT_EQ(run.n_gops > 1, film.is_cut);
    if (film.is_cut) {
      EXPECT_LT(run.n_out, run.n_in / 2);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KindOfFile, testing::ValuesIn(films()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// Recordings that were joined are seen the same, too: PTS step back a little, or far; the size may
// change.
TEST_F(VidiDecode, SamePicturesOfJoinedRecordings) {
  const std::string encoder = some_h264();
  if (!can_be_made({"", encoder})) GTEST_SKIP() << "no encoder";
  if (compares_with_hardware()) GTEST_SKIP() << "the ordinary decoder is hardware";
  const auto part = [&](const std::string& name, const std::string& before) {
    std::ifstream file(made({name, before + encoder + "mpegtsmux"}), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    EXPECT_GT(bytes.size(), 10000u) << name;
    return bytes;
  };
  const std::string one = part("one", "");
  for (const char* before : {"", "videoscale ! video/x-raw,width=120,height=80 ! "}) {
    const fs::path joined = folder / "joined";
    std::ofstream(joined, std::ios::binary) << one << part("two", before) << one;
    for (const Watching& watching : kWatchings) {
      Outcome run;
      expect_same(joined, watching, &run);
      EXPECT_GT(run.n_gops, 1u);
    }
  }
}

// A stream that begins in the middle of a GOP, as after a seek, is decoded from before that.
TEST_F(VidiDecode, SamePicturesAfterASeek) {
  const std::string path = made(steady());
  expect_same(path, {"window-duration=0", 3 * GST_SECOND + 123456789});
  expect_same(path, {"window-duration=3000000000 window-stride=2000000000", 4 * GST_SECOND});
}

constexpr char kTurning[] = "videoflip name=flip video-direction=auto ! ";

// A grey film: what one colour is, is the same whichever way half-size chroma is turned.
Film grey(const Film& film) {
  return {"grey-" + film.name, "videobalance saturation=0 ! " + film.pipeline, film.is_cut};
}

// Of a file that says how to turn its pictures the model sees what a player shows, whoever decodes.
TEST_F(VidiDecode, SeesAFileAsAPlayerShowsIt) {
  const Film uncut{"uncut", "openh264enc gop-size=9999 ! h264parse ! mp4mux", false};
  for (const Film& film : {grey(steady()), grey(uncut)}) {
    const std::string path = made(film);
    const Seen stored = watched(path, {"window-duration=0"}, false).seen;
    for (const std::array<int, 4>& matrix :
         {std::array{0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}}) {
      SCOPED_TRACE(film.name + " " + std::to_string(matrix[0]) + " " + std::to_string(matrix[1]));
      set_display_matrix(path, matrix);
      const Seen shown = watched(path, {"window-duration=0", 0, kTurning}, false).seen;
      EXPECT_NE(shown.pictures, stored.pictures);
      for (const bool side_by_side : {false, true}) {
        const Outcome run = watched(path, {"window-duration=0"}, side_by_side);
        EXPECT_EQ(run.seen.pictures, shown.pictures) << side_by_side;
        EXPECT_EQ(run.n_gops > 1, side_by_side && film.is_cut);
      }
    }
  }
}

// Turned in mid-stream, each picture is seen as it is shown; also where all frames are decoded from
// some place on.
TEST_F(VidiDecode, TurnsInMidStreamWhereAPlayerDoes) {
  const std::string path = made(grey(steady()));
  const std::vector<GstClockTime> turns = {0, 2 * GST_SECOND, 5 * GST_SECOND, 8 * GST_SECOND};
  for (const GstClockTime gap_at : {GST_CLOCK_TIME_NONE, GstClockTime{6 * GST_SECOND}}) {
    const Watching watching{"window-duration=0", 0, "", turns, gap_at};
    const Watching turning{"window-duration=0", 0, kTurning, turns, gap_at};
    const Outcome shown = watched(path, turning, false);
    ASSERT_EQ(shown.seen.pictures.size(), 1u);
    const Outcome run = watched(path, watching, true);
    EXPECT_EQ(run.seen.pictures, shown.seen.pictures);
    EXPECT_EQ(watched(path, watching, false).seen.pictures, shown.seen.pictures);
    EXPECT_GT(run.n_gops, 1u);
  }
}

// A damaged file is watched to its end all the same; what is not damaged is the same. How libav
// fills in what is damaged depends on the number of its threads.
TEST_F(VidiDecode, WatchesADamagedFile) {
  if (compares_with_hardware()) GTEST_SKIP() << "the ordinary decoder is hardware";
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
  EXPECT_LE(n_different, 2 * kHoles);  // a GOP of 40 frames has two pictures at most
}

// A file that breaks off is watched up to there.
TEST_F(VidiDecode, SamePicturesOfATruncatedFile) {
  const std::string path =
      made({"truncated", "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=40 ! webmmux"});
  fs::resize_file(path, fs::file_size(path) * 2 / 3);
  expect_same(path, {"window-duration=0"});
}

// The SEGMENT that it makes anew carries the number of the seek that caused it, as an ordinary
// decoder's does; GES and gst-validate wait for that.
TEST_F(VidiDecode, TheSegmentCarriesTheSeeksNumber) {
  Pipeline pipeline("filesrc location=" + made(steady()) +
                    " ! qtdemux ! h264parse ! vididecode name=d ! vidifilter model-path=model "
                    "query=cat ! fakesink name=out sync=false");
  const auto seqnum = [&] {
    GstPad* pad = gst_element_get_static_pad(pipeline.element("d"), "src");
    GstEvent* segment = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const guint32 number = segment ? gst_event_get_seqnum(segment) : GST_SEQNUM_INVALID;
    g_clear_pointer(&segment, gst_event_unref);
    gst_object_unref(pad);
    return number;
  };
  ASSERT_TRUE(pipeline.to(GST_STATE_PAUSED));
  for (const GstClockTime to : {3 * GST_SECOND, GST_SECOND}) {
    GstEvent* seek =
        gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                           static_cast<gint64>(to), GST_SEEK_TYPE_NONE, 0);
    const guint32 number = gst_event_get_seqnum(seek);
    ASSERT_TRUE(gst_element_send_event(pipeline.get(), seek));
    ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, kLimit),
              GST_STATE_CHANGE_SUCCESS);
    EXPECT_EQ(seqnum(), number);
  }
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

// Seeking again and again while GOPs are under way ends where the last one leads.
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
