// Parts of vidi-ask and vidi-watch that need no model: what a line says, what is counted.
#include <gtest/gtest.h>

#include <cstdlib>

#include "examples/ask/decoded_stream.h"
#include "examples/ask/losses.h"
#include "examples/common/text.h"
#include "examples/common/tracks.h"
#include "examples/common/warnings.h"
#include "examples/watch/sighting.h"

namespace {

// ---- Times of day ----

std::string time_in_line(gint64 unix_seconds) {
  Sighting hit;
  hit.query = "a dog";
  hit.utc_us = unix_seconds * G_USEC_PER_SEC + 300'000;
  hit.by_camera = true;
  const std::string line = text_line(hit);
  return line.substr(1, line.find("  ", 1) - 1);
}

// The hour that comes twice is told apart by its offset.
TEST(Sighting, HasTheOffsetOfItsOwnMoment) {
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  EXPECT_EQ(time_in_line(1793234400), "2026-10-29 01:40:00.3+01:00");  // after the change
  EXPECT_EQ(time_in_line(1792888200), "2026-10-25 02:30:00.3+02:00");
  EXPECT_EQ(time_in_line(1792891800), "2026-10-25 02:30:00.3+01:00");
  EXPECT_EQ(time_in_line(1774744200), "2026-03-29 01:30:00.3+01:00");
  EXPECT_EQ(time_in_line(1774746000), "2026-03-29 03:00:00.3+02:00");
  unsetenv("TZ");
  tzset();
}

// A hit is dated where its running time was now, however late it is handled; without that clock by
// what the element waited after its window.
TEST(Sighting, IsDatedByThePipelinesClock) {
  gst_init(nullptr, nullptr);
  GstStructure* result = gst_structure_from_string(
      "vidi/result,query=dog,timestamp=(guint64)21000000000,running-time=(guint64)1000000000,"
      "window-stop=(guint64)25000000000,delay=(guint64)500000000,duration=(guint64)1000000000",
      nullptr);
  ASSERT_TRUE(result);
  constexpr gint64 kNow = 1'000'000'000;  // us
  EXPECT_EQ(sighting(result, kNow, 9 * GST_SECOND).utc_us, kNow - 8 * G_USEC_PER_SEC);
  EXPECT_EQ(sighting(result, kNow, GST_CLOCK_TIME_NONE).utc_us, kNow - 4'500'000);
  EXPECT_EQ(sighting(result, kNow, GST_SECOND / 2).utc_us, kNow - 4'500'000);  // not yet
  gst_structure_free(result);
}

// ---- What may be printed ----

// Where the model runs, and what it does without there.
TEST(Text, SaysWhereTheModelRuns) {
  gst_init(nullptr, nullptr);
  for (const auto& [model, shown] : std::vector<std::pair<std::string, std::string>>{
           {"vidi/model,device=cuda:0,precision=fp16", "on cuda:0 (fp16)"},
           {"vidi/model,device=cpu,precision=fp32,why-no-gpu=(string)\"there is none\"",
            "on cpu (fp32), no GPU: there is none"},
           {"vidi/model,device=cuda:0,precision=fp16,weights=int8,why-no-kernels=(string)\"not for "
            "8.6\"",
            "on cuda:0 (fp16, int8 weights); not for 8.6"}}) {
    GstStructure* structure = gst_structure_from_string(model.c_str(), nullptr);
    ASSERT_TRUE(structure) << model;
    EXPECT_EQ(place_text(structure), shown);
    gst_structure_free(structure);
  }
}

// Advice that names a property names the option instead; other words stay.
TEST(Text, NamesOptions) {
  EXPECT_EQ(in_options("memory-limit allows 1 GB: a shorter window-duration, a lower frame-rate"),
            "--memory-limit allows 1 GB: a shorter --window, a lower --rate");
  EXPECT_EQ(in_options("--memory-limit, my-frame-rate"), "--memory-limit, my-frame-rate");
}

// No name and no password of an address, however little of it is escaped; what is none stays.
TEST(Text, HasNoCredentials) {
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"rtsp://admin:secret@cam:554/live", "rtsp://cam:554/live"},
           {"lost rtsp://admin:secret@cam/live, and http://a@b.",
            "lost rtsp://cam/live, and http://b."},
           {"rtsp://admin:se@cret@cam/live", "rtsp://cam/live"},
           {"rtsp://admin:se/cr#e?t@cam/live", "rtsp://cam/live"},
           {"rtsp://@cam/live", "rtsp://cam/live"},
           {"'rtspt://admin:secret@[::1]:554/'", "'rtspt://[::1]:554/'"},
           {"srt://cam:9?mode=caller&passphrase=top%20secret&x=1",
            "srt://cam:9?mode=caller&passphrase=***&x=1"},
           {"x://h?pwd=\u07c5\u00e0b&x=1", "x://h?pwd=***&x=1"},  // their bytes: 0x85, 0xA0
           {"http://cam/a.cgi?User=admin&PWD=secret", "http://cam/a.cgi?User=***&PWD=***"},
           {"rtsp://cam/live@2x", "rtsp://cam/live@2x"},
           {"http://cam:80/a?mail=a@b", "http://cam:80/a?mail=a@b"},
           {"http://[::1]:80/a@b", "http://[::1]:80/a@b"},
           {"me@home says a://", "me@home says a://"},
           {"://@", "://"},
           {"", ""}}) {
    EXPECT_EQ(printable(text), shown);
    EXPECT_EQ(without_credentials(text), shown);
  }
  EXPECT_EQ(printable("a\nb\033c\xff"), "a b c\xef\xbf\xbd");
  EXPECT_EQ(printable("x://h?user=" + std::string(1'000'000, 'a')), "x://h?user=***");
}

