// What several devices have of a window: all of it, each piece once, and about as much each.
#include <gtest/gtest.h>

#include <vector>

#include "model/session/window_share.h"

namespace vidi {
namespace {

// Every picture is one device's, and its own ones from a place on are found.
TEST(WindowShare, EveryPictureOnce) {
  for (const int64_t of : {1, 2, 3, 7}) {
    for (const int64_t all : {0, 1, 2, 6, 7, 50}) {
      std::vector<int> seen(all);
      for (int64_t index = 0; index < of; ++index) {
        const WindowShare share{index, of};
        EXPECT_LE(share.n_frames(all), (all + of - 1) / of);
        EXPECT_GE(share.n_frames(all), all / of);
        for (int64_t own = 0; own < share.n_frames(all); ++own) {
          ++seen.at(share.place(own));
          EXPECT_EQ(share.first_from(share.place(own)), own);
          EXPECT_EQ(share.first_from(share.place(own) + 1), own + 1);
        }
      }
      EXPECT_EQ(seen, std::vector<int>(all, 1)) << all << " over " << of;
    }
  }
}

// Sound is cut into stretches that follow each other.
TEST(WindowShare, SoundInStretches) {
  for (const int64_t of : {1, 2, 3, 7}) {
    for (const int64_t all : {0, 1, 5, 300, 3060}) {
      int64_t end = 0;
      for (int64_t index = 0; index < of; ++index) {
        const WindowShare share{index, of};
        EXPECT_EQ(share.first_sound(all), end);
        EXPECT_LE(share.n_sound(all), all / of + 1);
        end += share.n_sound(all);
      }
      EXPECT_EQ(end, all);
    }
  }
}

// A plan reckons with as many unseen pictures as come to each at most.
TEST(WindowShare, SizesAreRoundedUp) {
  const WindowSize size = WindowShare{1, 4}.size({.n_frames = 60, .n_unseen = 30, .n_shared = 1});
  EXPECT_EQ(size.n_frames, 60u);
  EXPECT_EQ(size.n_unseen, 8u);
  EXPECT_EQ(size.n_shared, 1u);
}

}  // namespace
}  // namespace vidi
