// Sound and picture of unequal extent: which is there when the other is not, and what windows hold.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

constexpr int64_t kSecond = 16000;  // samples

class Standing : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    seen_ = collect_windows();
  }
  static void push_frame(Rig& rig, double at_s, uint32_t colour, bool discont = false) {
    const auto pts = static_cast<GstClockTime>(at_s * 1e9);
    GstBuffer* buffer = rgb_frame(colour, 16, 16, pts, GST_SECOND / 10);
    if (discont) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    rig.video.push(buffer);
  }
  // The pictures of a window, and its sound: that of [start, start + length) from `from` on, and
  // silence before and behind.
  void expect_window(size_t n, const std::vector<uint32_t>& pictures) {
    ASSERT_LT(n, seen_().size());
    EXPECT_EQ(seen_()[n].frames, pictures) << "window " << n;
  }
  SeenWindows seen_;
};

// Tests push faster than any model works.
const std::string kLive = "query=cat audio-wait=100000000 overload-policy=block";

// ---- The picture begins late ----

// Sound of 10 s before the first picture is heard with it: the picture stands for the time before,
// and is counted only where it was.
TEST_F(Standing, TheFirstPictureStandsForTheSoundBeforeIt) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 14);
  rig.frames(10, 13);
  rig.end();
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}, {8, 12}, {12, 14}}));
  const auto all = rig.structures("vidi/window");
  EXPECT_EQ(number(all[0], "frames"), 0u);
  EXPECT_EQ(number(all[2], "frames"), 2u);
  const uint32_t first = colour_of(10);
  expect_window(0, {first, first, first, first});
  expect_window(2, {first, first, first, colour_of(11)});
  for (size_t i = 0; i < 3; ++i) expect_sound(seen_()[i].audio, 4 * i * kSecond, 4 * kSecond);
}

// The same when the sound comes after the picture that it is before.
TEST_F(Standing, SoundBeforeThePictureMayComeLater) {
  Rig rig({.audio = true});
  rig.play();
  rig.frames(10, 13);
  rig.sound(5, 14);
  rig.end();
  EXPECT_EQ(windows(rig), in_seconds({{5, 8}, {8, 12}, {12, 14}}));
  expect_sound(seen_()[0].audio, 5 * kSecond, 3 * kSecond);
}

// Without sound before it, a picture that begins late begins the first window.
TEST_F(Standing, WithoutSoundTheFirstWindowBeginsWithThePicture) {
  for (const bool sound_first : {true, false}) {
    Rig rig({.audio = true});
    rig.play();
    if (sound_first) rig.sound(10, 18);
    rig.frames(10, 17);
    if (!sound_first) rig.sound(10, 18);
    rig.end();
    const auto found = windows(rig);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().start, 10 * GST_SECOND);
    EXPECT_EQ(found.back().stop, 18 * GST_SECOND);
  }
}

// A film that says so with an edit list: the pictures' PTS begin at 0 in a segment that begins at
// 10 s. What is heard before has its stream time.
TEST_F(Standing, SoundBeforeAnEmptyEditIsFound) {
  scripted::answer_with([](const Query&, const scripted::SeenWindow& window) {
    return window.audio.empty() ? "none" : "0.50-0.75";
  });
  Rig rig({.properties = "query=cat merge-gap=0", .audio = true});
  ASSERT_TRUE(rig.to(GST_STATE_PLAYING));
  GstSegment segment = time_segment();
  segment.stop = 10 * GST_SECOND;
  rig.video.start(segment);
  rig.video.send(gst_event_new_gap(0, 10 * GST_SECOND));
  segment.stop = GST_CLOCK_TIME_NONE;
  segment.base = segment.time = 10 * GST_SECOND;
  rig.video.send(gst_event_new_segment(&segment));
  rig.audio->start();
  rig.sound(0, 4);
  rig.audio->eos();
  rig.frames(0, 3);
  rig.end();
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(number(results[0], "stream-time"), 2 * GST_SECOND);
  EXPECT_EQ(number(results[0], "running-time"), 2 * GST_SECOND);
  EXPECT_FALSE(gst_structure_has_field(results[0], "timestamp"));
}

