// The ways a result leaves: events through encoders and muxers, cues, JSON lines, chapters.
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "model/session.h"
#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;
using Json = nlohmann::json;

// A file of its own for each test, removed with it.
class TemporaryFile {
 public:
  TemporaryFile() {
    gchar* name = nullptr;
    const gint file = g_file_open_tmp("vidi-XXXXXX", &name, nullptr);
    if (file >= 0) g_close(file, nullptr);
    path_ = name ? name : "";
    g_free(name);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

 private:
  std::string path_;
};

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(json.is_discarded()) << line;
    if (json.is_object()) lines.push_back(std::move(json));
  }
  return lines;
}

bool have(const std::vector<std::string>& factories) {
  return std::all_of(factories.begin(), factories.end(), is_installed);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A segment that starts at PTS 10 s, which is 2 s into the film.
GstSegment segment_at_ten() {
  GstSegment segment = time_segment(10 * GST_SECOND);
  segment.time = 2 * GST_SECOND;
  return segment;
}

constexpr char kFilm[] =
    "videotestsrc num-buffers=24 ! video/x-raw,format=I420,framerate=2/1,width=64,height=64 ! "
    "vidifilter name=v model-path=model query=\"a cat\" window-duration=4000000000 "
    "window-stride=4000000000 ";

class Carriers : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    scripted::answer_with("0.25-0.50");
  }
};

struct Chain {
  std::string name;
  std::vector<std::string> factories;
  std::string line;
};
class EventsThrough : public Carriers, public testing::WithParamInterface<Chain> {};

// Events come through converter, encoder and muxer, all of them, in order and before EOS.
TEST_P(EventsThrough, AllInOrderBeforeTheEnd) {
  if (!have(GetParam().factories)) GTEST_SKIP() << "not installed";
  Pipeline pipeline(kFilm + std::string(" ! videoconvert ! ") + GetParam().line +
                    " ! fakesink name=out sync=false");
  const auto log = log_of(pipeline.element("out"), "sink");
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  ASSERT_TRUE(pipeline.wait_eos());
  const auto results = log->structures("vidi/result");
  ASSERT_EQ(results.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(number(results[i], "timestamp"), (4 * i + 1) * GST_SECOND);
    EXPECT_EQ(text(results[i], "query"), "a cat");
  }
  EXPECT_EQ(log->count("vidi/window"), 3);
  EXPECT_EQ(log->story().back(), "eos");
}

INSTANTIATE_TEST_SUITE_P(
    Chains, EventsThrough,
    testing::Values(
        Chain{"plain", {}, "queue"},
        Chain{"vp8_webm", {"vp8enc", "webmmux"}, "vp8enc deadline=1 ! webmmux"},
        Chain{"vp8_matroska", {"vp8enc", "matroskamux"}, "vp8enc deadline=1 ! matroskamux"},
        Chain{"jpeg_matroska", {"jpegenc", "matroskamux"}, "jpegenc ! matroskamux"},
        Chain{"theora_matroska", {"theoraenc", "matroskamux"}, "theoraenc ! matroskamux"},
        Chain{"jpeg_quicktime", {"jpegenc", "qtmux"}, "jpegenc ! qtmux"},
        Chain{"x264_mp4", {"x264enc", "mp4mux"}, "x264enc tune=zerolatency ! mp4mux"},
        Chain{"openh264_mp4",
              {"openh264enc", "h264parse", "mp4mux"},
              "openh264enc ! h264parse ! mp4mux"}),
    [](const auto& info) { return info.param.name; });

// What was found of a window goes out before the next buffer, in the order of the messages.
TEST_F(Carriers, EventsComeBeforeTheNextBuffer) {
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  rig.frames(5, 5);
  const auto entries = rig.out().story();
  ASSERT_GE(entries.size(), 3u);
  EXPECT_EQ((std::vector<std::string>{entries.end() - 3, entries.end()}),
            (std::vector<std::string>{"vidi/result", "vidi/window", "buffer"}));
}

