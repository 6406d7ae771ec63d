#include <gtest/gtest.h>

#include "gst/windows/window_builder.h"

namespace vidi {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using AudioRange = WindowBuilder::AudioRange;
using Clock = WindowBuilder::Clock;

constexpr int64_t kChunk = 480000;

std::shared_ptr<const SampledFrame> picture(Time pts, size_t n_bytes = 12) {
  auto frame = std::make_shared<SampledFrame>();
  frame->pts = pts;
  frame->rgb.resize(n_bytes);
  return frame;
}

void sound(AudioTrack& track, int64_t start, int64_t stop, float value = 0.5f) {
  const std::vector<float> samples(static_cast<size_t>(stop - start), value);
  track.append(start, samples.data(), stop - start);
}

ClosedRange range(uint64_t window, Time start, Time stop, Time next_start = seconds(1000)) {
  return {window, start, stop, false, next_start, next_start == kForever};
}

struct WindowBuilderTest : testing::Test {
  // A window of two frames at its start and 1 s later.
  void fill(uint64_t window, Time start) {
    builder.add({window, start, start}, picture(start));
    builder.add({window, start + seconds(1), start + seconds(1)}, picture(start + seconds(1)));
  }
  void close(uint64_t window, std::optional<AudioRange> audio,
             std::optional<Clock::time_point> deadline = {}) {
    builder.close(range(window, {}, seconds(60)), audio, deadline, nullptr);
  }
  std::shared_ptr<AnalysisWindow> only_window() {
    const auto ready = builder.take_ready(now);
    EXPECT_EQ(ready.windows.size(), 1u);
    EXPECT_TRUE(ready.too_small.empty());
    return ready.windows.empty() ? nullptr : ready.windows[0];
  }

  AudioTrack track;
  WindowBuilder builder{track};
  const Clock::time_point now = Clock::now();
};

// A full chunk of an open window's sound can be had as soon as it is there, once, and the window
// gets the same object; a hole is no chunk, and a track that has ended does not go on for ever.
TEST_F(WindowBuilderTest, GivesSoundAhead) {
  EXPECT_EQ(builder.next_sound(0), nullptr);
  sound(track, 0, kChunk + 100);
  const auto first = builder.next_sound(0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->samples.size(), static_cast<size_t>(kChunk));
  EXPECT_EQ(builder.next_sound(0), nullptr);
  EXPECT_EQ(builder.n_bytes(), kChunk * sizeof(float));
  sound(track, 2 * kChunk + 1, 3 * kChunk + 5);
  track.end();
  const auto second = builder.next_sound(0);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->position, kChunk);
  EXPECT_EQ(builder.next_sound(0, 60 * kAudioRate), nullptr) << "behind the window";
  const auto third = builder.next_sound(0);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->samples.front(), 0.0f);
  EXPECT_EQ(builder.next_sound(0), nullptr);
  fill(0, {});
  close(0, AudioRange{0, 3 * kChunk});
  const auto window = only_window();
  ASSERT_TRUE(window);
  ASSERT_EQ(window->audio.size(), 3u);
  EXPECT_EQ(window->audio[0], first);
  EXPECT_EQ(window->audio[1], second);
  EXPECT_EQ(window->audio[2], third);
}

struct NowhereOrigin : StreamOrigin {
  std::optional<Time> running_time_at(Time) const override { return std::nullopt; }
};

// A window carries all that its range and its picks said, in order, doubles included.
TEST_F(WindowBuilderTest, CarriesWhatItWasGiven) {
  const auto first = picture(seconds(1)), second = picture(seconds(3));
  builder.add({7, seconds(1), seconds(1)}, first);
  builder.add({7, seconds(2), seconds(1)}, first);
  builder.add({7, seconds(3), seconds(3)}, second);
  builder.add({7, seconds(4), seconds(4)}, nullptr);
  const auto origin = std::make_shared<NowhereOrigin>();
  const auto before = Clock::now();
  builder.close({7, seconds(1), seconds(5), true, seconds(3)}, {}, {}, origin);
  EXPECT_TRUE(builder.waiting());

  const auto window = only_window();
  ASSERT_TRUE(window);
  EXPECT_EQ(window->index, 7u);
  EXPECT_EQ(window->start, seconds(1));
  EXPECT_EQ(window->stop, seconds(5));
  EXPECT_TRUE(window->partial);
  EXPECT_EQ(window->next_start, seconds(3));
  EXPECT_EQ(window->frames, (decltype(window->frames){first, first, second}));
  EXPECT_EQ(window->dropped_frames, 1u);
  EXPECT_EQ(window->origin, origin);
  EXPECT_TRUE(window->audio.empty());
  EXPECT_GE(window->closed_at, before);
  EXPECT_FALSE(builder.waiting());
  EXPECT_EQ(builder.n_bytes(), 0u);
}