// ---- The picture stands ----

// A film whose picture stands for longer than a window: each window has it, and its own sound.
TEST_F(Standing, AFilmsPictureStandsWhileSoundGoesOn) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 40);
  rig.frames(0, 4);
  rig.frames(38, 39);
  rig.end();
  ASSERT_EQ(windows(rig).size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(windows(rig)[i], seconds(4.0 * i, 4.0 * i + 4));
    expect_sound(seen_()[i].audio, 4 * i * kSecond, 4 * kSecond);
  }
  const uint32_t slide = colour_of(4);
  for (size_t i = 1; i < 9; ++i) expect_window(i, {slide, slide, slide, slide});
  expect_window(9, {slide, slide, colour_of(38), colour_of(39)});
}

// matroskademux says GAP for what its sound is ahead, and hands on the pictures of that time later:
// each is shown from its own time on.
TEST_F(Standing, PicturesBehindAGapThatCoveredThem) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 12);
  rig.video.send(gst_event_new_gap(0, 5 * GST_SECOND));
  push_frame(rig, 0, colour_of(0));
  rig.video.send(gst_event_new_gap(5 * GST_SECOND, 3 * GST_SECOND));
  push_frame(rig, 3, colour_of(3));
  push_frame(rig, 6, colour_of(6));
  rig.end();
  ASSERT_EQ(windows(rig).size(), 3u);
  const uint32_t a = colour_of(0), b = colour_of(3), c = colour_of(6);
  expect_window(0, {a, a, a, b});
  expect_window(1, {b, b, c, c});
  expect_window(2, {c, c, c, c});
}

// A slide without sound that stands for longer than a window is looked at as well.
TEST_F(Standing, ASlideWithoutSoundStands) {
  Rig rig;
  rig.play();
  rig.frames(0, 0);
  rig.frames(21, 23);
  rig.end();
  ASSERT_EQ(windows(rig).size(), 6u);
  const uint32_t slide = colour_of(0);
  for (size_t i = 0; i < 5; ++i) expect_window(i, {slide, slide, slide, slide});
}

// A camera's windows end while its picture stands, driven by its sound.
TEST_F(Standing, ACamerasSoundEndsWindows) {
  Rig rig({.properties = kLive, .audio = true, .live = true});
  rig.play();
  rig.frames(0, 1);
  rig.sound(0, 90);
  EXPECT_TRUE(wait_for_windows(rig, 20));
  expect_window(15, {colour_of(1), colour_of(1), colour_of(1), colour_of(1)});
  expect_sound(seen_()[15].audio, 60 * kSecond, 4 * kSecond);
  rig.frames(90, 92);  // no jump: the sound went on
  rig.sound(90, 93);
  rig.end();
  ASSERT_GE(windows(rig).size(), 22u);
  for (size_t i = 0; i < 22; ++i) EXPECT_EQ(windows(rig)[i], seconds(4.0 * i, 4.0 * i + 4));
}

// So they do at GAPs: of the pictures, or of the sound.
TEST_F(Standing, GapsEndWindows) {
  for (const bool of_video : {true, false}) {
    prepare();
    seen_ = collect_windows();
    Rig rig({.properties = kLive, .audio = true, .live = true});
    rig.play();
    rig.sound(0, 2);
    rig.frames(0, 1);
    for (int second = 2; second < 20; ++second) {
      GstEvent* gap = gst_event_new_gap(second * GST_SECOND, GST_SECOND);
      of_video ? rig.video.send(gap) : rig.audio->send(gap);
    }
    EXPECT_TRUE(wait_for_windows(rig, 4));
    EXPECT_EQ(windows(rig)[3], seconds(12, 16));
    rig.end();
  }
}

