// When two answers are the same: for tests that compute one and the same in batches or pieces of
// different sizes, whose sums libraries round differently.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "model/window.h"

namespace vidi {

// Logits of ten or so are sums of sums in float32. The largest difference of a probability that was
// seen with any instruction set was 4e-6.
inline constexpr float kProbabilityRounding = 5e-5F;

// With keys or weights of 8 bits: a number that such a difference carries over the edge of a step
// is another by the whole step. Seen: 3.5e-4.
inline constexpr float kProbabilityOfSteps = 2e-3F;

// In half precision: two tokens whose logits lie within 0.05 of each other may change places, which
// is what the goldens allow (test_golden.cpp); their probabilities p then differ by at most
// p (1 - p) 0.05.
inline constexpr float kProbabilityOfHalf = 0.05F / 4;

// The same ids, each nearly as probable. Where the two best logits lie closer than rounding either
// may win, as the random models of the tests sometimes have it: then both were picked with the same
// probability, and what follows is another text.
inline void expect_same_answer(const Answer& found, const Answer& expected,
                               float rounding = kProbabilityRounding) {
  const size_t n = std::min(found.ids.size(), expected.ids.size());
  for (size_t k = 0; k < n; ++k) {
    ASSERT_NEAR(found.probabilities[k], expected.probabilities[k], rounding) << k;
    if (found.ids[k] != expected.ids[k]) return;
  }
  EXPECT_EQ(found.ids, expected.ids);
}

}  // namespace vidi
