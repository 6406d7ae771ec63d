// The text of an HLS playlist: segments and date ranges, what leaves and what stays.
#include <gtest/gtest.h>

#include "examples/watch/hls_playlist.h"

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kBegin = 1'795'992'924'018'400;  // 2026-11-29T22:55:24.018Z, and 400 us

HlsSegment segment(int number, int64_t duration_us = 4 * kSecond, bool discontinuity = false) {
  return {"s" + std::to_string(number) + ".ts", kBegin + number * 4 * kSecond, duration_us,
          discontinuity};
}

HlsDateRange range(const std::string& id, double start_s, double stop_s, bool closed = true) {
  return {.id = id,
          .title = "a dog",
          .question = "a dog",
          .start_us = kBegin + static_cast<int64_t>(start_s * kSecond),
          .stop_us = kBegin + static_cast<int64_t>(stop_s * kSecond),
          .confidence = 0.9,
          .closed = closed};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

HlsPlaylist with_segments(int n) {
  HlsPlaylist playlist(4, {});
  for (int i = 0; i < n; ++i) playlist.add(segment(i));
  return playlist;
}

// The tags in the order that players expect, with dates in milliseconds and exact lengths.
TEST(HlsPlaylist, IsWrittenAsTheStandardSays) {
  HlsPlaylist playlist(4, {7, 2});
  playlist.add(segment(0));
  playlist.add(segment(1, 3'960'001, true));
  EXPECT_TRUE(playlist.put(range("a-1", 4.5, 6.5004)));
  EXPECT_EQ(playlist.text(true),
            "#EXTM3U\n## vidi-watch\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:5\n"
            "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-29T22:55:24.018Z\n#EXTINF:4.000000,\ns0.ts\n"
            "#EXT-X-DATERANGE:ID=\"a-1\",CLASS=\"org.vidifilter.highlight\","
            "START-DATE=\"2026-11-29T22:55:28.518Z\",END-DATE=\"2026-11-29T22:55:30.518Z\","
            "DURATION=2.000,X-TITLE=\"a dog\",X-QUESTION=\"a dog\",X-CONFIDENCE=\"0.900\"\n"
            "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-29T22:55:28.018Z\n"
            "#EXTINF:3.960001,\ns1.ts\n#EXT-X-ENDLIST\n");
}

// An open range has no end; what it says stays when it is closed, and once closed it stays as it
// is.
TEST(HlsPlaylist, AnAttributeOnceGivenDoesNotChange) {
  HlsPlaylist playlist = with_segments(3);
  playlist.put(range("a-1", 1, 3, false));
  EXPECT_FALSE(contains(playlist.text(false), "END-DATE"));
  EXPECT_FALSE(contains(playlist.text(false), "CONFIDENCE"));  // it may change while the hit grows
  HlsDateRange grown = range("a-1", 0.5, 7);
  grown.title = "another";
  playlist.put(grown);
  const std::string closed = playlist.text(false);
  EXPECT_TRUE(contains(closed, "START-DATE=\"2026-11-29T22:55:25.018Z\""));
  EXPECT_TRUE(contains(closed, "END-DATE=\"2026-11-29T22:55:31.018Z\",DURATION=6.000"));
  EXPECT_TRUE(contains(closed, "X-TITLE=\"a dog\""));
  playlist.put(range("a-1", 1, 9));
  EXPECT_EQ(playlist.text(false), closed);
}

// Segments beyond what is kept leave, and their ranges with them; the numbers say how many.
TEST(HlsPlaylist, RangesLeaveWithTheirSegments) {
  HlsPlaylist playlist = with_segments(4);
  playlist.add(segment(4, 4 * kSecond, true));
  for (int i = 5; i < 10; ++i) playlist.add(segment(i));
  playlist.put(range("early", 1, 2));
  playlist.put(range("across", 18, 26));
  playlist.put(range("open", 2, 3, false));
  const auto gone = playlist.trim(20 * kSecond);
  ASSERT_EQ(gone.size(), 5u);
  EXPECT_EQ(gone.front().file, "s0.ts");
  const std::string text = playlist.text(false);
  EXPECT_TRUE(contains(text, "#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
  EXPECT_FALSE(contains(text, "early"));
  EXPECT_LT(text.find("across"), text.find("s5.ts"));  // begun before all of them: with the first
  EXPECT_TRUE(contains(text, "\"open\""));
  EXPECT_FALSE(playlist.put(range("late", 3, 4)));
  EXPECT_TRUE(playlist.put(range("still there", 3, 21)));
}

// One that begins after the last segment waits for its own.
TEST(HlsPlaylist, ARangeWaitsForItsSegment) {
  HlsPlaylist playlist = with_segments(3);
  playlist.put(range("a-1", 12.5, 13));
  EXPECT_FALSE(contains(playlist.text(false), "DATERANGE"));
  playlist.add(segment(3));
  EXPECT_TRUE(contains(playlist.text(false), "DATERANGE"));
}

// Three segments stay, however little is to be kept: players want as many.
TEST(HlsPlaylist, KeepsThreeSegments) {
  HlsPlaylist playlist = with_segments(9);
  EXPECT_EQ(playlist.trim(0).size(), 6u);
  EXPECT_EQ(playlist.length_us(), 12 * kSecond);
}

// What follows an earlier run's playlist counts on; what nobody of ours has written does not.
TEST(HlsPlaylist, NumbersGoOnAfterAnEarlierRun) {
  HlsPlaylist playlist(4, {7, 2});
  for (int i = 0; i < 3; ++i) playlist.add(segment(i, kSecond, i == 1));
  const auto next = numbers_after(playlist.text(false));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->media, 10u);
  EXPECT_EQ(next->discontinuity, 4u);
  for (const char* other :
       {"", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n",
        "#EXTM3U\n## vidi-watch\n", "#EXTM3U\n## vidi-watch\n#EXT-X-MEDIA-SEQUENCE:-1\n",
        "#EXTM3U\n## vidi-watch\n#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"})
    EXPECT_FALSE(numbers_after(other)) << other;
}

// Between quotes stands nothing that ends them, a line or a character.
TEST(HlsPlaylist, TextStaysInItsQuotes) {
  EXPECT_EQ(hls_text("a \"b\"\r\n#EXT\t\x1b[2J\x7f"), "a 'b'  #EXT  [2J ");
  EXPECT_EQ(hls_text("\xc2\x9b\xe2\x80\xa8\xe2\x80\xa9."), "   .");  // C1, U+2028, U+2029
  EXPECT_EQ(hls_text("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(hls_text("caf\xc3\xa9 \xe7\x8a\xac"), "caf\xc3\xa9 \xe7\x8a\xac");
  const std::string longest = hls_text(std::string(399, 'x') + "\xc3\xa9");
  EXPECT_EQ(longest, std::string(399, 'x'));  // no half character
}

}  // namespace