// A picture that comes late for a window that the sound has ended changes nothing of it, and is
// no step back.
TEST_F(Standing, LatePicturesAreNoJump) {
  Rig rig({.properties = kLive, .audio = true, .live = true});
  rig.play();
  rig.frames(0, 1);
  rig.sound(0, 11);
  EXPECT_TRUE(wait_for_windows(rig, 2));
  rig.frames(7, 12);
  rig.sound(11, 13);
  rig.end();
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}, {8, 12}, {12, 13}}));
  expect_window(2, {colour_of(1), colour_of(9), colour_of(10), colour_of(11)});
}

// ---- Time jumps ----

// Where the sound leaps with the picture, time has jumped: the window ends there.
TEST_F(Standing, SoundThatLeapsLikewiseIsAJump) {
  for (const bool live : {true, false}) {
    Rig rig({.properties = kLive, .audio = true, .live = live});
    rig.play();
    rig.sound(0, 3);
    rig.sound(50, 53);
    rig.frames(0, 2);
    rig.frames(50, 52);
    rig.end();
    EXPECT_EQ(windows(rig), in_seconds({{0, 3}, {50, 53}}));
  }
}

// DISCONT is no jump where the sound went on.
TEST_F(Standing, DiscontWhileSoundGoesOnIsNoJump) {
  for (const bool live : {true, false}) {
    Rig rig({.properties = kLive, .audio = true, .live = live});
    rig.play();
    rig.frames(0, 1);
    rig.sound(0, 32);
    push_frame(rig, 30, 5, true);
    push_frame(rig, 31, 6);
    rig.end();
    EXPECT_EQ(windows(rig).size(), 8u);
    for (size_t i = 0; i < windows(rig).size(); ++i)
      EXPECT_EQ(windows(rig)[i].start, 4 * i * GST_SECOND);
  }
}

// A camera without sound may pause for a minute; longer, and a new grid starts.
TEST_F(Standing, ASilentCameraMayPauseForAMinute) {
  for (const int next : {50, 70}) {
    Rig rig({.properties = kLive, .live = true});
    rig.play();
    rig.frames(0, 1);
    rig.frames(next, next + 1);
    rig.end();
    const auto found = windows(rig);
    if (next == 50) {
      EXPECT_EQ(found.size(), 13u);
      EXPECT_EQ(found[0], seconds(0, 4));
    } else {
      EXPECT_EQ(found, in_seconds({{0, 2}, {70, 72}}));
    }
  }
}

// ---- One picture ----

// One picture and much sound: the picture stands, the sound is asked about. By one answer for the
// whole stream, too.
TEST_F(Standing, OnePictureAndMuchSound) {
  for (const bool whole : {false, true}) {
    prepare();
    seen_ = collect_windows();
    Rig rig({.windows = whole ? "window-duration=0" : windows_of(4), .audio = true});
    rig.play();
    rig.frames(0, 0);
    rig.video.eos();
    rig.sound(0, 14);
    rig.audio->eos();
    rig.wait_end();
    if (whole) {
      EXPECT_EQ(windows(rig), in_seconds({{0, 14}}));
      expect_sound(seen_()[0].audio, 0, 14 * kSecond);
      EXPECT_EQ(seen_()[0].frames, std::vector<uint32_t>(14, colour_of(0)));
    } else {
      EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}, {8, 12}, {12, 14}}));
      expect_sound(seen_()[2].audio, 8 * kSecond, 4 * kSecond);
    }
    EXPECT_TRUE(warnings(rig).empty());
  }
}

// One picture and no sound is nothing to ask about, and said so once.
TEST_F(Standing, OnePictureWithoutSoundIsSaid) {
  Rig rig;
  rig.play();
  rig.frames(0, 0);
  rig.end();
  ASSERT_EQ(warnings(rig).size(), 1u);
  EXPECT_NE(warnings(rig)[0].find("one picture"), std::string::npos) << warnings(rig)[0];
  EXPECT_TRUE(windows(rig).empty());
}

// ---- The picture ends first ----

