// The sound of windows: exactly that of their time, whenever it comes.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

constexpr int64_t kSecond = 16000;  // samples

// The window that starts at this second was analysed.
const GstStructure* window_at(Rig& rig, guint64 second) {
  return rig.wait_structure("vidi/window", [=](const GstStructure* s) {
    return number(s, "window-start") == second * GST_SECOND;
  });
}

class Sound : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    seen_ = collect_windows();
  }
  // Sound up to this sample, and silence behind it to the window's end.
  static void expect_sound_then_silence(const std::vector<float>& samples, int64_t position,
                                        int64_t n_sound, int64_t n_samples) {
    ASSERT_EQ(static_cast<int64_t>(samples.size()), n_samples);
    expect_sound({samples.begin(), samples.begin() + n_sound}, position, n_sound);
    for (int64_t i = n_sound; i < n_samples; ++i) ASSERT_EQ(samples[i], 0) << i;
  }
  std::vector<float> heard(size_t window) {
    const auto windows = seen_();
    if (window < windows.size()) return windows[window].audio;
    ADD_FAILURE() << "no window " << window;
    return {};
  }
  SeenWindows seen_;
};

// Each window is heard from its first to its last sample, the last one up to the sound's end.
TEST_F(Sound, IsThatOfTheWindowsTime) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 12);
  rig.frames(0, 9);
  rig.end();
  ASSERT_EQ(seen_().size(), 3u);
  expect_sound(heard(0), 0, 4 * kSecond);
  expect_sound(heard(1), 4 * kSecond, 4 * kSecond);
  expect_sound(heard(2), 8 * kSecond, 4 * kSecond);
  for (const GstStructure* s : rig.structures("vidi/window")) {
    EXPECT_TRUE(flag(s, "has-audio"));
  }
}

// Overlapping windows each hear all of their own time.
TEST_F(Sound, OverlappingWindowsShareIt) {
  Rig rig({.windows = windows_of(4, 2), .audio = true});
  rig.play();
  for (int k = 0; k < 9; ++k) {
    rig.sound(k, k + 1);
    rig.frames(k, k);
  }
  rig.end();
  ASSERT_GE(seen_().size(), 3u);
  for (size_t n = 0; n < 3; ++n) expect_sound(heard(n), 2 * n * kSecond, 4 * kSecond);
}

// A window of a file waits for its sound, however late; the video flows on meanwhile.
TEST_F(Sound, FileWaitsForLateSound) {
  Rig rig({.properties = "query=cat audio-wait=0", .audio = true});
  rig.play();
  rig.sound(0, 1);
  rig.frames(0, 11);
  EXPECT_EQ(rig.out().count("buffer"), 12);
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);  // 12 frames: two windows are full
  rig.sound(1, 4);
  EXPECT_TRUE(flag(window_at(rig, 0), "has-audio"));
  EXPECT_EQ(rig.stat("windows-submitted"), 1u);
  rig.sound(4, 8);
  window_at(rig, 4);
  expect_sound(heard(0), 0, 4 * kSecond);
  expect_sound(heard(1), 4 * kSecond, 4 * kSecond);
}

// A demuxer with one thread, its sound 20 s behind the pictures, comes to its end: nothing waits on
// the video's thread, though the policy is to block and many windows are full.
TEST_F(Sound, OneDemuxerThreadWithSoundFarBehindDoesNotHang) {
  Rig rig({.properties = "query=cat max-pending-windows=1 overload-policy=block", .audio = true});
  rig.play();
  rig.within_limit([&] {
    for (int k = 0; k < 60; ++k) {
      rig.frames(k, k);
      if (k >= 20) rig.sound(k - 20, k - 19);
    }
    rig.sound(40, 60);
  });
  rig.end();
  ASSERT_EQ(seen_().size(), 15u);
  for (size_t n = 0; n < 15; ++n) expect_sound(heard(n), 4 * n * kSecond, 4 * kSecond);
}

// A live window waits audio-wait for its sound, then goes with what is there.
TEST_F(Sound, LiveWindowWaitsNoLongerThanTold) {
  Rig rig({.properties = "query=cat audio-wait=100000000", .audio = true, .live = true});
  rig.play();
  rig.sound(0, 1.5);
  rig.frames(0, 5);
  const GstStructure* window = window_at(rig, 0);
  EXPECT_TRUE(flag(window, "has-audio"));
  EXPECT_GE(number(window, "delay"), 100 * GST_MSECOND);
  expect_sound_then_silence(heard(0), 0, kSecond * 3 / 2, 4 * kSecond);
}

// A live window whose sound comes within audio-wait has all of it.
TEST_F(Sound, LiveSoundWithinTheWaitIsHeard) {
  Rig rig({.properties = "query=cat audio-wait=3600000000000", .audio = true, .live = true});
  rig.play();
  rig.frames(0, 7);
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);
  rig.sound(0, 4);
  window_at(rig, 0);
  expect_sound(heard(0), 0, 4 * kSecond);
}

