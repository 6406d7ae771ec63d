// What the programs see of a container beside its demuxer: headers of MP4 files, packets of
// transport streams, joined recordings.
#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "examples/ask/transport_check.h"
#include "examples/common/joined_times.h"
#include "examples/common/movie_header.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes number(uint64_t value, size_t width) {
  Bytes bytes;
  for (size_t i = 0; i < width; ++i)
    bytes.push_back(static_cast<uint8_t>(value >> 8 * (width - 1 - i)));
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes text(const std::string& letters) { return Bytes(letters.begin(), letters.end()); }

// ---- MP4 ----

Bytes box(const char* type, const Bytes& content) {
  return number(8 + content.size(), 4) + text(type) + content;
}

Bytes clock(const char* type, bool wide, uint64_t scale, uint64_t duration) {
  const size_t width = wide ? 8 : 4;
  return box(type, number(wide ? 1 : 0, 1) + number(0, 3) + number(0, 2 * width) +
                       number(scale, 4) + number(duration, width) + number(0, 4));
}

Bytes track(const char* handler, const Bytes& media_clock) {
  return box("trak", box("tkhd", number(0, 20)) +
                         box("mdia", media_clock + box("hdlr", number(0, 8) + text(handler))));
}

bool holds(const Bytes& all, const Bytes& part) {
  return std::search(all.begin(), all.end(), part.begin(), part.end()) != all.end();
}

// A track shorter than a quarter of the film is told to be as long as it, whatever its clock and
// version; all others, and what is no picture and no sound, keep theirs.
TEST(MovieHeader, ShortTracksBecomeAsLongAsTheFilm) {
  const Bytes film = clock("mvhd", false, 1000, 40'000);
  const Bytes long_one = track("vide", clock("mdhd", false, 90'000, 20 * 90'000));
  const Bytes short_one = track("soun", clock("mdhd", false, 48'000, 6 * 48'000));
  const Bytes wide_one = track("vide", clock("mdhd", true, 25, 1));
  const Bytes subtitles = track("text", clock("mdhd", false, 1000, 1));
  Bytes moov = box("moov", film + long_one + short_one + wide_one + subtitles);
  const MovieTracks tracks = mend_movie_header(moov.data(), moov.size());
  EXPECT_EQ(tracks.pictures, 2);
  EXPECT_EQ(tracks.sounds, 1);
  EXPECT_TRUE(holds(moov, long_one));
  EXPECT_TRUE(holds(moov, track("soun", clock("mdhd", false, 48'000, 40 * 48'000))));
  EXPECT_TRUE(holds(moov, track("vide", clock("mdhd", true, 25, 40 * 25))));
  EXPECT_TRUE(holds(moov, subtitles));
}

// Boxes that are longer than their place, empty or cut off anywhere: nothing outside is touched.
TEST(MovieHeader, AnyBytesAreRead) {
  const Bytes whole = box("moov", clock("mvhd", false, 1000, 40'000) +
                                      track("soun", clock("mdhd", false, 48'000, 48'000)));
  for (size_t n = 0; n <= whole.size(); ++n) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n));
    mend_movie_header(cut.data(), cut.size());
    EXPECT_EQ(cut.size(), n);
    Bytes odd = whole;
    if (n < odd.size()) odd[n] = 0xff;
    mend_movie_header(odd.data(), odd.size());
  }
}

// ---- Transport streams ----

Bytes packet(unsigned pid, const Bytes& payload) {
  Bytes bytes = {0x47, static_cast<uint8_t>(0x40 | pid >> 8), static_cast<uint8_t>(pid), 0x10};
  bytes = bytes + payload;
  bytes.resize(188, 0xff);
  return bytes;
}

Bytes stamped(unsigned pid, double seconds) {
  const auto t = static_cast<uint64_t>(seconds * 90'000) & ((uint64_t{1} << 33) - 1);
  const Bytes stamp = {static_cast<uint8_t>(0x21 | (t >> 29 & 0x0e)), static_cast<uint8_t>(t >> 22),
                       static_cast<uint8_t>(1 | (t >> 14 & 0xfe)), static_cast<uint8_t>(t >> 7),
                       static_cast<uint8_t>(1 | t << 1)};
  return packet(pid, Bytes{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5} + stamp);
}

Bytes stream(double from_s, double to_s, double step_s) {
  Bytes bytes;
  for (double s = from_s; s < to_s + step_s / 2; s += step_s) bytes = bytes + stamped(256, s);
  return bytes + packet(17, {}) + packet(17, {}) + packet(17, {}) + packet(17, {}) + packet(17, {});
}

double extent_s(const TransportCheck& check, unsigned pid) {
  const auto extent = check.extent(pid);
  return extent ? static_cast<double>(*extent) / GST_SECOND : -1;
}

// How long a track is by its own stamps: in pieces of any size, over the clock's end, whatever the
// packets' size; bytes that come twice, or not in order, count once.
TEST(TransportCheck, KnowsHowLongATrackIs) {
  for (const size_t piece : {1u, 100u, 188u, 5000u}) {
    const Bytes bytes = stream(95'440, 95'460, 0.4);  // 2^33 is at 95,443.7 s
    TransportCheck check;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      check.feed(at, {bytes.data() + at, std::min(piece, bytes.size() - at)});
      check.feed(0, {bytes.data(), std::min(piece, bytes.size())});
      check.feed(at + 50'000'000, {bytes.data(), 188});
    }
    EXPECT_NEAR(extent_s(check, 256), 20, 0.01) << piece;
    EXPECT_EQ(extent_s(check, 257), -1);
    EXPECT_EQ(check.damaged(), 0);
  }
}