// ---- Warnings ----

GstMessage* warning(const std::string& text) {
  GError* error = g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, text.c_str());
  GstMessage* message = gst_message_new_warning(nullptr, error, "");
  g_error_free(error);
  return message;
}

// A warning is told once, whatever number is in it, and counted.
TEST(Warnings, ComeOnceAndCounted) {
  gst_init(nullptr, nullptr);
  Warnings warnings;
  size_t n_told = 0;
  for (int i = 0; i < 40; ++i) {
    GstMessage* message = warning("frame " + std::to_string(i) + " is lost.");
    n_told += !warnings.add(message).empty();
    gst_message_unref(message);
  }
  GstMessage* other = warning("the index is missing");
  EXPECT_EQ(warnings.add(other), "the index is missing");
  gst_message_unref(other);
  EXPECT_EQ(n_told, 1u);
  EXPECT_EQ(warnings.take_repeated(), std::vector<std::string>{"frame 39 is lost (39 more)"});
  EXPECT_TRUE(warnings.take_repeated().empty());
}

// Source lines and places of elements, which some messages have in them, are nobody's affair.
TEST(Warnings, HaveNoSourceLines) {
  gst_init(nullptr, nullptr);
  GstMessage* message = warning(
      "Resource not found.: ../plugins/elements/gstfilesrc.c(553): gst_file_src_start (): "
      "/GstPipeline:pipeline0/GstURIDecodeBin:source/GstFileSrc:filesrc0:\nNo such file \"/a "
      "b.ts\"");
  EXPECT_EQ(message_text(message), "Resource not found: No such file \"/a b.ts\"");
  gst_message_unref(message);
  message = warning("expected a (b): /c.d: e");
  EXPECT_EQ(message_text(message), "expected a (b): /c.d: e");
  gst_message_unref(message);
}

// ---- Which track ----

Track sound(const char* language, bool wanted, bool unwanted) {
  Track track;
  track.kind = Kind::kSound;
  track.language = language;
  track.wanted = wanted, track.unwanted = unwanted;
  track.playable = true;
  return track;
}

// The file's flags, then the order; an explicit wish beats them; what cannot be played is never
// taken.
TEST(Tracks, AreChosenByFlagsAndWishes) {
  std::vector<Track> tracks = {sound("de", false, true), sound("", false, false),
                               sound("en", true, false)};
  EXPECT_EQ(choose_track(tracks, "", ""), 2u);
  tracks[2].playable = false;
  EXPECT_EQ(choose_track(tracks, "", ""), 1u);
  EXPECT_EQ(choose_track(tracks, "ger", ""), 0u);
  EXPECT_EQ(choose_track(tracks, "German", ""), 0u);
  EXPECT_EQ(choose_track(tracks, "2", ""), 1u);
  EXPECT_EQ(choose_track(tracks, "en", ""), std::nullopt);
  EXPECT_EQ(choose_track(tracks, "0", ""), std::nullopt);
  EXPECT_EQ(choose_track(tracks, "4", ""), std::nullopt);
  EXPECT_EQ(choose_track({}, "", ""), std::nullopt);
  EXPECT_EQ(choice_text(tracks, 0), "hears track 1 of 3, German");
  EXPECT_EQ(choice_text(tracks, 1), "hears track 2 of 3");
}