// Sound that comes long before its pictures is kept for them.
TEST_F(Sound, EarlySoundIsKept) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 40);
  rig.audio->eos();
  rig.frames(0, 39);
  rig.video.eos();
  rig.wait_end();
  ASSERT_EQ(seen_().size(), 10u);
  for (size_t n = 0; n < 10; ++n) expect_sound(heard(n), 4 * n * kSecond, 4 * kSecond);
}

// Where sound ends early there is silence up to the window's end, so that no time is stretched;
// windows behind it have none and do not wait.
TEST_F(Sound, ShortSoundIsFilledUp) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 2.5);
  rig.audio->eos();
  rig.frames(0, 9);
  EXPECT_TRUE(flag(window_at(rig, 0), "has-audio"));
  EXPECT_FALSE(flag(window_at(rig, 4), "has-audio"));
  expect_sound_then_silence(heard(0), 0, kSecond * 5 / 2, 4 * kSecond);
  EXPECT_TRUE(heard(1).empty());
}

// Without an audio pad, windows have no sound and nothing waits for it.
TEST_F(Sound, NoPadNoSound) {
  Rig rig;
  rig.play();
  rig.frames(0, 5);
  EXPECT_FALSE(flag(window_at(rig, 0), "has-audio"));
  EXPECT_TRUE(heard(0).empty());
}

// An audio pad that nothing is linked to is like none.
TEST_F(Sound, UnlinkedPadIsNotWaitedFor) {
  Rig rig;
  GstPad* pad = gst_element_request_pad_simple(rig.v(), "audio_sink");
  ASSERT_TRUE(pad);
  rig.play();
  rig.frames(0, 5);
  EXPECT_FALSE(flag(window_at(rig, 0), "has-audio"));
  gst_object_unref(pad);
}

// A linked pad that never gets data is waited for until the video ends, then audio-wait.
TEST_F(Sound, LinkedPadWithoutDataEndsWithTheVideo) {
  Rig rig({.properties = "query=cat audio-wait=100000000", .audio = true});
  rig.play();
  rig.frames(0, 9);
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);
  rig.within_limit([&] { rig.video.eos(); });
  for (const guint64 start : {0, 4, 8}) EXPECT_FALSE(flag(window_at(rig, start), "has-audio"));
  rig.audio->eos();
  rig.wait_end();
}

// A live pad that never gets data costs a window audio-wait, not more.
TEST_F(Sound, LivePadWithoutDataIsWaitedForOnce) {
  Rig rig({.properties = "query=cat audio-wait=1000000", .audio = true, .live = true});
  rig.play();
  rig.frames(0, 9);
  EXPECT_FALSE(flag(window_at(rig, 0), "has-audio"));
  EXPECT_FALSE(flag(window_at(rig, 4), "has-audio"));
}

// A sound card's clock that runs 1 % slow: samples stay within 40 ms of their timestamps.
TEST_F(Sound, DriftingClockStaysNearItsTimestamps) {
  Rig rig({.audio = true});
  rig.play();
  constexpr GstClockTime kStep = 101 * GST_MSECOND;  // for buffers that hold 100 ms
  for (int i = 0; i < 130; ++i) {
    GstBuffer* buffer = mono_audio(static_cast<int16_t>(100 * (i + 1)), i * kStep, GST_SECOND / 10);
    rig.audio->push(buffer);
  }
  rig.frames(0, 12);
  window_at(rig, 8);
  for (size_t n = 0; n < 3; ++n) {
    const auto samples = heard(n);
    ASSERT_EQ(static_cast<int64_t>(samples.size()), 4 * kSecond);
    for (size_t i = 0; i < samples.size(); i += 100) {
      if (samples[i] == 0) continue;  // where the clock was set right
      const double now = 4.0 * n + i / 16000.0;
      const double said = (std::round(samples[i] * 327.68) - 1) * 0.101;
      EXPECT_GE(now, said - 0.045);
      EXPECT_LE(now, said + 0.1 + 0.045);
    }
  }
}

// Missing sound is zeros, from 40 ms on; a smaller gap of timestamps is none.
TEST_F(Sound, HolesBecomeZeros) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 1);
  rig.sound(2, 3);
  rig.audio->push(sound_buffer(3 * kSecond, kSecond, 3 * GST_SECOND + 20 * GST_MSECOND));
  rig.sound(4, 5);
  rig.frames(0, 4);
  window_at(rig, 0);
  const auto samples = heard(0);
  ASSERT_EQ(static_cast<int64_t>(samples.size()), 4 * kSecond);
  expect_sound({samples.begin(), samples.begin() + kSecond}, 0, kSecond);
  for (int64_t i = kSecond; i < 2 * kSecond; ++i) ASSERT_EQ(samples[i], 0) << i;
  expect_sound({samples.begin() + 2 * kSecond, samples.end()}, 2 * kSecond, 2 * kSecond);
}