// A hole is part of it; a step back, as where recordings were joined, means that nothing is known.
TEST(TransportCheck, AStepBackIsNoLength) {
  TransportCheck hole, back;
  const Bytes a = stream(0, 10, 0.5), later = stream(30, 40, 0.5), again = stream(9, 20, 0.5);
  const Bytes with_hole = a + later, joined = a + again;
  hole.feed(0, with_hole);
  back.feed(0, joined);
  EXPECT_NEAR(extent_s(hole, 256), 40, 0.01);
  EXPECT_EQ(extent_s(back, 256), -1);
}

// Bytes that are no packets are counted, also where they are full of sync bytes; packets of Blu-ray
// discs are packets.
TEST(TransportCheck, CountsWhatIsNoPacket) {
  const Bytes a = stream(0, 50, 0.5), b = stream(50, 100, 0.5);
  for (const Bytes& junk : {Bytes(10'001, 0), Bytes(10'001, 0x46)}) {
    TransportCheck check;
    const Bytes damaged = a + junk + b;
    check.feed(0, damaged);
    EXPECT_NEAR(check.damaged(), 10'001.0 / static_cast<double>(damaged.size()), 0.01);
    EXPECT_NEAR(extent_s(check, 256), 100, 0.01);
  }
  Bytes disc;
  for (size_t at = 0; at < a.size(); at += 188)
    disc =
        disc + Bytes(4, 0) +
        Bytes(a.begin() + static_cast<ptrdiff_t>(at), a.begin() + static_cast<ptrdiff_t>(at) + 188);
  TransportCheck check;
  check.feed(0, disc);
  EXPECT_LT(check.damaged(), 0.001);
  EXPECT_NEAR(extent_s(check, 256), 50, 0.01);
}

// ---- Joined recordings ----

// A demuxer with two pads that hand on what is pushed.
class Demuxer {
 public:
  Demuxer() : element_(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("demuxer")))) {
    joined_.watch(element_);
  }
  ~Demuxer() {
    gst_element_set_state(element_, GST_STATE_NULL);
    gst_object_unref(element_);
  }
  GstPad* pad(const char* name) {
    GstPad* pad = gst_pad_new(name, GST_PAD_SRC);
    gst_pad_set_active(pad, TRUE);
    gst_element_add_pad(element_, pad);
    gst_pad_push_event(pad, gst_event_new_stream_start(name));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad, gst_event_new_segment(&segment));
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
    return pad;
  }
  // The time in seconds that it leaves with.
  double push(GstPad* pad, double pts_s, bool is_key = true) {
    GstBuffer* buffer = gst_buffer_new();
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(pts_s * GST_SECOND);
    GST_BUFFER_DURATION(buffer) = GST_SECOND / 2;
    if (!is_key) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    gst_pad_push(pad, buffer);
    return static_cast<double>(last_) / GST_SECOND;
  }

 private:
  static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo* info, gpointer self) {
    static_cast<Demuxer*>(self)->last_ = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }

  JoinedTimes joined_;
  GstElement* element_;
  GstClockTime last_ = 0;
};

// Every part goes on where the longer track of the part before it ended, for both tracks alike,
// whichever comes first; pictures that are stored out of order are no new part.
TEST(JoinedTimes, GoOn) {
  gst_init(nullptr, nullptr);
  Demuxer demuxer;
  GstPad *video = demuxer.pad("video"), *audio = demuxer.pad("audio");
  EXPECT_EQ(demuxer.push(video, 0), 0);
  EXPECT_EQ(demuxer.push(video, 15, false), 15);
  EXPECT_EQ(demuxer.push(video, 5, false), 5);
  EXPECT_EQ(demuxer.push(video, 19.5), 19.5);
  EXPECT_EQ(demuxer.push(audio, 18), 18);
  EXPECT_EQ(demuxer.push(video, 0.25), 20.25);  // 19.5 and 0.5 long
  EXPECT_EQ(demuxer.push(audio, 18.5), 18.5);   // still of the first part
  EXPECT_EQ(demuxer.push(audio, 0), 20);
  EXPECT_EQ(demuxer.push(audio, 9.5), 29.5);
  EXPECT_EQ(demuxer.push(audio, 0), 30);  // a third part, by the other track
  EXPECT_EQ(demuxer.push(video, 6), 26);
  EXPECT_EQ(demuxer.push(video, 1), 31);
}

}  // namespace
