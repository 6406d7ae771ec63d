#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "gst/media/audio_track.h"

namespace vidi {
namespace {

using Samples = std::vector<float>;

void append(AudioTrack& track, int64_t position, const Samples& samples) {
  track.append(position, samples.data(), static_cast<int64_t>(samples.size()));
}

// Positions are the nearest sample, in both directions, also far from zero.
TEST(AudioTrack, PositionsAreTheNearestSample) {
  EXPECT_EQ(audio_position(std::chrono::seconds(30)), 480000);
  EXPECT_EQ(audio_position(Time(31'249)), 0);
  EXPECT_EQ(audio_position(Time(31'250)), 1);
  EXPECT_EQ(audio_position(Time(-62'500)), -1);
  EXPECT_EQ(audio_time(1), Time(62'500));
  for (const int64_t position : {int64_t{-7}, int64_t{0}, int64_t{1} << 40}) {
    EXPECT_EQ(audio_position(audio_time(position)), position);
  }
  EXPECT_GT(audio_position(kForever), 0);
  EXPECT_EQ(audio_time(INT64_MAX), kForever);
  EXPECT_EQ(audio_time(INT64_MIN), -kForever);
}

// Holes read as zeros, and what is read ends behind the last sample that is there.
TEST(AudioTrack, HolesAreZerosAndTheEndIsCut) {
  AudioTrack track;
  append(track, 10, {1, 2});
  append(track, 14, {3});
  const auto stretch = track.read(8, 100);
  EXPECT_TRUE(stretch.has_samples);
  EXPECT_EQ(stretch.samples, (Samples{0, 0, 1, 2, 0, 0, 3}));
  EXPECT_EQ(track.read(8, 13).samples, (Samples{0, 0, 1, 2}));
  EXPECT_EQ(track.read(11, 12).samples, (Samples{2}));
  EXPECT_FALSE(track.read(12, 14).has_samples);
  EXPECT_TRUE(track.read(12, 14).samples.empty());
  EXPECT_EQ(track.n_samples(), 3);
  EXPECT_EQ(track.end_position(), 15);
}

// Silence that was received is sound; only what never came is not there.
TEST(AudioTrack, ReceivedZerosCount) {
  AudioTrack track;
  append(track, 0, {0, 0});
  EXPECT_TRUE(track.read(0, 5).has_samples);
  EXPECT_EQ(track.read(0, 5).samples, (Samples{0, 0}));
}

// Where blocks overlap the newer wins, however they lie.
TEST(AudioTrack, TheNewerWins) {
  const auto after = [](int64_t position, const Samples& samples) {
    AudioTrack track;
    append(track, 0, {1, 1, 1, 1});
    append(track, 6, {2, 2});
    append(track, position, samples);
    return track.read(0, 10).samples;
  };
  EXPECT_EQ(after(1, {9, 9}), (Samples{1, 9, 9, 1, 0, 0, 2, 2}));
  EXPECT_EQ(after(3, {9, 9, 9, 9}), (Samples{1, 1, 1, 9, 9, 9, 9, 2}));
  EXPECT_EQ(after(0, Samples(8, 9)), Samples(8, 9));
  EXPECT_EQ(after(4, {9, 9}), (Samples{1, 1, 1, 1, 9, 9, 2, 2}));
  EXPECT_EQ(after(-2, {9, 9, 9}), (Samples{9, 1, 1, 1, 0, 0, 2, 2}));
}

// Random appends, forgetting and reading give what a plain map of samples gives.
TEST(AudioTrack, EqualsAPlainMap) {
  std::mt19937 random(3);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 20; ++round) {
    AudioTrack track;
    std::map<int64_t, float> plain;
    for (int step = 0; step < 300; ++step) {
      const int64_t position = below(100'000) - 1000;
      Samples samples(static_cast<size_t>(step % 10 == 0 ? below(40'000) : below(300)));
      for (size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<float>(step) + static_cast<float>(i) / 65536;
        plain[position + static_cast<int64_t>(i)] = samples[i];
      }
      append(track, position, samples);
      if (step % 50 == 49) {
        const int64_t oldest = below(20'000);
        track.forget_before(oldest);
        plain.erase(plain.begin(), plain.lower_bound(oldest));
      }
    }
    ASSERT_EQ(track.n_samples(), static_cast<int64_t>(plain.size()));
    for (int i = 0; i < 10; ++i) {
      const int64_t start = below(120'000) - 2000, stop = start + below(50'000);
      Samples expected;
      for (auto it = plain.lower_bound(start); it != plain.end() && it->first < stop; ++it) {
        expected.resize(static_cast<size_t>(it->first - start + 1), 0.0f);
        expected.back() = it->second;
      }
      const auto found = track.read(start, stop);
      ASSERT_EQ(found.samples, expected);
      EXPECT_EQ(found.has_samples, !expected.empty());
    }
  }
}

// The track never keeps more than its bound; the oldest samples go.
TEST(AudioTrack, KeepsAtMostItsBound) {
  AudioTrack track(5);
  append(track, 0, {1, 2, 3});
  append(track, 10, {4, 5, 6, 7});
  EXPECT_EQ(track.n_samples(), 5);
  EXPECT_EQ(track.read(2, 7).samples, (Samples{3}));
  append(track, 20, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(track.read(23, 28).samples, (Samples{4, 5, 6, 7, 8}));
  EXPECT_EQ(track.n_samples(), 5);
  EXPECT_EQ(track.n_received(), 15u);

  AudioTrack nothing(0), negative(-1);
  append(nothing, 0, {1});
  append(negative, 0, {1});
  EXPECT_EQ(nothing.n_samples() + negative.n_samples(), 0);
  EXPECT_TRUE(nothing.complete_until(1));
}

// Single samples with holes between them are bounded as well.
TEST(AudioTrack, BoundsTheNumberOfPieces) {
  AudioTrack track;
  for (int64_t i = 0; i < 100'000; ++i) append(track, 2 * i, {1});
  EXPECT_LE(track.n_samples(), 65536);
  EXPECT_EQ(track.end_position(), 199'999);
}

// Complete is what the track has passed by samples or gaps, and everything after its end.
TEST(AudioTrack, TellsWhatIsComplete) {
  AudioTrack track;
  EXPECT_FALSE(track.complete_until(INT64_MIN + 1));
  append(track, 100, {1, 2});
  EXPECT_TRUE(track.complete_until(102));
  EXPECT_FALSE(track.complete_until(103));
  append(track, 0, {1});  // late: what was passed stays passed
  EXPECT_TRUE(track.complete_until(102));
  track.advance(500);
  EXPECT_TRUE(track.complete_until(500));
  EXPECT_FALSE(track.complete_until(501));
  track.end();
  EXPECT_TRUE(track.complete_until(INT64_MAX));
  track.clear();
  EXPECT_FALSE(track.complete_until(0));
  EXPECT_EQ(track.n_samples(), 0);
  EXPECT_EQ(track.end_position(), INT64_MIN);
  EXPECT_EQ(track.n_received(), 3u);
}

// Huge, empty and reversed ranges, and positions that cannot be, neither crash nor eat memory.
TEST(AudioTrack, ExtremeRangesAreClamped) {
  AudioTrack track(1000);
  append(track, 0, {1, 2, 3});
  EXPECT_EQ(track.read(0, INT64_MAX).samples, (Samples{1, 2, 3}));
  EXPECT_FALSE(track.read(INT64_MIN, INT64_MAX).has_samples);
  EXPECT_FALSE(track.read(INT64_MAX - 1, INT64_MAX).has_samples);
  EXPECT_FALSE(track.read(3, 1).has_samples);
  EXPECT_FALSE(track.read(1, 1).has_samples);
  append(track, int64_t{1} << 50, {4});  // a hole of 2000 years
  EXPECT_EQ(track.read(2, INT64_MAX).samples, (Samples{3}));
  EXPECT_LE(track.read(-500, INT64_MAX).samples.size(), 1000u);

  append(track, INT64_MAX, {5});
  append(track, INT64_MIN, {5});
  track.append(0, nullptr, 5);
  track.append(0, Samples{1}.data(), -1);
  EXPECT_EQ(track.n_samples(), 4);
  track.advance(INT64_MIN);
  track.forget_before(INT64_MIN);
  EXPECT_EQ(track.n_samples(), 4);
  track.forget_before(INT64_MAX);
  EXPECT_EQ(track.n_samples(), 0);
}

// Many small buffers cost no more than the samples: forgetting and bounding work inside a block.
TEST(AudioTrack, ForgetsInsideABlock) {
  AudioTrack track;
  for (int i = 0; i < 500; ++i) append(track, i * 160, Samples(160, static_cast<float>(i)));
  track.forget_before(79'900);
  EXPECT_EQ(track.n_samples(), 100);
  EXPECT_EQ(track.read(79'900, 90'000).samples, Samples(100, 499));
}

// A reader that has seen that a range is complete reads all of it, while the writer goes on.
TEST(AudioTrack, OneWritesWhileAnotherReads) {
  constexpr int64_t kBlocks = 2000, kBlock = 160;
  AudioTrack track;
  std::thread writer([&] {
    for (int64_t i = 0; i < kBlocks; ++i) {
      append(track, i * kBlock, Samples(kBlock, static_cast<float>(i + 1)));
    }
    track.end();
  });
  for (int64_t i = 0; i < kBlocks; ++i) {
    while (!track.complete_until((i + 1) * kBlock)) std::this_thread::yield();
    const auto stretch = track.read(i * kBlock, (i + 1) * kBlock);
    ASSERT_EQ(stretch.samples, Samples(kBlock, static_cast<float>(i + 1)));
    if (i % 100 == 0) track.forget_before(i * kBlock);
  }
  writer.join();
  EXPECT_EQ(track.n_received(), static_cast<uint64_t>(kBlocks * kBlock));
}

// Where the first sample of a range lies, and where the sound began and has come to, GAPs included.
TEST(AudioTrack, TellsWhereSoundIs) {
  AudioTrack track;
  EXPECT_EQ(track.began_at(), INT64_MIN);
  EXPECT_EQ(track.reached(), INT64_MIN);
  track.advance(50);
  EXPECT_EQ(track.began_at(), INT64_MIN);
  const std::vector<float> samples(10, 0.5f);
  track.append(100, samples.data(), 10);
  track.append(200, samples.data(), 10);
  EXPECT_EQ(track.first_in(0, 100), std::nullopt);
  EXPECT_EQ(track.first_in(0, 101), 100);
  EXPECT_EQ(track.first_in(105, 300), 105);
  EXPECT_EQ(track.first_in(110, 300), 200);
  EXPECT_EQ(track.first_in(210, 300), std::nullopt);
  EXPECT_EQ(track.first_in(105, 105), std::nullopt);
  EXPECT_EQ(track.began_at(), 100);
  EXPECT_EQ(track.reached(), 210);
  track.forget_before(205);
  EXPECT_EQ(track.began_at(), 100);
  track.clear();
  EXPECT_EQ(track.began_at(), INT64_MIN);
}

// Sound that goes over a stretch without a GAP for it leaps; jitter does not, and a leap elsewhere
// is none here.
TEST(AudioTrack, TellsLeaps) {
  constexpr int64_t s = kAudioRate;
  AudioTrack track;
  const std::vector<float> second(s, 0.5f);
  track.append(0, second.data(), s);
  track.append(2 * s, second.data(), s);
  EXPECT_FALSE(track.leaps_over(0, 3 * s));
  track.append(40 * s, second.data(), s);
  EXPECT_TRUE(track.leaps_over(2 * s, 41 * s));
  EXPECT_FALSE(track.leaps_over(30 * s, 80 * s));
  track.advance(80 * s);
  track.append(80 * s, second.data(), s);
  EXPECT_FALSE(track.leaps_over(41 * s, 80 * s));
}

}  // namespace
}  // namespace vidi
