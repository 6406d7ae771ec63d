// Pictures that are looked at and appended a piece at a time: the same window, and no features
// left.
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "model/towers/tower_features.h"
#include "tests/support/answers.h"
#include "tests/support/aten.h"
#include "tests/support/golden.h"
#include "tests/support/refused.h"

namespace vidi {
namespace {

const std::string kSet = VIDI_TEST_DATA "/golden/vidi15/";

std::unique_ptr<VidiSession> open_with(int64_t limit) {
  OpenOptions options;
  options.folder = kSet + "checkpoint", options.device = "cpu";
  options.memory_limit = static_cast<uint64_t>(limit);
  return VidiSession::load(options, Cancel());
}

// Pictures of noise, each another one.
class Pictures {
 public:
  explicit Pictures(size_t n) : pixels_(n * kBytes) {
    std::mt19937 random(5);
    for (uint8_t& value : pixels_) value = static_cast<uint8_t>(random() >> 24);
    for (size_t i = 0; i < n; ++i)
      frames.push_back({pixels_.data() + i * kBytes, kSide, kSide, kSide * 3});
  }
  FrameList look(Session& session, size_t first, size_t n) const {
    const auto begin = frames.begin() + std::ptrdiff_t(first);
    return value_of(session.encode_images({begin, begin + std::ptrdiff_t(n)}, Cancel()));
  }
  // So many in a call: sums of other shapes may end in other digits.
  FrameList look_in_steps(Session& session, size_t step) const {
    FrameList all;
    for (size_t first = 0; first < frames.size(); first += step) {
      const FrameList some = look(session, first, std::min(step, frames.size() - first));
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  std::vector<Frame> frames;

 private:
  static constexpr int kSide = 20, kBytes = kSide * kSide * 3;
  std::vector<uint8_t> pixels_;
};

WindowSize size_of(size_t n_frames) {
  WindowSize size;
  size.n_frames = size.n_unseen = n_frames;
  return size;
}

Window window_of(FrameList frames) {
  Window window;
  window.duration_s = static_cast<double>(frames.size());
  window.frames = std::move(frames);
  return window;
}

std::vector<at::Tensor> keys_of(VidiSession& session, const Window& window) {
  std::vector<at::Tensor> keys;
  session.set_tap([&](const std::string& name, const at::Tensor& x) {
    if (name.starts_with("decoder.layer")) keys.push_back(x.clone());
  });
  value_of(session.encode(window, Cancel()));
  session.set_tap({});
  return keys;
}

// A window of several pieces, appended as they are looked at, is bit for bit the one that is
// encoded from all features at once; of each piece nothing is left when it was appended.
TEST(Features, GoWithTheirPiece) {
  auto session = open_with(0);
  size_t n = 2;
  while (session->model().projector().tokens_per_frame(int64_t(n)) * int64_t(n) <=
         2 * kStreamTokens)
    ++n;
  const Pictures pictures(n);
  const auto partial = value_of(session->begin_complete_window(size_of(n)));
  ASSERT_TRUE(partial);
  EXPECT_EQ(partial->n_frames(), n);
  const size_t step = partial->frames_per_piece();
  EXPECT_LT(2 * step, n);
  Window window = window_of(pictures.look_in_steps(*session, step));
  const std::vector<at::Tensor> expected = keys_of(*session, window);
  window.frames.assign(n, nullptr);
  window.partial = partial;
  for (size_t first = 0; first < n; first += step) {
    FrameList seen = pictures.look(*session, first, std::min(step, n - first));
    value_of(session->append(*window.partial, first, seen, Cancel()));
    const std::weak_ptr<const FrameFeatures> one = seen.front(), other = seen.back();
    seen.clear();
    EXPECT_TRUE(one.expired() && other.expired()) << first;
  }
  const std::vector<at::Tensor> found = keys_of(*session, window);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(found[i], expected[i])) << i;
}

// Each picture's features are in memory of their own: one that stays holds none of those that were
// looked at with it.
TEST(Features, AreEachOnTheirOwn) {
  auto session = open_with(0);
  for (const size_t n : {1u, 5u}) {
    const Pictures pictures(n);
    for (const auto& features : pictures.look(*session, 0, n)) {
      const at::Tensor& patches = own_kind<TowerFrame>(features.get(), "a frame").patches;
      EXPECT_EQ(patches.storage().nbytes(), patches.nbytes());
    }
  }
}

// A window begun by itself and one that overlaps it: the features that both need are good for both,
// whatever became of the first's own.
TEST(Features, SharedOnesServeTheNextWindow) {
  auto session = open_with(0);
  const Pictures pictures(6);
  FrameList seen = pictures.look(*session, 0, 6);
  Window next = window_of({seen.begin() + 2, seen.end()});
  const std::vector<at::Tensor> expected = keys_of(*session, next);
  auto first = value_of(session->begin_complete_window(size_of(4)));
  value_of(session->append(*first, 0, {seen.begin(), seen.begin() + 4}, Cancel()));
  seen.clear();
  Window one = window_of(FrameList(4));
  one.partial = first;
  EXPECT_TRUE(session->encode(one, Cancel()));
  const std::vector<at::Tensor> found = keys_of(*session, next);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(found[i], expected[i])) << i;
}

// What is not there is refused: a picture that was not appended, a partial window that was used up.
TEST(Features, GapsAreRefused) {
  auto session = open_with(0);
  const Pictures pictures(4);
  Window window = window_of(FrameList(4));
  window.partial = value_of(session->begin_complete_window(size_of(4)));
  value_of(session->append(*window.partial, 0, pictures.look(*session, 0, 3), Cancel()));
  expect_refused(session->encode(window, Cancel()), ErrorCode::kBadInput,
                 "not made by this engine");
  expect_refused(session->encode(window, Cancel()), ErrorCode::kBadInput,
                 "not made by this engine");
  for (const size_t n : {0u, 1u})
    EXPECT_EQ(value_of(session->begin_complete_window(size_of(n))), nullptr);
}

// Where the allocator finds no room although the plan had it, a window whose features are gone is
// out of memory in one sentence, and may be tried again with others; one that has them is encoded.
TEST(Features, NoRoomForAWindowWithGaps) {
  auto session = open_with(int64_t{64} << 30);
  const Pictures pictures(4);
  const FrameList seen = pictures.look(*session, 0, 4);
  for (const bool has_gaps : {true, false}) {
    Window window = window_of(seen);
    window.partial = value_of(session->begin_complete_window(size_of(4)));
    value_of(session->append(*window.partial, 0, {seen.begin(), seen.begin() + 2}, Cancel()));
    if (has_gaps) window.frames[0] = window.frames[1] = nullptr;
    int n_thrown = 0;
    session->set_tap([&](const std::string& name, const at::Tensor&) {
      if (name != "image.tokens" || n_thrown > 0) return;
      ++n_thrown;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "no room");
    });
    const auto encoded = session->encode(window, Cancel());
    session->set_tap({});
    EXPECT_EQ(n_thrown, 1);
    if (has_gaps)
      expect_refused(encoded, ErrorCode::kOutOfMemory, "memory-limit allows");
    else
      EXPECT_TRUE(encoded);
  }
}

// Under a limit that the window and the towers do not fit into together all is to be looked at
// before; with more room it is not, and the pieces are as large as there is room.
TEST(Features, AreAllNeededWhereTheTowersGiveWay) {
  constexpr size_t kFrames = 4;
  auto session = open_with(0);
  const int64_t n = kFrames * session->model().projector().tokens_per_frame(kFrames);
  const int64_t least = session->memory().state().held +
                        bytes_needed(session->memory().need_of(n, 0), kSmallestPieceWithTowers);
  session = open_with(least - 1);
  EXPECT_EQ(value_of(session->begin_complete_window(size_of(kFrames))), nullptr);
  session = open_with(least);
  EXPECT_NE(value_of(session->begin_complete_window(size_of(kFrames))), nullptr);
}

}  // namespace
}  // namespace vidi
