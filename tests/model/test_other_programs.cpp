// A session on a GPU whose memory another program takes: windows take a smaller form or are refused
// with one sentence, and come back when it lets go.
#include "tests/support/other_program.h"
#include "tests/support/real_sizes.h"
#include "tests/support/refused.h"

namespace vidi {
namespace {

using OtherPrograms = CudaRealSizes;

std::vector<int> ids_about(RealSizes& real, const Encoded& encoded) {
  AskOptions options;
  options.max_new_tokens = 12, options.stop_repetition = false;
  return real.session->ask_ids(encoded, {std::vector<int>(31, 5)}, options, Cancel()).at(0).ids;
}

// Between loading and the first window: nothing was planned for less than the whole GPU, and the
// window is encoded all the same, with the towers away. The answer stays.
TEST_F(OtherPrograms, TakeMemoryBeforeTheFirstWindow) {
  RealSizes real(0);
  Window window = real.window(60);
  const auto expected = ids_about(real, *value_of(real.session->encode(window, Cancel())));
  free_device_cache(real.session->model().device());
  const OtherProgram other(4'500'000'000);
  EXPECT_FALSE(real.session->memory().limited());
  const auto encoded = value_of(real.session->encode(window, Cancel()));
  EXPECT_FALSE(real.session->model().towers().on_device());
  EXPECT_TRUE(real.session->memory().limited());
  EXPECT_EQ(ids_about(real, *encoded), expected);
}

// In mid-stream: no window while there is no room for one, with its reason, neither from features
// nor from pictures; afterwards as before.
TEST_F(OtherPrograms, TakeMemoryInMidStream) {
  RealSizes real(0);
  const Window window = real.window(60);
  auto encoded = value_of(real.session->encode(window, Cancel()));
  const auto expected = ids_about(real, *encoded);
  encoded.reset();
  free_device_cache(real.session->model().device());
  {
    const OtherProgram other(300'000'000);
    for (int round = 0; round < 2; ++round) {
      expect_refused(real.session->encode(window, Cancel()), ErrorCode::kOutOfMemory, "");
      const auto seen = real.encode_images(32);
      if (!seen) expect_refused(seen, ErrorCode::kOutOfMemory, "");
    }
  }
  const auto again = real.session->encode(real.window(60), Cancel());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(ids_about(real, **again), expected);
  EXPECT_TRUE(real.session->model().towers().on_device());
}

}  // namespace
}  // namespace vidi