// The events of the last window come before EOS; between them are only the chapters.
TEST_F(Carriers, LastEventsComeBeforeTheEnd) {
  Rig rig;
  rig.play();
  rig.frames(0, 3);
  rig.end();
  const auto entries = rig.out().story();
  ASSERT_GE(entries.size(), 5u);
  EXPECT_EQ((std::vector<std::string>{entries.end() - 5, entries.end()}),
            (std::vector<std::string>{"buffer", "vidi/result", "vidi/window", "toc", "eos"}));
}

// Event and message carry the same structure.
TEST_F(Carriers, EventAndMessageAreTheSame) {
  Rig rig;
  rig.play();
  rig.frames(0, 7);
  rig.end();
  const auto events = rig.out().structures("vidi/result");
  const auto messages = rig.structures("vidi/result");
  ASSERT_EQ(events.size(), messages.size());
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_TRUE(gst_structure_is_equal(events[i], messages[i]));
  }
}

struct Subtitles {
  std::string encoder, times;
};
class CuesThrough : public Carriers, public testing::WithParamInterface<Subtitles> {};

// A subtitle file has each final hit once, at its stream time, whatever the segment.
TEST_P(CuesThrough, HaveTheStreamTime) {
  if (!have({GetParam().encoder})) GTEST_SKIP() << "not installed";
  TemporaryFile file;
  Rig rig({.properties = "query=\"a cat\"",
           .tail = "v.text_src ! " + GetParam().encoder +
                   " ! filesink async=false location=" + file.path()});
  rig.play();
  const GstSegment segment = segment_at_ten();
  rig.video.send(gst_event_new_segment(&segment));
  rig.frames(10, 17);
  rig.end();
  rig.to(GST_STATE_NULL);
  const std::string content = file.content();
  EXPECT_TRUE(contains(content, GetParam().times)) << content;
  EXPECT_TRUE(contains(content, "a cat"));
  size_t n_cues = 0;
  for (size_t at = 0; (at = content.find("-->", at)) != std::string::npos; ++at) ++n_cues;
  EXPECT_EQ(n_cues, 2u) << content;
}
// The hit from PTS 11 s to 12 s.
INSTANTIATE_TEST_SUITE_P(Formats, CuesThrough,
                         testing::Values(Subtitles{"webvttenc", "00:00:03.000 --> 00:00:04.000"},
                                         Subtitles{"srtenc", "00:00:03,000 --> 00:00:04,000"}),
                         [](const auto& info) { return info.param.encoder; });

// textoverlay never starves for text, whether it waits for it or not.
TEST_F(Carriers, TextOverlayRunsToTheEnd) {
  if (!have({"textoverlay"})) GTEST_SKIP() << "not installed";
  for (const char* wait : {"true", "false"}) {
    Pipeline pipeline(kFilm + std::string(" ! textoverlay name=o wait-text=") + wait +
                      " ! fakesink name=out sync=false v.text_src ! queue ! o.text_sink");
    const auto log = log_of(pipeline.element("out"), "sink");
    ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    EXPECT_TRUE(pipeline.wait_eos()) << wait;
    EXPECT_EQ(log->count("buffer"), 24) << wait;
  }
}