// ---- What came ----

// A pad that buffers leave, as a decoder's or a demuxer's.
class Source {
 public:
  Source() {
    gst_init(nullptr, nullptr);
    pad_ = gst_pad_new("src", GST_PAD_SRC);
    gst_pad_set_active(pad_, TRUE);
    gst_pad_push_event(pad_, gst_event_new_stream_start("stream"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment_ = gst_event_new_segment(&segment);
  }
  ~Source() {
    gst_event_unref(segment_);
    gst_object_unref(pad_);
  }
  GstPad* pad() const { return pad_; }
  void begin() { gst_pad_push_event(pad_, gst_event_ref(segment_)); }
  void push(double start_s, double duration_s, gsize n_bytes = 1) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, n_bytes, nullptr);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(start_s * GST_SECOND);
    GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(duration_s * GST_SECOND);
    gst_pad_push(pad_, buffer);
  }

 private:
  GstPad* pad_;
  GstEvent* segment_;
};

// A picture that stands, stored as blocks of nothing, is one that was decoded.
TEST(DecodedStream, BlocksOfNothingAreNoPictures) {
  Source decoded, coded;
  DecodedStream stream(decoded.pad(), [] {});
  stream.watch(Kind::kPicture, coded.pad());
  decoded.begin(), coded.begin();
  coded.push(0, 0.04), decoded.push(0, 0.04);
  for (int second = 3; second < 30; second += 3) coded.push(second, 3, 0);
  EXPECT_EQ(stream.seconds().lost, 0u);
  EXPECT_EQ(stream.reach() + stream.slack(), 30 * GST_SECOND);
}

// Seconds that the file holds and nobody decoded are counted, but for those before decoding began.
TEST(DecodedStream, CountsWhatWasNotDecoded) {
  Source decoded, coded;
  DecodedStream stream(decoded.pad(), [] {});
  stream.watch(Kind::kPicture, coded.pad());
  decoded.begin(), coded.begin();
  for (int i = 0; i < 320; ++i) {
    coded.push(i * 0.1, 0.1);
    if (i >= 30 && (i < 100 || i >= 200)) decoded.push(i * 0.1, 0.1);
  }
  EXPECT_EQ(stream.seconds().lost, 9u);  // 10 s, the first of them shared with what came
  EXPECT_EQ(stream.n_buffers(), 190u);
  EXPECT_FALSE(stream.stands_still());
  EXPECT_EQ(undecoded({&stream}, Kind::kPicture),
            "only 19 of 28 s of its pictures could be decoded");
}

// Sound whose pieces all have one time is told; slow or late sound is not taken for it.
TEST(DecodedStream, KnowsSoundThatStandsStill) {
  for (const double step : {0.0, 0.02, 0.5}) {
    Source decoded;
    DecodedStream stream(decoded.pad(), [] {});
    stream.watch(Kind::kSound, nullptr);
    decoded.begin();
    for (int i = 0; i < 400; ++i) decoded.push(10 + i * step, 0.02);
    EXPECT_EQ(stream.stands_still(), step == 0) << step;
    EXPECT_EQ(undecoded({&stream}, Kind::kSound).empty(), step != 0) << step;
  }
}

// A file that ends early is told; one whose last picture stands until its end is not.
TEST(Losses, ComparesWithTheStatedLength) {
  Source decoded;
  DecodedStream stream(decoded.pad(), [] {});
  stream.watch(Kind::kPicture, nullptr);
  decoded.begin();
  for (int i = 0; i < 14; ++i) decoded.push(i, 1);
  EXPECT_EQ(unread({&stream}, {}, 32 * GST_SECOND, StatedLength::kPerhaps),
            "only 14 of 32 s came, the rest is missing or damaged");
  EXPECT_EQ(unread({&stream}, {}, 32 * GST_SECOND, StatedLength::kGuessed), "");
  EXPECT_EQ(unread({&stream}, {}, 15 * GST_SECOND, StatedLength::kPerhaps), "");
  EXPECT_EQ(unread({&stream}, {}, GST_CLOCK_TIME_NONE, StatedLength::kPerhaps), "");
  decoded.push(24, 0);  // it stood for 10 s before: the last one may as well
  EXPECT_EQ(unread({&stream}, {}, 32 * GST_SECOND, StatedLength::kPerhaps), "");
}

}  // namespace
