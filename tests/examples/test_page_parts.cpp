// The page as text, and the small pictures in it, without a browser.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "examples/page/page.h"
#include "examples/page/proxy.h"
#include "examples/page/thumbnails.h"

namespace {

Hit hit_at(GstClockTime start, const std::string& query) {
  Hit hit;
  hit.query = query;
  hit.start = start, hit.stop = start + GST_SECOND;
  return hit;
}

// What stands between a script element's tags.
std::string data_in(const std::string& page) {
  const std::string begin = "id=\"data\">";
  const size_t at = page.find(begin) + begin.size();
  return page.substr(at, page.find("</script>", at) - at);
}

// The size in the frame header of a JPEG (SOF0).
std::pair<int, int> size_of(const std::string& jpeg) {
  for (size_t at = 2; at + 9 < jpeg.size();) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(jpeg[at + i]); };
    if (byte(1) == 0xC0) return {byte(7) << 8 | byte(8), byte(5) << 8 | byte(6)};
    at += 2u + (static_cast<size_t>(byte(2)) << 8 | byte(3));
  }
  return {0, 0};
}

// Plays pictures past a Thumbnails to their end.
class ThumbnailsTest : public testing::Test {
 protected:
  void play(const std::string& source) {
    GError* error = nullptr;
    pipeline_ = gst_parse_launch((source + " ! fakesink name=sink sync=false").c_str(), &error);
    ASSERT_EQ(error, nullptr) << error->message;
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
    GstPad* pad = gst_element_get_static_pad(sink, "sink");
    thumbnails_ = std::make_unique<Thumbnails>(pad);
    gst_object_unref(pad), gst_object_unref(sink);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline_);
    constexpr auto kEnd = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    GstMessage* end = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, kEnd);
    EXPECT_EQ(GST_MESSAGE_TYPE(end), GST_MESSAGE_EOS);
    gst_message_unref(end), gst_object_unref(bus);
    gst_element_set_state(pipeline_, GST_STATE_NULL);
  }
  void TearDown() override {
    thumbnails_.reset();
    if (pipeline_) gst_object_unref(pipeline_);
  }

  std::pair<int, int> size_at(GstClockTime time) {
    return size_of(thumbnails_->of(time, time + GST_SECOND));
  }

  GstElement* pipeline_ = nullptr;
  std::unique_ptr<Thumbnails> thumbnails_;
};

TEST(PageTest, DataHoldNothingThatAnHtmlParserSees) {
  // Whatever a question says, the data are ASCII without <, > and &, and mean the same when read.
  const std::string evil = "</script><!-- & \xE2\x80\xA8 \xE2\x80\xAE \"' \xFF";
  Page page;
  page.film = evil;
  page.questions = {evil};
  page.hits = {{hit_at(0, evil), ""}};
  const std::string data = data_in(html(page));
  for (const unsigned char c : data) EXPECT_TRUE(c < 0x80 && c != '<' && c != '>' && c != '&');
  const auto read = nlohmann::json::parse(data);
  EXPECT_EQ(read["hits"][0]["query"].get<std::string>().substr(0, 14), "</script><!-- ");
}

TEST(PageTest, NamesWithMarksOfTheTemplateChangeNothing) {
  // A film that is named like a place of the template is a name like others.
  Page page;
  page.film = "{{PROXY}}{{DATA}}";
  const std::string text = html(page);
  EXPECT_NE(text.find("<title>{{PROXY}}{{DATA}}</title>"), std::string::npos);
}

TEST(PageTest, PolicyHasNoRemotePlace) {
  // The policy lets in files, data and blobs, and the page's own script and style by their hashes.
  const std::string text = html({});
  const size_t at = text.find("default-src");
  const std::string policy = text.substr(at, text.find("\">", at) - at);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find('*'), std::string::npos);
  EXPECT_EQ(policy.find("default-src 'none'"), 0u);
  EXPECT_NE(policy.find("script-src 'sha256-"), std::string::npos);
}

TEST(PageTest, UrlOfTheFilmIsRelativeToThePage) {
  // The way leads from the page's folder to the film; every byte that has a meaning in a URL is
  // escaped.
  EXPECT_EQ(relative_url("/a/b/film.mp4", "/a/b/page.html"), "film.mp4");
  EXPECT_EQ(relative_url("/a/film.mp4", "/a/b/c/page.html"), "../../film.mp4");
  EXPECT_EQ(relative_url("/a/b/c/film.mp4", "/a/page.html"), "b/c/film.mp4");
  EXPECT_EQ(relative_url("/a/x:y #1?%&\xC3\xBC\xFF.mp4", "/a/page.html"),
            "x%3Ay%20%231%3F%25%26%C3%BC%FF.mp4");
}

TEST(PageTest, UrlIsOfTheFilmBehindALink) {
  // A page in a folder that is a link leads to the film from where the folder is.
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "page.XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  fs::create_directories(fs::path(name) / "deep/pages");
  fs::create_directory_symlink(fs::path(name) / "deep/pages", fs::path(name) / "link");
  std::ofstream(fs::path(name) / "film.mp4") << "x";
  EXPECT_EQ(relative_url(name + "/film.mp4", name + "/link/page.html"), "../../film.mp4");
  fs::remove_all(name);
}

TEST(PageTest, AFilmThatIsTooLongForACopyIsSaid) {
  // Up to an hour and a half there is a copy, beyond it one sentence with both lengths.
  EXPECT_EQ(why_no_proxy({"file:///x", {}, 90 * 60 * GST_SECOND}), "");
  EXPECT_EQ(why_no_proxy({"file:///x", {}, GST_CLOCK_TIME_NONE}), "");
  const std::string why = why_no_proxy({"file:///x", {}, 2 * 3600 * GST_SECOND});
  EXPECT_NE(why.find("found one of 2:00:00"), std::string::npos) << why;
}