// Fewer than two frames of different PTS are too few, however often one of them was picked.
TEST_F(WindowBuilderTest, TooFewFramesGoElsewhere) {
  const auto one = picture(seconds(1));
  for (int i = 0; i < 5; ++i) builder.add({0, seconds(i), seconds(1)}, one);
  builder.add({2, {}, {}}, nullptr);
  for (uint64_t window = 0; window < 3; ++window) close(window, {});
  const auto ready = builder.take_ready(now);
  EXPECT_TRUE(ready.windows.empty());
  ASSERT_EQ(ready.too_small.size(), 3u);
  EXPECT_EQ(ready.too_small[0]->frames.size(), 5u);
  EXPECT_EQ(ready.too_small[2]->dropped_frames, 1u);
}

// A window waits until its sound has passed its end, or the track has ended.
TEST_F(WindowBuilderTest, WaitsForItsSound) {
  fill(0, {});
  close(0, AudioRange{0, 1000});
  sound(track, 0, 999);
  EXPECT_TRUE(builder.take_ready(now).windows.empty());
  EXPECT_EQ(builder.next_deadline(), std::nullopt);
  sound(track, 999, 1000);
  const auto window = only_window();
  ASSERT_EQ(window->audio.size(), 1u);
  EXPECT_EQ(window->audio[0]->samples, std::vector<float>(1000, 0.5f));
  EXPECT_EQ(window->audio[0]->position, 0);

  fill(1, {});
  close(1, AudioRange{500, 5000});
  EXPECT_TRUE(builder.take_ready(now).windows.empty());
  track.end();
  EXPECT_EQ(only_window()->audio.at(0)->samples.size(), 4500u);
}

// At its deadline a window goes with the sound that is there; sound that comes later is left out,
// and its time is silence.
TEST_F(WindowBuilderTest, TheDeadlineEndsTheWait) {
  fill(0, {});
  close(0, AudioRange{0, kChunk}, now + seconds(2));
  sound(track, 0, 100);
  EXPECT_TRUE(builder.take_ready(now + milliseconds(1999)).windows.empty());
  EXPECT_EQ(builder.next_deadline(), now + seconds(2));
  const auto ready = builder.take_ready(now + seconds(2));
  ASSERT_EQ(ready.windows.size(), 1u);
  const auto& samples = ready.windows[0]->audio.at(0)->samples;
  EXPECT_EQ(samples.size(), size_t{kChunk});
  EXPECT_EQ(samples[99], 0.5f);
  EXPECT_EQ(samples[100], 0.0f);
  EXPECT_EQ(builder.next_deadline(), std::nullopt);
}

// A deadline that is set later counts for those without one only.
TEST_F(WindowBuilderTest, ALateDeadlineChangesNoOther) {
  fill(0, {});
  fill(1, {});
  close(0, AudioRange{0, 10}, now + seconds(1));
  close(1, AudioRange{0, 10});
  builder.set_deadline(now + seconds(5));
  EXPECT_EQ(builder.next_deadline(), now + seconds(1));
  EXPECT_EQ(builder.take_ready(now + seconds(1)).windows.size(), 1u);
  EXPECT_EQ(builder.next_deadline(), now + seconds(5));
  const auto ready = builder.take_ready(now + seconds(5));
  ASSERT_EQ(ready.windows.size(), 1u);
  EXPECT_TRUE(ready.windows[0]->audio.empty());  // a range without a sample is no sound
}