// The last picture stands until the sound has ended. Only then the video's EOS leaves, behind what
// was found; the sound's leaves at once. One thread may carry both.
TEST_F(Standing, TheVideosEndWaitsForTheSounds) {
  scripted::answer_with("0.25-0.50");
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 2);
  rig.frames(0, 5);
  rig.video.eos();
  EXPECT_EQ(rig.out().count("eos"), 0);
  rig.sound(2, 12);
  EXPECT_TRUE(wait_for_windows(rig, 2));  // before any end
  EXPECT_EQ(rig.out().count("eos"), 0);
  rig.sound(12, 13.5);
  rig.audio->eos();
  EXPECT_EQ(rig.audio_out().count("eos"), 1);
  ASSERT_TRUE(rig.wait_end());
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}, {8, 12}, {12, 13.5}}));
  const auto story = rig.out().story();
  EXPECT_EQ(std::count(story.begin(), story.end(), "vidi/window"), 4);
  EXPECT_EQ(story.back(), "eos");
}

// Sound that was at its end already, that nothing is linked to, or that never began keeps no video
// from its end.
TEST_F(Standing, AnEndThatNothingHoldsUp) {
  for (const char* kind : {"ended", "unlinked", "silent"}) {
    Rig rig({.properties = kLive, .audio = true});
    rig.play();
    if (kind != std::string("silent")) rig.sound(0, 3);
    if (kind == std::string("ended")) rig.audio->eos();
    rig.frames(0, 5);
    if (kind == std::string("unlinked")) rig.audio->unlink();
    rig.video.eos();
    if (kind == std::string("unlinked")) rig.audio.reset();
    EXPECT_TRUE(eventually([&] { return !rig.structures("vidi/window").empty(); }));
    EXPECT_TRUE(eventually([&] { return windows(rig).size() == 2; })) << kind;
    if (rig.audio) rig.audio->eos();
  }
}

// Sound that is taken away, or a camera's that stops without an end, ends the wait.
TEST_F(Standing, TheEndComesWhenTheSoundIsGone) {
  for (const char* kind : {"unlinked", "released", "stopped"}) {
    const bool live = kind == std::string("stopped");
    Rig rig({.properties = kLive, .audio = true, .live = live});
    rig.play();
    rig.sound(0, 3);
    rig.frames(0, 5);
    rig.video.eos();
    if (!live) {  // a camera's comes by itself, soon
      EXPECT_EQ(rig.out().count("eos"), 0) << kind;
    }
    if (kind == std::string("unlinked")) rig.audio->unlink();
    if (kind == std::string("released")) {
      rig.audio->unlink();
      gst_element_release_request_pad(rig.v(), rig.audio->peer());
    }
    EXPECT_TRUE(rig.out().wait_for("eos", 1)) << kind;
  }
}

// A flush takes an end back that waits, and what comes after it is a stream of its own. A stop ends
// the wait.
TEST_F(Standing, AFlushTakesTheEndBack) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 3);
  rig.frames(0, 5);
  rig.video.eos();
  for (Feeder* feeder : {&rig.video, rig.audio.get()}) {
    feeder->flush();
    feeder->start();
  }
  rig.sound(0, 4);
  rig.frames(0, 3);
  EXPECT_EQ(rig.out().count("eos"), 0);
  rig.video.eos();
  rig.audio->eos();
  rig.wait_end();
  EXPECT_EQ(rig.out().count("eos"), 1);
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}}));

  Rig stopped({.audio = true});
  stopped.play();
  stopped.sound(0, 3);
  stopped.frames(0, 5);
  stopped.video.eos();
  EXPECT_TRUE(stopped.to(GST_STATE_NULL));
}

// Another stream that follows takes an end back, too: what was before it is a window.
TEST_F(Standing, AnotherStreamTakesTheEndBack) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 8);
  rig.frames(0, 2);
  rig.video.eos();
  rig.video.start();
  rig.frames(8, 10);
  rig.end();
  EXPECT_EQ(rig.out().count("eos"), 1);
  EXPECT_EQ(windows(rig), in_seconds({{0, 4}, {4, 8}, {8, 11}}));
}

