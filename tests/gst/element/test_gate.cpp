// gate=motion: windows in which nothing happens are passed by and said, events go on as before.
#include <gtest/gtest.h>

#include <map>

#include "model/session.h"
#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;
using scripted::Step;

constexpr uint32_t kGrey = 0x808080, kBlack = 0;
constexpr char kMotion[] = "query=cat gate=motion gate-similarity=0.75";  // 63 of 255

// "0 gated": the index of a window, and whether the gate was closed for it.
std::vector<std::string> told_windows(Messages& messages) {
  std::vector<std::string> told;
  for (const GstStructure* s : messages.structures("vidi/window"))
    told.push_back(std::to_string(number(s, "window-index")) + (flag(s, "gated") ? " gated" : ""));
  return told;
}
using Told = std::vector<std::string>;

// "1000-2000 final": the hits, as they were told.
Told told_hits(Messages& messages) {
  Told told;
  for (const GstStructure* s : messages.structures("vidi/result")) {
    const guint64 start = number(s, "timestamp"), stop = start + number(s, "duration");
    told.push_back(std::to_string(number(s, "result-id")) + ": " +
                   std::to_string(start / GST_MSECOND) + "-" + std::to_string(stop / GST_MSECOND) +
                   (flag(s, "final") ? " final" : ""));
  }
  return told;
}

class GatedElement : public ElementTest {
 protected:
  // One picture a second in [from, to), of this colour.
  static void show(Rig& rig, int from, int to, uint32_t colour = kGrey) {
    for (int k = from; k < to; ++k)
      rig.video.push(rgb_frame(colour, 16, 16, guint64(k) * GST_SECOND, GST_SECOND));
  }
};

// What shows the same is passed by: each window is told with what was compared, counted apart from
// dropped ones, and the model is asked nothing.
TEST_F(GatedElement, QuietWindowsAreSaid) {
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 9);
  show(rig, 9, 14, kGrey + 0x202020);
  rig.end();  // the last window is partial, and so analysed
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2 gated", "3"}));
  const auto all = rig.structures("vidi/window");
  EXPECT_FALSE(gst_structure_has_field(all[0], "similarity"));
  EXPECT_EQ(real(all[1], "similarity"), 1);
  EXPECT_NEAR(real(all[2], "similarity"), 1 - 32 / 255.0, 1e-9);
  EXPECT_EQ(texts(all[1], "queries"), std::vector<std::string>{"cat"});
  EXPECT_EQ(number(all[1], "results"), 0u);
  EXPECT_EQ(number(all[1], "frames"), 4u);
  EXPECT_FALSE(gst_structure_has_field(all[1], "texts"));
  EXPECT_FALSE(gst_structure_has_field(all[1], "inference-time"));
  EXPECT_EQ(scripted::count(Step::kEncode), 2);
  EXPECT_EQ(rig.stat("windows-submitted"), 4u);
  EXPECT_EQ(rig.stat("windows-completed"), 2u);
  EXPECT_EQ(rig.stat("windows-gated"), 2u);
  EXPECT_EQ(rig.stat("windows-dropped"), 0u);
}

// So it is with a live stream, whose windows have deadlines.
TEST_F(GatedElement, OfALiveStreamToo) {
  Rig rig({.properties = std::string(kMotion) + " max-pending-windows=8", .live = true});
  rig.play();
  show(rig, 0, 9);
  show(rig, 9, 13, kBlack);
  ASSERT_TRUE(wait_for_windows(rig, 3));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2"}));
  EXPECT_EQ(rig.stat("windows-dropped"), 0u);
}

// Without a gate nothing is passed by, compared or said of one.
TEST_F(GatedElement, NoGateByDefault) {
  Rig rig;
  rig.play();
  show(rig, 0, 9);
  rig.end();
  for (const GstStructure* s : rig.structures("vidi/window")) {
    EXPECT_FALSE(gst_structure_has_field(s, "gated"));
    EXPECT_FALSE(gst_structure_has_field(s, "similarity"));
  }
  EXPECT_EQ(rig.stat("windows-gated"), 0u);
  EXPECT_EQ(scripted::count(Step::kCompare), 0);
}

// A picture that has changed opens the gate, and what it changed to is what the next ones are
// compared with; a slow change adds up.
TEST_F(GatedElement, ChangesAreAnalysed) {
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 6);
  show(rig, 6, 12, kBlack);
  for (int k = 12; k < 25; ++k) show(rig, k, k + 1, uint32_t(k - 11) * 0x080808);
  rig.end();
  // 8 of 255 a picture, 64 are a change: in eight pictures, or two windows.
  EXPECT_EQ(told_windows(rig), (Told{"0", "1", "2 gated", "3 gated", "4", "5 gated"}));
}

// A sound opens the gate though the picture stands, and so does its end.
TEST_F(GatedElement, SoundsAreAnalysed) {
  Rig rig({.properties = kMotion, .audio = true});
  rig.play();
  const auto silence = [&](int from, int to) {
    for (int k = from; k < to; ++k)
      rig.audio->push(mono_audio(0, guint64(k) * GST_SECOND, GST_SECOND));
  };
  silence(0, 10);
  rig.sound(10, 11);
  silence(11, 20);
  rig.sound(20, 32);
  silence(32, 41);
  show(rig, 0, 40);
  rig.end();
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2", "3 gated", "4 gated", "5", "6 gated",
                                     "7 gated", "8", "9 gated"}));
}

