// A session's work can be ended at any point of it, not only between layers and tokens.
#include <gtest/gtest.h>

#include "kernels/interruption.h"
#include "model/session/vidi_session.h"
#include "tests/support/aten.h"
#include "tests/support/refused.h"
#include "tests/tools/geometry.h"

namespace vidi {
namespace {

std::unique_ptr<VidiSession> one_layer() {
  const CheckpointGeometry geometry = checkpoint_geometry("one-layer");
  OpenOptions options;
  options.device = "cpu";
  return VidiSession::random(config_of(geometry), shapes_of(geometry), options, 1);
}

std::shared_ptr<const Encoded> some_window(VidiSession& session) {
  const int side = session.model().config().vision.image_size;
  const std::vector<uint8_t> grey(static_cast<size_t>(side) * side * 3, 128);
  const Frame frame{grey.data(), side, side, static_cast<size_t>(side) * 3};
  Window window;
  window.duration_s = 2;
  window.frames = *session.encode_images({frame, frame}, Cancel());
  return *session.encode(window, Cancel());
}

// Questions of 8,192 tokens are a minute's work in one layer of the 9B's width: it is looked at
// whether they are still wanted again and again, and no more is done once they are not.
TEST(Interruption, EndsLongQuestionsWithinALayer) {
  const auto session = one_layer();
  const auto window = some_window(*session);
  for (const auto& [n, tokens] : {std::pair<size_t, size_t>{1, 8192}, {32, 256}}) {
    const std::vector<std::vector<int>> prompts(n, std::vector<int>(tokens, 5));
    constexpr int kLooks = 12;
    int looks = 0;
    const Interruptible interruptible([&] {
      if (++looks == kLooks) throw EngineError(ErrorCode::kCancelled, "enough");
    });
    EXPECT_THROW(session->ask_ids(*window, prompts, {}, Cancel()), EngineError);
    EXPECT_EQ(looks, kLooks);
  }
}

// A cancel is heard by what works below the layers, whichever function of the API it is in.
TEST(Interruption, CancelIsAskedForInEveryCall) {
  const auto session = one_layer();
  const auto window = some_window(*session);
  Cancel raised;
  raised.cancel();
  const int side = session->model().config().vision.image_size;
  const std::vector<uint8_t> grey(static_cast<size_t>(side) * side * 3, 128);
  const Frame frame{grey.data(), side, side, static_cast<size_t>(side) * 3};
  const std::vector<float> silence(16000);
  expect_refused(session->encode_images({frame}, raised), ErrorCode::kCancelled, "cancelled");
  expect_refused(session->encode_audio(silence.data(), 16000, raised), ErrorCode::kCancelled,
                 "cancelled");
  auto partial = *session->begin_window(2);
  const auto seen = *session->encode_images({frame}, Cancel());
  expect_refused(session->append(*partial, 0, seen, raised), ErrorCode::kCancelled, "cancelled");
}

}  // namespace
}  // namespace vidi