std::vector<GstClockTime> cues_of(const std::string& path) {
  Pipeline reader("filesrc location=" + path +
                  " ! matroskademux name=d d.subtitle_0 ! queue ! appsink name=cues sync=false "
                  "wait-on-eos=false "
                  "d.video_0 ! queue ! fakesink sync=false");
  EXPECT_NE(gst_element_set_state(reader.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_TRUE(reader.wait_eos());
  std::vector<GstClockTime> times;
  while (GstSample* sample =
             gst_app_sink_try_pull_sample(GST_APP_SINK(reader.element("cues")), 0)) {
    GstBuffer* cue = gst_sample_get_buffer(sample);  // GStreamer 1.26 writes GAPs as empty ones
    if (gst_buffer_get_size(cue) > 1) times.push_back(GST_BUFFER_PTS(cue));
    gst_sample_unref(sample);
  }
  return times;
}

// The times of the cues of a film's subtitle track. Each window's cue is in the file before the
// stream goes on, as when it is live: how far a film that is read faster runs ahead is luck.
std::vector<GstClockTime> cues_of_a_matroska_film(int n_windows, int window_seconds) {
  TemporaryFile file;
  Rig rig({.windows = windows_of(window_seconds),
           .out = "videoconvert ! jpegenc ! queue ! m. matroskamux name=m ! filesink async=false "
                  "location=" +
                  file.path(),
           .tail = "v.text_src ! m."});
  const auto log = log_of(rig.v(), "text_src");
  rig.play();
  rig.frames(0, 0);
  for (int window = 0; window + 1 < n_windows; ++window) {
    rig.frames(window * window_seconds + 1, (window + 1) * window_seconds);
    EXPECT_TRUE(log->wait_for("buffer", window + 1));
    const int n_gaps = log->count("gap");
    rig.frames((window + 1) * window_seconds + 1, (window + 1) * window_seconds + 1);
    EXPECT_TRUE(log->wait_for("gap", n_gaps + 1));  // behind the cue, so the muxer has that
  }
  rig.frames((n_windows - 1) * window_seconds + 2, n_windows * window_seconds - 1);
  rig.end();
  rig.to(GST_STATE_NULL);
  return cues_of(file.path());
}

// Cues as a subtitle track of a Matroska file come out of it again with their times.
TEST_F(Carriers, CuesAreATrackOfAFile) {
  if (!have({"matroskamux", "matroskademux", "jpegenc"})) GTEST_SKIP() << "not installed";
  EXPECT_EQ(cues_of_a_matroska_film(3, 4),
            (std::vector<GstClockTime>{GST_SECOND, 5 * GST_SECOND, 9 * GST_SECOND}));
}

// So do cues that are half a minute older than the picture: Matroska's own limit is 32.7 s.
TEST_F(Carriers, OldCuesAreATrackOfAFile) {
  if (!have({"matroskamux", "matroskademux", "jpegenc"})) GTEST_SKIP() << "not installed";
  EXPECT_EQ(cues_of_a_matroska_film(2, 30),
            (std::vector<GstClockTime>{7500 * GST_MSECOND, 37500 * GST_MSECOND}));
}

// Every JSON line is one object: `type` first, then the structure's fields with `_` and the same
// values.
TEST_F(Carriers, JsonLinesAreTheStructures) {
  TemporaryFile file;
  Rig rig({.tail = "v.json_src ! filesink async=false location=" + file.path()});
  rig.play();
  rig.frames(0, 4);  // a window, and one of a single frame
  rig.end();
  rig.to(GST_STATE_NULL);
  const std::string content = file.content();
  const auto lines = lines_of(content);
  std::multiset<std::string> types;
  for (const Json& line : lines) types.insert(line.at("type"));
  EXPECT_EQ(types, (std::multiset<std::string>{"model", "result", "window", "window-dropped"}));
  EXPECT_EQ(static_cast<size_t>(std::count(content.begin(), content.end(), '\n')), lines.size());
  std::istringstream in(content);
  for (std::string line; std::getline(in, line);) EXPECT_EQ(line.rfind("{\"type\":", 0), 0u);
  const auto result = std::find_if(lines.begin(), lines.end(),
                                   [](const Json& line) { return line.at("type") == "result"; });
  ASSERT_NE(result, lines.end());
  EXPECT_EQ(result->at("timestamp"), GST_SECOND);
  EXPECT_EQ(result->at("stream_time"), GST_SECOND);
  EXPECT_EQ(result->at("query_id"), "0");
  EXPECT_EQ(result->at("confidence"), 0.9);
  EXPECT_EQ(result->at("final"), true);
  EXPECT_FALSE(result->contains("label"));
  EXPECT_FALSE(result->contains("utc_time"));
  for (const auto& [key, value] : result->items()) EXPECT_FALSE(contains(key, "-")) << key;
}

// Quotes, newlines and broken UTF-8 in an answer stay inside one line.
TEST_F(Carriers, HostileTextStaysOneLine) {
  const std::string hostile =
      "0.25-0.50 \"}\n{\"type\":\"result\"}\n\\ \xff\xfe \x01\x02 \xe2\x80\xa8";
  scripted::answer_with(hostile);
  TemporaryFile file;
  Rig rig({.properties = "query=\"say \\\"hi\\\"\"",
           .tail = "v.json_src ! filesink async=false location=" + file.path() +
                   " v.text_src ! fakesink async=false sync=false"});
  rig.play();
  rig.frames(0, 3);
  rig.end();
  rig.to(GST_STATE_NULL);
  const auto lines = lines_of(file.content());
  size_t n_results = 0;
  for (const Json& line : lines) {
    if (line.at("type") != "result") continue;
    ++n_results;
    EXPECT_EQ(line.at("query"), "say \"hi\"");
    EXPECT_TRUE(contains(line.at("text"), "{\"type\":\"result\"}\n"));
  }
  EXPECT_EQ(n_results, rig.structures("vidi/result").size());
  EXPECT_GE(n_results, 1u);
}

// All JSON lines lie inside their segment, so that a sink that clips loses none.
TEST_F(Carriers, JsonLinesLieInTheirSegment) {
  Rig rig({.tail = "v.json_src ! appsink name=lines async=false sync=false wait-on-eos=false"});
  rig.play();
  GstSegment segment = segment_at_ten();
  segment.stop = 18 * GST_SECOND;
  rig.video.send(gst_event_new_segment(&segment));
  rig.frames(10, 17);
  rig.end();
  int n_lines = 0;
  while (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(rig.element("lines")), 0)) {
    const GstSegment* side = gst_sample_get_segment(sample);
    const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    if (GST_CLOCK_TIME_IS_VALID(pts)) {
      EXPECT_TRUE(gst_segment_clip(side, GST_FORMAT_TIME, pts, pts, nullptr, nullptr)) << pts;
    }
    ++n_lines;
    gst_sample_unref(sample);
  }
  EXPECT_GE(n_lines, 5);  // the model, two windows, two results or more
}

// One chapter a hit, sorted, in stream time, right before EOS.
TEST_F(Carriers, ChaptersComeRightBeforeTheEnd) {
  scripted::answer_with([](const Query& query, const SeenWindow&) {
    return query.text == "late" ? "0.60-0.70" : "0.10-0.20";
  });
  Rig rig({.properties = "queries=<late,early>"});
  rig.play();
  const GstSegment segment = segment_at_ten();
  rig.video.send(gst_event_new_segment(&segment));
  rig.frames(10, 17);
  rig.end();
  const auto entries = rig.out().story();
  ASSERT_GE(entries.size(), 2u);
  EXPECT_EQ(entries[entries.size() - 2], "toc");
  GstToc* toc = nullptr;
  ASSERT_EQ(rig.out().count("toc"), 1);
  gst_event_parse_toc(rig.out().events("toc")[0], &toc, nullptr);
  auto* edition = static_cast<GstTocEntry*>(gst_toc_get_entries(toc)->data);
  std::vector<std::pair<std::string, gint64>> chapters;
  for (GList* l = gst_toc_entry_get_sub_entries(edition); l; l = l->next) {
    auto* entry = static_cast<GstTocEntry*>(l->data);
    gint64 start = 0, stop = 0;
    gchar* title = nullptr;
    gst_toc_entry_get_start_stop_times(entry, &start, &stop);
    gst_tag_list_get_string(gst_toc_entry_get_tags(entry), GST_TAG_TITLE, &title);
    EXPECT_EQ(stop - start, 400 * GST_MSECOND);
    chapters.emplace_back(title ? title : "", start / GST_MSECOND);
    g_free(title);
  }
  gst_toc_unref(toc);
  EXPECT_EQ(chapters, (std::vector<std::pair<std::string, gint64>>{
                          {"early", 2400}, {"late", 4400}, {"early", 6400}, {"late", 8400}}));
}

// Without hits there are no chapters.
TEST_F(Carriers, NoHitsNoChapters) {
  scripted::answer_with("none");
  Rig rig;
  rig.play();
  rig.frames(0, 7);
  rig.end();
  EXPECT_EQ(rig.out().count("toc"), 0);
  EXPECT_EQ(rig.out().story().back(), "eos");
}

}  // namespace
}  // namespace vidi::test