// A model slower than the sound holds that back, as it does a film's pictures: no window is lost,
// and few wait.
TEST_F(Standing, SoundAloneWaitsForTheModel) {
  scripted::hold(scripted::Step::kAsk);
  Rig rig({.properties = "query=cat max-pending-windows=1", .audio = true});
  rig.play();
  rig.sound(0, 3);
  rig.frames(0, 1);
  rig.video.eos();
  Background sound([&] {
    rig.sound(3, 60);
    rig.audio->eos();
  });
  EXPECT_TRUE(scripted::wait_for(scripted::Step::kAsk, 1));
  EXPECT_TRUE(eventually([&] { return rig.stat("pending") >= 3; }));
  EXPECT_LE(rig.stat("windows-submitted"), 4u);
  scripted::release(scripted::Step::kAsk);
  EXPECT_TRUE(sound.ended());
  rig.wait_end();
  EXPECT_EQ(windows(rig).size(), 15u);
}

// ---- Sound that stops ----

// A camera's windows go on when its sound stops, which is said once.
TEST_F(Standing, ACamerasSoundThatStopsIsSaidOnce) {
  for (const bool with_eos : {true, false}) {
    Rig rig({.properties = "query=cat audio-wait=1000000 overload-policy=block",
             .audio = true,
             .live = true});
    rig.play();
    rig.sound(0, 5);
    if (with_eos) rig.audio->eos();
    rig.frames(0, 20);
    EXPECT_TRUE(wait_for_windows(rig, 5));
    const auto all = rig.structures("vidi/window");
    EXPECT_TRUE(flag(all[1], "has-audio"));
    EXPECT_FALSE(flag(all[3], "has-audio"));
    ASSERT_EQ(warnings(rig).size(), 1u);
    EXPECT_NE(warnings(rig)[0].find("sound has stopped"), std::string::npos);
  }
}

// Neither a microphone that is muted (GAPs) nor a film whose sound ends is a warning.
TEST_F(Standing, SilenceIsNoWarning) {
  for (const bool live : {true, false}) {
    Rig rig({.properties = "query=cat audio-wait=1000000000 overload-policy=block",
             .audio = true,
             .live = live});
    rig.play();
    rig.sound(0, 5);
    live ? rig.audio->send(gst_event_new_gap(5 * GST_SECOND, 20 * GST_SECOND)) : rig.audio->eos();
    rig.frames(0, 20);
    EXPECT_TRUE(wait_for_windows(rig, 5));
    EXPECT_TRUE(warnings(rig).empty());
  }
}

// ---- No timestamps ----

// A camera's pictures without a PTS are of the time when they arrive; they pass as they are, and
// that is said once.
TEST_F(Standing, ACamerasPicturesWithoutPtsAreOfNow) {
  Rig rig({.properties = "query=cat frame-rate=100/1", .windows = windows_of(0.05), .live = true});
  rig.play();
  const bool analysed = eventually([&] {
    rig.video.push(rgb_frame(1, 16, 16, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE));
    return windows(rig).size() >= 2;
  });
  EXPECT_TRUE(analysed);
  // A camera that stutters has windows with a picture or none, and others that come too soon.
  const auto all = warnings(rig);
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const auto& said) { return said.find("arrival") != said.npos; }),
            1);
}

// ---- A question while the picture stands ----

// What stands can be asked about while it does.
TEST_F(Standing, WhatStandsCanBeAskedAbout) {
  scripted::answer_with("0.25-0.50");
  Rig rig({.properties = "query=cat", .windows = windows_of(60), .audio = true, .live = true});
  rig.play();
  rig.frames(0, 1);
  rig.sound(0, 20);
  EXPECT_NE(rig.ask("a horn", 8 * GST_SECOND, 12 * GST_SECOND), "");
  const GstStructure* window = rig.wait_structure("vidi/window");
  ASSERT_TRUE(window);
  EXPECT_EQ(number(window, "window-start"), 8 * GST_SECOND);
  EXPECT_EQ(number(window, "window-stop"), 12 * GST_SECOND);
  EXPECT_TRUE(flag(window, "has-audio"));
}

}  // namespace
}  // namespace vidi::test
