// How loud a window is, and when that is a change.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "gst/worker/sound_level.h"

namespace vidi {
namespace {

// So many seconds of noise of this level, alike for the same seed.
std::vector<float> noise(double seconds, double level_dB, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> sample(0, std::pow(10, level_dB / 20));
  std::vector<float> samples(static_cast<size_t>(seconds * 16000));
  for (float& s : samples) s = static_cast<float>(sample(random));
  return samples;
}

SoundChunks chunks_of(const std::vector<std::vector<float>>& parts) {
  SoundChunks chunks;
  for (const auto& part : parts) {
    auto chunk = std::make_shared<SoundChunk>();
    chunk->samples = part;
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

std::vector<double> levels(const std::vector<std::vector<float>>& parts, int64_t skip = 0) {
  return levels_of(chunks_of(parts), skip);
}

// A level is in dB of full scale, a tenth of a second each, across the chunks' seams.
TEST(SoundLevel, IsThatOfATenthOfASecond) {
  const auto found = levels({noise(0.15, -20), noise(0.25, -20, 2)});
  ASSERT_EQ(found.size(), 4u);
  for (const double level : found) EXPECT_NEAR(level, -20, 0.5);
  EXPECT_EQ(levels({noise(0.15, -20), noise(0.25, -20, 2)}, 1600 * 3).size(), 1u);
  EXPECT_TRUE(levels({noise(0.15, -20)}, 99999).empty());
  EXPECT_TRUE(levels({}).empty());
}

// Silence, an offset of the microphone, what is below hearing and samples that are no numbers are
// all the same: nothing.
TEST(SoundLevel, NothingIsNothing) {
  const std::vector<float> nan(1600, std::nanf("")), infinite(1600, HUGE_VALF);
  for (const auto& samples : {std::vector<float>(1600, 0.f), std::vector<float>(1600, 0.5f),
                              noise(0.1, -80), nan, infinite})
    EXPECT_EQ(levels({samples}), std::vector<double>{kSilence_dB});
}

// What goes on as it was is no change: silence, or an even noise of whatever level.
TEST(SoundLevel, WhatGoesOnIsNoChange) {
  EXPECT_FALSE(differs({}, left_sound({})));
  EXPECT_FALSE(differs(levels({noise(3, -80)}), left_sound({})));
  for (const double level : {-50, -30, -10})
    EXPECT_FALSE(differs(levels({noise(4, level, 2)}), left_sound(levels({noise(4, level)}))));
  EXPECT_FALSE(differs(levels({noise(4, -36)}), left_sound(levels({noise(4, -40)}))));
}

// A short sound over the background is one, however loud another was before.
TEST(SoundLevel, AShortSoundIsAChange) {
  const LeftSound left = left_sound(levels({noise(3, -40), noise(0.3, -6), noise(2, -40)}));
  EXPECT_FALSE(differs(levels({noise(4, -40, 2)}), left));
  EXPECT_TRUE(differs(levels({noise(2, -40), noise(0.2, -30), noise(2, -40)}), left));
}

// The end of what was heard last is a change: at once, and within a window.
TEST(SoundLevel, AnEndIsAChange) {
  const LeftSound left = left_sound(levels({noise(4, -30)}));
  EXPECT_TRUE(differs(levels({noise(4, -50)}), left));
  EXPECT_TRUE(differs(levels({noise(2, -30), noise(2, -50)}), left));
  EXPECT_TRUE(differs({}, left));
  // Something that had begun when the window ended: whatever follows is looked at.
  const LeftSound begun = left_sound(levels({noise(9, -50), noise(1, -20)}));
  EXPECT_TRUE(differs(levels({noise(4, -50)}), begun));
  EXPECT_TRUE(differs(levels({noise(4, -20)}), begun));
}

// Pauses shorter than a second do not end a sound.
TEST(SoundLevel, AShortPauseIsNoEnd) {
  const LeftSound left = left_sound(levels({noise(4, -30)}));
  EXPECT_FALSE(differs(levels({noise(1.5, -30), noise(0.4, -50), noise(2.1, -30)}), left));
}

}  // namespace
}  // namespace vidi