// The answer to a window by the colour of its first picture.
void answer_by_first_colour(const std::map<uint32_t, std::string>& answers) {
  scripted::answer_with([answers](const Query&, const SeenWindow& window) {
    const auto found = answers.find(window.frames.at(0));
    return found == answers.end() ? std::string("none") : found->second;
  });
}

// A hit that reached the end of the last analysed window goes on where the next analysed one finds
// it; what is told in between does not change.
TEST_F(GatedElement, AHitGoesOnAsBefore) {
  answer_by_first_colour({{kGrey, "0.50-1.00"}, {kBlack, "0.00-0.50"}});
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 16);
  show(rig, 16, 21, kBlack);
  ASSERT_TRUE(wait_for_windows(rig, 5));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2 gated", "3 gated", "4"}));
  EXPECT_EQ(told_hits(rig), (Told{"1: 2000-4000", "1: 2000-18000 final"}));
}

// Where the next analysed window does not find it, it ended where it was last seen.
TEST_F(GatedElement, AHitEndsWhereItWasSeen) {
  answer_by_first_colour({{kGrey, "0.50-1.00"}});
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 12);
  show(rig, 12, 17, kBlack);
  ASSERT_TRUE(wait_for_windows(rig, 4));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2 gated", "3"}));
  EXPECT_EQ(told_hits(rig), (Told{"1: 2000-4000", "1: 2000-4000 final"}));
}

// A window that is passed by begins no hit: the model is not asked, whatever it would say.
TEST_F(GatedElement, NoHitBeginsUnseen) {
  scripted::answer_with([](const Query&, const SeenWindow&) {
    return scripted::count(Step::kEncode) == 1 ? "none" : "0.00-1.00";
  });
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 13);
  ASSERT_TRUE(wait_for_windows(rig, 3));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2 gated"}));
  EXPECT_EQ(told_hits(rig), Told{});
}

// Other questions are answered by the next window, though it shows the same.
TEST_F(GatedElement, OtherQuestionsAreAnswered) {
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 9);
  ASSERT_TRUE(wait_for_windows(rig, 2));
  rig.set("query", "dog");
  show(rig, 9, 17);
  ASSERT_TRUE(wait_for_windows(rig, 4));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2", "3 gated"}));
}

// What is asked for is analysed: `analyze-now` ends a window, and the next one stands alone.
TEST_F(GatedElement, AnalyzeNowIsAnalysed) {
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 7);
  g_signal_emit_by_name(rig.v(), "analyze-now");
  show(rig, 7, 16);
  ASSERT_TRUE(wait_for_windows(rig, 4));
  EXPECT_EQ(told_windows(rig), (Told{"0", "1", "3", "4 gated"}));  // 2 was planned
}

// After a seek the first window is analysed.
TEST_F(GatedElement, TheFirstAfterASeekIsAnalysed) {
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 9);
  ASSERT_TRUE(wait_for_windows(rig, 2));
  rig.video.flush();
  rig.video.start();
  show(rig, 0, 9);
  ASSERT_TRUE(wait_for_windows(rig, 4));
  const auto told = told_windows(rig);
  EXPECT_EQ(told[1].substr(2), "gated");
  EXPECT_EQ(told[2].find("gated"), std::string::npos);
  EXPECT_NE(told[3].find("gated"), std::string::npos);
}

// A question about a window that was passed by is answered from its own pictures.
TEST_F(GatedElement, AQuestionAboutAQuietWindow) {
  scripted::answer_with([](const Query& query, const SeenWindow&) {
    return query.text == "dog" ? "0.25-0.50" : "none";
  });
  Rig rig({.properties = kMotion});
  rig.play();
  show(rig, 0, 9);
  ASSERT_TRUE(wait_for_windows(rig, 2));
  const std::string id = rig.ask("dog");
  ASSERT_FALSE(id.empty());
  const GstStructure* s = rig.wait_structure(
      "vidi/result", [&](const GstStructure* r) { return text(r, "query-id") == id; });
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "timestamp"), 5 * GST_SECOND);
  EXPECT_EQ(scripted::count(Step::kEncode), 2);
}

// Windows that overlap: what the analysed one had already is no change, and what is new is compared
// once.
TEST_F(GatedElement, OverlappingWindows) {
  Rig rig({.properties = kMotion, .windows = windows_of(4, 2)});
  rig.play();
  show(rig, 0, 3, kBlack);
  show(rig, 3, 13);
  ASSERT_TRUE(wait_for_windows(rig, 5));
  // The change lies in window 0, which saw it; window 1 has a part of it as well.
  EXPECT_EQ(told_windows(rig), (Told{"0", "1 gated", "2 gated", "3 gated", "4 gated"}));
}

// The lines of the side pad say what the messages say.
TEST_F(GatedElement, JsonSaysIt) {
  Rig rig({.properties = kMotion});
  Outlet& json = rig.record("json_src");
  rig.play();
  show(rig, 0, 9);
  rig.end();
  ASSERT_TRUE(json.wait_for("buffer"));
  const std::string lines = json.bytes();
  EXPECT_NE(lines.find(R"("gated":false)"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("gated":true,"similarity":1.0)"), std::string::npos) << lines;
}

}  // namespace
}  // namespace vidi::test