// A film of two seconds with sound, and a copy of it.
class ProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* needed : {"vp8enc", "vorbisenc", "webmmux"}) {
      GstElementFactory* factory = gst_element_factory_find(needed);
      if (!factory) GTEST_SKIP() << needed << " is not installed";
      gst_object_unref(factory);
    }
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string make_film(int width, int height) {
    const std::string path = folder_ + "/film.webm";
    const std::string size = "width=" + std::to_string(width) + ",height=" + std::to_string(height);
    run("webmmux name=m ! filesink location=" + path +
        " videotestsrc num-buffers=60 ! video/x-raw," + size +
        ",framerate=30/1 ! vp8enc deadline=1 cpu-used=8 ! queue ! m. audiotestsrc num-buffers=20 "
        "samplesperbuffer=4800 ! audio/x-raw,rate=48000,channels=2 ! vorbisenc ! queue ! m.");
    return "file://" + path;
  }

  static void run(const std::string& line) {
    GstElement* pipeline = gst_parse_launch(line.c_str(), nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline);
    constexpr auto kEnd = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    GstMessage* end = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, kEnd);
    EXPECT_EQ(GST_MESSAGE_TYPE(end), GST_MESSAGE_EOS);
    gst_message_unref(end), gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }

  std::string folder_ = (std::filesystem::temp_directory_path() / "proxy.XXXXXX").string();
  std::atomic<bool> interrupted_{false};
};

TEST_F(ProxyTest, BothFormsAreMade) {
  // The copy of a short film and, with fewer bits, of a long one are WebM with pictures and sound.
  const std::string film = make_film(360, 640);
  for (const GstClockTime duration : {2 * GST_SECOND, 90 * 60 * GST_SECOND}) {
    std::string webm;
    const auto ignore = [](double) {};
    EXPECT_EQ(make_proxy({film, {}, duration, 360, 640}, interrupted_, ignore, &webm), "");
    EXPECT_EQ(webm.substr(0, 4), "\x1A\x45\xDF\xA3");
    EXPECT_NE(webm.find("V_VP8"), std::string::npos);
    EXPECT_NE(webm.find("A_VORBIS"), std::string::npos);
  }
}

TEST_F(ProxyTest, CtrlCAndDamageAreSentences) {
  // Who stops the copying gets no copy; a file that is no film neither. Nothing is left behind.
  const std::string film = make_film(64, 48);
  std::string webm;
  interrupted_ = true;
  const auto ignore = [](double) {};
  EXPECT_EQ(make_proxy({film, {}}, interrupted_, ignore, &webm), "stopped before its end");
  interrupted_ = false;
  std::ofstream(folder_ + "/no.webm") << "no film";
  const std::string no_film = "file://" + folder_ + "/no.webm";
  EXPECT_NE(make_proxy({no_film, {}}, interrupted_, ignore, &webm), "");
  EXPECT_EQ(webm, "");
}

TEST_F(ThumbnailsTest, OneASecondAtMost160Wide) {
  // Of 16 pictures in four seconds four are taken, each of the film's shape.
  play(
      "videotestsrc num-buffers=16 pattern=smpte ! "
      "video/x-raw,width=640,height=360,framerate=4/1");
  EXPECT_EQ(thumbnails_->error(), "");
  EXPECT_EQ(thumbnails_->size(), 4u);
  EXPECT_EQ(size_at(0), std::pair(160, 90));
}

TEST_F(ThumbnailsTest, UprightPicturesAndOblongPixels) {
  // The longer side is 160 pixels, and pixels are made square.
  play(
      "videotestsrc num-buffers=2 ! "
      "video/x-raw,width=360,height=640,framerate=1/1,pixel-aspect-ratio=1/1");
  EXPECT_EQ(size_at(0), std::pair(90, 160));
  TearDown();
  play(
      "videotestsrc num-buffers=2 ! "
      "video/x-raw,width=720,height=576,framerate=1/1,pixel-aspect-ratio=64/45");
  EXPECT_EQ(size_at(0), std::pair(160, 90));
}

TEST_F(ThumbnailsTest, TurnedAsTheFileSays) {
  // A film that is to be turned has its pictures turned.
  play(
      "videotestsrc num-buffers=3 ! video/x-raw,width=640,height=360,framerate=1/1 ! "
      "taginject tags=\"image-orientation=rotate-90\"");
  EXPECT_EQ(size_at(2 * GST_SECOND), std::pair(90, 160));
}

TEST_F(ThumbnailsTest, ThePictureIsOfTheHit) {
  // The first one of a hit; the nearest one where the hit lies between two; the last one after all.
  play("videotestsrc num-buffers=16 pattern=ball ! video/x-raw,width=64,height=36,framerate=4/1");
  const auto at = [&](double start, double stop) {
    return thumbnails_->of(static_cast<GstClockTime>(start * GST_SECOND),
                           static_cast<GstClockTime>(stop * GST_SECOND));
  };
  const std::string first = at(0, 0.5), second = at(1, 2), third = at(2, 3);
  EXPECT_TRUE(first != second);
  EXPECT_TRUE(at(0.5, 2.5) == second);
  EXPECT_TRUE(at(1.1, 1.3) == second);
  EXPECT_TRUE(at(1.7, 1.9) == third);
  EXPECT_TRUE(at(100, 101) == at(3, 4));
}

TEST_F(ThumbnailsTest, NoPicturesNoThumbnail) {
  // Before the first picture there is none, and nobody waits for it.
  GstPad* pad = gst_pad_new("pad", GST_PAD_SINK);
  Thumbnails none(pad);
  EXPECT_EQ(none.of(0, GST_SECOND), "");
  gst_object_unref(pad);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