// A window that is complete does not overtake one that still waits.
TEST_F(WindowBuilderTest, NobodyOvertakes) {
  for (uint64_t i = 0; i < 3; ++i) fill(i, {});
  close(0, AudioRange{0, 1000});
  close(1, {});
  close(2, AudioRange{0, 500});
  sound(track, 0, 600);
  EXPECT_TRUE(builder.take_ready(now).windows.empty());
  track.advance(1000);
  const auto ready = builder.take_ready(now);
  ASSERT_EQ(ready.windows.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(ready.windows[i]->index, i);
}

// Sound is cut from the window's start into full chunks and a rest, which ends with the window,
// wherever the sound ends.
TEST_F(WindowBuilderTest, CutsSoundIntoChunks) {
  sound(track, 1000, 1000 + kChunk + 10);
  track.end();
  fill(0, {});
  close(0, AudioRange{500, 500 + 2 * kChunk + 3000});
  const auto window = only_window();
  ASSERT_EQ(window->audio.size(), 3u);
  EXPECT_EQ(window->audio[0]->samples.size(), static_cast<size_t>(kChunk));
  EXPECT_EQ(window->audio[0]->samples[499], 0.0f);
  EXPECT_EQ(window->audio[0]->samples[500], 0.5f);
  EXPECT_EQ(window->audio[1]->position, 500 + kChunk);
  EXPECT_EQ(window->audio[1]->samples.size(), size_t{kChunk});
  EXPECT_EQ(window->audio[1]->samples[509], 0.5f);
  EXPECT_EQ(window->audio[1]->samples[510], 0.0f);
  EXPECT_EQ(window->audio[2]->samples, std::vector<float>(3000, 0.0f));
}

// Holes are filled, before, between and behind; silent chunks are shared.
TEST_F(WindowBuilderTest, HolesBecomeFullChunks) {
  sound(track, 10, 20);
  sound(track, 4 * kChunk + 5, 4 * kChunk + 7);
  track.end();
  fill(0, {});
  close(0, AudioRange{0, 6 * kChunk + 9});
  const auto window = only_window();
  ASSERT_EQ(window->audio.size(), 7u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(window->audio[i]->samples.size(), size_t{kChunk});
  EXPECT_EQ(window->audio[0]->samples[15], 0.5f);
  EXPECT_EQ(window->audio[0]->samples[25], 0.0f);
  EXPECT_EQ(window->audio[1], window->audio[2]);
  EXPECT_EQ(window->audio[1], window->audio[5]);
  EXPECT_EQ(window->audio[1]->samples, std::vector<float>(kChunk, 0.0f));
  EXPECT_EQ(window->audio[4]->samples[6], 0.5f);
  EXPECT_EQ(window->audio[4]->samples[7], 0.0f);
  EXPECT_EQ(window->audio[6]->samples, std::vector<float>(9, 0.0f));
}

// Sound that begins in the last second of a window, and ends in its first: the window has sound,
// and as much of it as time.
TEST_F(WindowBuilderTest, SoundIsAsLongAsTheWindow) {
  sound(track, 59 * kAudioRate, 61 * kAudioRate);
  track.end();
  for (const uint64_t window : {0u, 1u}) {
    fill(window, {});
    const int64_t start = static_cast<int64_t>(window) * 60 * kAudioRate;
    close(window, AudioRange{start, start + 60 * kAudioRate});
    const auto found = only_window();
    ASSERT_TRUE(found);
    size_t n = 0;
    for (const auto& chunk : found->audio) n += chunk->samples.size();
    EXPECT_EQ(n, size_t{60 * kAudioRate});
  }
}

// One picture will do when there is sound: the model is shown it twice, results count it once. It
// will do without sound, too, when it stands between others.
TEST_F(WindowBuilderTest, OnePictureAndSoundAreEnough) {
  sound(track, 100, 200);
  track.end();
  builder.add({0, {}, {}}, picture({}));
  close(0, AudioRange{0, 1000});
  const auto window = only_window();
  ASSERT_TRUE(window);
  EXPECT_EQ(window->frames.size(), 2u);
  EXPECT_EQ(window->n_stand_ins, 1u);

  for (int i = 0; i < 5; ++i) builder.add({1, seconds(i), {}}, picture({}));
  ClosedRange standing = range(1, {}, seconds(5));
  standing.several = true;
  builder.close(standing, {}, {}, nullptr);
  EXPECT_TRUE(only_window());
}

// Before its first picture a window begins with the sound, at a target; without sound it begins
// with the picture, and one that has neither is nothing.
TEST_F(WindowBuilderTest, BeginsWithTheSoundOrThePicture) {
  const auto first = picture(seconds(10));
  const auto close_at = [&](uint64_t window, int start_s, int stop_s) {
    for (int i = start_s; i < stop_s; ++i) {
      builder.add({window, seconds(i), first->pts}, i < 11 ? first : picture(seconds(i)));
    }
    ClosedRange lead = range(window, seconds(start_s), seconds(stop_s));
    lead.first_frame = seconds(10);
    builder.close(lead, AudioRange{start_s * kAudioRate, stop_s * kAudioRate}, {}, nullptr);
  };
  close_at(0, -4, 4);
  close_at(1, 4, 12);
  track.advance(100 * kAudioRate);
  auto window = only_window();
  EXPECT_EQ(window->start, seconds(10));
  EXPECT_EQ(window->stop, seconds(12));
  EXPECT_EQ(window->frames.size(), 2u);
  EXPECT_EQ(window->n_stand_ins, 0u);
  EXPECT_TRUE(window->partial);
  EXPECT_TRUE(window->audio.empty());

  sound(track, 5 * kAudioRate + 100, 6 * kAudioRate);
  close_at(2, -4, 4);
  close_at(3, 4, 12);
  window = only_window();
  EXPECT_EQ(window->start, seconds(5));
  EXPECT_EQ(window->frames.size(), 7u);
  EXPECT_EQ(window->n_stand_ins, 5u);
  ASSERT_EQ(window->audio.size(), 1u);
  EXPECT_EQ(window->audio[0]->position, 5 * kAudioRate);
  EXPECT_EQ(window->audio[0]->samples.size(), size_t{7 * kAudioRate});
  EXPECT_EQ(window->audio[0]->samples[100], 0.5f);
}

// Overlapping windows share full chunks of one position; rests, other positions and chunks that
// nobody holds any more are made anew.
TEST_F(WindowBuilderTest, OverlappingWindowsShareFullChunks) {
  sound(track, 0, 4 * kChunk);
  const auto cut = [&](uint64_t window, int64_t start, int64_t stop) {
    fill(window, {});
    close(window, AudioRange{start, stop});
    return only_window()->audio;
  };
  const auto first = cut(0, 0, 2 * kChunk), second = cut(1, kChunk, 3 * kChunk + 9);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(first[1], second[0]);
  EXPECT_NE(cut(2, 5, 2 * kChunk)[0], first[0]);
  EXPECT_NE(cut(3, 3 * kChunk, 3 * kChunk + 9)[0], second[2]);
}

// A full chunk that was read before late samples came is not shared with a window that has them.
TEST_F(WindowBuilderTest, ChunksWithLateSamplesAreNotShared) {
  sound(track, 0, 100);
  sound(track, 200, 2 * kChunk);
  fill(0, {});
  fill(1, {});
  close(0, AudioRange{0, 2 * kChunk});
  const auto early = only_window();
  sound(track, 100, 200, 0.25f);
  close(1, AudioRange{0, 2 * kChunk});
  const auto late = only_window();
  EXPECT_NE(early->audio[0], late->audio[0]);
  EXPECT_EQ(early->audio[0]->samples[150], 0.0f);
  EXPECT_EQ(late->audio[0]->samples[150], 0.25f);
  EXPECT_EQ(early->audio[1], late->audio[1]);
}

// Ranges that cannot be are windows without sound.
TEST_F(WindowBuilderTest, ImpossibleRangesHaveNoSound) {
  sound(track, 0, 100);
  track.end();
  const AudioRange ranges[] = {
      {INT64_MIN, INT64_MAX}, {INT64_MIN, INT64_MIN + 5}, {100, INT64_MAX}, {50, 50}, {60, 50}};
  for (const AudioRange& each : ranges) {
    fill(0, {});
    close(0, each);
    EXPECT_TRUE(only_window()->audio.empty()) << each.start;
  }
}

// The last window of a grid makes the windows behind it forgotten, and leaves those that wait.
TEST_F(WindowBuilderTest, TheEndOfAGridForgetsWhatIsOpen) {
  for (uint64_t i = 0; i < 4; ++i) fill(i, seconds(i));
  close(0, AudioRange{0, 10});
  EXPECT_EQ(builder.n_bytes(), 8 * 12u);
  builder.close(range(1, seconds(1), seconds(2), kForever), AudioRange{0, 10}, {}, nullptr);
  EXPECT_EQ(builder.n_bytes(), 4 * 12u);
  track.end();
  EXPECT_EQ(builder.take_ready(now).windows.size(), 2u);
  EXPECT_EQ(builder.n_bytes(), 0u);
}

// Shared pictures are counted once.
TEST_F(WindowBuilderTest, CountsSharedPicturesOnce) {
  const auto shared = picture(seconds(1), 300);
  for (uint64_t window = 0; window < 3; ++window) builder.add({window, {}, {}}, shared);
  builder.add({0, {}, {}}, picture(seconds(2), 50));
  EXPECT_EQ(builder.n_bytes(), 350u);
}

// clear() forgets windows, pictures and chunks: after a flush positions mean something else.
TEST_F(WindowBuilderTest, ClearForgetsEverything) {
  fill(0, {});
  close(0, AudioRange{0, 10}, now);
  fill(1, {});
  builder.clear();
  EXPECT_FALSE(builder.waiting());
  EXPECT_EQ(builder.next_deadline(), std::nullopt);
  EXPECT_EQ(builder.n_bytes(), 0u);
  EXPECT_EQ(builder.snapshot({}, kForever, {}), nullptr);
  close(1, {});
  EXPECT_EQ(builder.take_ready(now).too_small.size(), 1u);
}

// Sound is needed from the earliest waiting window on, or from where the open ones start.
TEST_F(WindowBuilderTest, TellsWhichSoundIsNeeded) {
  EXPECT_EQ(builder.audio_needed_from(77), 77);
  close(0, {});
  close(1, AudioRange{50, 100});
  close(2, AudioRange{70, 120});
  EXPECT_EQ(builder.audio_needed_from(77), 50);
  EXPECT_EQ(builder.audio_needed_from(20), 20);
}

// A snapshot holds what was on show at each kept target of its range, and reaches as far as they
// do.
TEST_F(WindowBuilderTest, SnapshotTakesWhatIsKept) {
  for (const uint64_t window : {4u, 5u}) {
    for (int i = 0; i < 4; ++i) {
      builder.add({window, seconds(10 + i), seconds(10 + i)}, picture(seconds(10 + i)));
    }
  }
  close(4, AudioRange{0, 100 * kAudioRate});
  sound(track, 5 * kAudioRate, 20 * kAudioRate);
  const AudioRange audio{7 * kAudioRate, 13 * kAudioRate};  // of PTS 7 s to 13 s
  const auto window = builder.snapshot(seconds(7), seconds(13), audio);
  ASSERT_TRUE(window);
  ASSERT_EQ(window->frames.size(), 3u);
  EXPECT_EQ(window->frames[0]->pts, seconds(10));
  EXPECT_EQ(window->start, seconds(10));
  EXPECT_EQ(window->stop, seconds(13));
  EXPECT_EQ(window->next_start, kForever);
  ASSERT_EQ(window->audio.size(), 1u);
  EXPECT_EQ(window->audio[0]->position, 10 * kAudioRate);
  EXPECT_EQ(window->audio[0]->samples.size(), size_t{3 * kAudioRate});

  EXPECT_EQ(builder.snapshot({}, kForever, {})->stop, seconds(14));  // one interval behind the last
  EXPECT_EQ(builder.snapshot(Time::min(), kForever, audio)->frames.size(), 4u);
  EXPECT_EQ(builder.snapshot(seconds(13), seconds(20), {}), nullptr);
  EXPECT_EQ(builder.snapshot(seconds(20), seconds(10), {}), nullptr);
  EXPECT_TRUE(builder.waiting());
}

// A picture that stood in the range that is asked about is in the snapshot for all of it; with
// nothing else it needs sound, of which as much is given as there is time.
TEST_F(WindowBuilderTest, SnapshotHoldsWhatStands) {
  const auto slide = picture(seconds(3));
  for (int i = 10; i < 16; ++i) builder.add({0, seconds(i), seconds(3)}, slide);
  const AudioRange audio{10 * kAudioRate, 16 * kAudioRate};
  EXPECT_EQ(builder.snapshot(seconds(10), seconds(16), audio), nullptr);
  sound(track, 11 * kAudioRate, 12 * kAudioRate);
  const auto window = builder.snapshot(seconds(10), seconds(16), audio);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->frames.size(), 6u);
  EXPECT_EQ(window->start, seconds(10));
  EXPECT_EQ(window->stop, seconds(16));
  ASSERT_EQ(window->audio.size(), 1u);
  EXPECT_EQ(window->audio[0]->samples.size(), size_t{6 * kAudioRate});
}

}  // namespace
}  // namespace vidi