// A GAP event is silence: in the middle it is zeros, and what it covers is not waited for.
TEST_F(Sound, GapEventsAreSilence) {
  Rig rig({.audio = true});
  rig.play();
  rig.sound(0, 1);
  rig.audio->send(gst_event_new_gap(GST_SECOND, 2 * GST_SECOND));
  rig.sound(3, 4);
  rig.audio->send(gst_event_new_gap(4 * GST_SECOND, 4 * GST_SECOND));
  rig.frames(0, 8);
  EXPECT_TRUE(flag(window_at(rig, 0), "has-audio"));
  EXPECT_FALSE(flag(window_at(rig, 4), "has-audio"));
  const auto samples = heard(0);
  ASSERT_EQ(static_cast<int64_t>(samples.size()), 4 * kSecond);
  for (int64_t i = kSecond; i < 3 * kSecond; ++i) ASSERT_EQ(samples[i], 0) << i;
  expect_sound({samples.begin() + 3 * kSecond, samples.end()}, 3 * kSecond, kSecond);
}

// Two segments of different start and base are aligned by running time.
TEST_F(Sound, OwnSegmentIsAlignedByRunningTime) {
  Rig rig({.audio = true});
  rig.play();
  GstSegment segment = time_segment(100 * GST_SECOND);
  segment.base = GST_SECOND;  // the sound begins one second behind the pictures
  rig.audio->send(gst_event_new_segment(&segment));
  for (int i = 0; i < 80; ++i) {
    const GstClockTime pts = 100 * GST_SECOND + i * GST_SECOND / 10;
    rig.audio->push(sound_buffer(1600 * i, 1600, pts));
  }
  rig.frames(0, 8);
  window_at(rig, 4);
  const auto first = heard(0);
  ASSERT_EQ(static_cast<int64_t>(first.size()), 4 * kSecond);
  EXPECT_EQ(first[kSecond - 1], 0);
  expect_sound({first.begin() + kSecond, first.end()}, 0, 3 * kSecond);
  expect_sound(heard(1), 3 * kSecond, 4 * kSecond);
}

struct Form {
  const char* format;
  int rate, channels;
};
class SoundOfForm : public Sound, public testing::WithParamInterface<Form> {};

// Whatever the format, the rate and the channels, a window of 4 s has 64000 samples of that level.
TEST_P(SoundOfForm, IsHeardAsSixteenKilohertzMono) {
  const Form form = GetParam();
  const std::string caps = std::string("audio/x-raw,layout=interleaved,format=") + form.format +
                           ",rate=" + std::to_string(form.rate) +
                           ",channels=" + std::to_string(form.channels) +
                           (form.channels > 2 ? ",channel-mask=(bitmask)0x0" : "");
  Rig rig({.audio = true, .audio_caps = caps});
  rig.play();
  const bool is_float = std::string(form.format) == "F32LE";
  const int n = form.rate / 10;
  for (int i = 0; i < 50; ++i) {
    const std::vector<float> floats(n * form.channels, 0.5f);
    const std::vector<int16_t> integers(n * form.channels, 16384);
    GstBuffer* buffer = is_float
                            ? gst_buffer_new_memdup(floats.data(), floats.size() * sizeof(float))
                            : gst_buffer_new_memdup(integers.data(), integers.size() * 2);
    GST_BUFFER_PTS(buffer) = i * GST_SECOND / 10;
    GST_BUFFER_DURATION(buffer) = GST_SECOND / 10;
    rig.audio->push(buffer);
  }
  rig.frames(0, 4);
  EXPECT_TRUE(flag(window_at(rig, 0), "has-audio"));
  const auto samples = heard(0);
  ASSERT_EQ(static_cast<int64_t>(samples.size()), 4 * kSecond);
  for (int64_t i = kSecond / 10; i < 4 * kSecond; ++i) ASSERT_NEAR(samples[i], 0.5, 0.005) << i;
}

INSTANTIATE_TEST_SUITE_P(Forms, SoundOfForm,
                         testing::Values(Form{"S16LE", 8000, 1}, Form{"F32LE", 44100, 2},
                                         Form{"S16LE", 48000, 6}, Form{"F32LE", 96000, 1},
                                         Form{"S16LE", 22050, 2}, Form{"F32LE", 16000, 8}),
                         [](const auto& info) {
                           return std::string(info.param.format) + "_" +
                                  std::to_string(info.param.rate) + "_" +
                                  std::to_string(info.param.channels);
                         });

}  // namespace
}  // namespace vidi::test
