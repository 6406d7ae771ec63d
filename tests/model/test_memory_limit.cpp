// A session under a memory limit: the same answers with the towers away, or one clear sentence.
#include <ATen/DeviceAccelerator.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include "model/device/device.h"
#include "model/device/offload.h"
#include "tests/support/answers.h"
#include "tests/support/aten.h"
#include "tests/support/golden.h"
#include "tests/support/real_sizes.h"
#include "tests/support/refused.h"
#include "tests/tools/geometry.h"

namespace vidi {
namespace {

const std::string kSet = VIDI_TEST_DATA "/golden/vidi15/";

std::unique_ptr<VidiSession> open_with(int64_t limit, const std::string& device = "cpu",
                                       KeyFormat keys = KeyFormat::kNative) {
  OpenOptions options;
  options.keys = keys;
  options.folder = kSet + "checkpoint", options.device = device;
  options.memory_limit = static_cast<uint64_t>(limit);
  return VidiSession::load(options, Cancel());
}

Case base_case() { return read_case(kSet + "base/input.safetensors"); }

WindowNeed need_of(const VidiSession& session, const Encoded& encoded, const Window& window) {
  const int64_t n = static_cast<int64_t>(window.frames.size());
  const int64_t n_image = n * session.model().projector().tokens_per_frame(n);
  return session.memory().need_of(n_image, encoded.n_tokens() - n_image);
}

// What the golden window needs at the least, weights and towers included.
int64_t need_with_towers() {
  auto session = open_with(0);
  const Window window = look_and_listen(*session, base_case(), Cancel());
  const int64_t held = session->memory().state().held;
  auto encoded = value_of(session->encode(window, Cancel()));
  return held + bytes_needed(need_of(*session, *encoded, window), kSmallestPiece);
}

std::vector<Answer> ask(VidiSession& session, const Encoded& encoded) {
  std::vector<Query> queries(3);
  queries[0].text = base_case().question, queries[1].text = "a child", queries[2].text = "kite.";
  AskOptions options;
  options.max_new_tokens = 24;
  return value_of(session.ask(encoded, queries, options, Cancel()));
}

// ---- Offload ----

// What leaves comes back bit for bit, whatever shares memory and wherever the host's pieces end;
// the tensors are the same objects, and cannot be read meanwhile.
TEST(Offload, ComeBackAsTheyLeft) {
  for (const int64_t chunk : {int64_t{7}, int64_t{64}, int64_t{1} << 20}) {
    at::Tensor a = at::randn({5, 7}), b = at::randn({3}), part = a.narrow(0, 1, 2);
    const at::Tensor a_before = a.clone(), b_before = b.clone();
    Offload towers({part, a, b}, chunk);
    EXPECT_EQ(towers.bytes(), (5 * 7 + 3) * 4);
    for (int round = 0; round < 3; ++round) {
      towers.leave();
      EXPECT_FALSE(towers.on_device());
      EXPECT_THROW((void)a.data_ptr<float>(), c10::Error);
      EXPECT_THROW((void)part.data_ptr<float>(), c10::Error);
      towers.leave();  // again changes nothing
      towers.come_back();
      EXPECT_TRUE(towers.on_device());
      EXPECT_TRUE(at::equal(a, a_before) && at::equal(b, b_before)) << chunk;
      EXPECT_TRUE(at::equal(part, a_before.narrow(0, 1, 2)));
      towers.come_back();
    }
  }
}

// The towers of a model are its vision and audio tower and nothing else.
TEST(Offload, AreBothTowersOfTheModel) {
  auto session = open_with(0);
  int64_t bytes = 0;
  for (const auto& [name, tensor] : session->model().weights()) {
    if (name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud."))
      bytes += static_cast<int64_t>(tensor.nbytes());
  }
  EXPECT_GE(session->model().towers().bytes(), bytes);  // joined biases hold zeros, too
  EXPECT_LT(session->model().towers().bytes(), bytes * 101 / 100);
  EXPECT_GT(bytes, 0);
  EXPECT_LT(bytes, session->info().weight_bytes);
}

// ---- The limit on the CPU: weights, keys and values ----

// Where the window does not fit beside the towers they leave, come back for the next window, and
// every answer is that of a session without a limit.
TEST(MemoryLimit, TowersLeaveAndAnswersStay) {
  auto free = open_with(0);
  const Window free_window = look_and_listen(*free, base_case(), Cancel());
  const auto expected = ask(*free, *value_of(free->encode(free_window, Cancel())));
  auto session = open_with(need_with_towers() - 1);
  EXPECT_TRUE(session->model().towers().on_device());
  for (int round = 0; round < 3; ++round) {
    const Window window = look_and_listen(*session, base_case(), Cancel());
    EXPECT_TRUE(session->model().towers().on_device());
    auto encoded = value_of(session->encode(window, Cancel()));
    EXPECT_FALSE(session->model().towers().on_device());
    const auto found = ask(*session, *encoded);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) expect_same_answer(found[i], expected[i]);
  }
}

// With room enough, and without a limit, they stay.
TEST(MemoryLimit, TowersStayWhereThereIsRoom) {
  for (const int64_t limit : {int64_t{0}, need_with_towers() + (int64_t{1} << 30)}) {
    auto session = open_with(limit);
    value_of(session->encode(look_and_listen(*session, base_case(), Cancel()), Cancel()));
    EXPECT_TRUE(session->model().towers().on_device()) << limit;
  }
}

// A window that cannot fit is refused with the sentence, before anything moves, and the session
// goes on with what does fit.
TEST(MemoryLimit, AWindowTooLargeIsRefused) {
  auto session = open_with(need_with_towers() + 1);
  Window window = look_and_listen(*session, base_case(), Cancel());
  Window larger = window;
  for (int i = 0; i < 300; ++i) larger.frames.push_back(window.frames[0]);
  const auto refused = session->encode(larger, Cancel());
  expect_refused(refused, ErrorCode::kOverLimit, "are missing");
  EXPECT_NE(refused.error().message.find("window-duration"), std::string::npos);
  EXPECT_TRUE(session->model().towers().on_device());
  EXPECT_TRUE(session->encode(window, Cancel()));
}

// A second window beside the first is out of memory as long as the first is there.
TEST(MemoryLimit, EarlierWindowsMakeRoomWhenTheyGo) {
  auto session = open_with(need_with_towers() - open_with(0)->model().towers().bytes());
  const Window window = look_and_listen(*session, base_case(), Cancel());
  auto first = value_of(session->encode(window, Cancel()));
  EXPECT_FALSE(session->model().towers().on_device());
  EXPECT_EQ(session->memory().state().windows,
            session->model().decoder().media_bytes(first->n_tokens()));
  expect_refused(session->encode(window, Cancel()), ErrorCode::kOutOfMemory, "encoded before");
  first.reset();
  EXPECT_EQ(session->memory().state().windows, 0);
  EXPECT_TRUE(session->encode(window, Cancel()));
}

// What is reckoned for keys and values is what they take.
TEST(MemoryLimit, KeysTakeWhatIsReckoned) {
  for (const KeyFormat keys : {KeyFormat::kNative, KeyFormat::kInt8}) {
    const auto session = open_with(0, "cpu", keys);
    const MediaCache cache = session->model().decoder().make_media_cache(11, 7);
    int64_t bytes = 0;
    for (const auto& layers : cache.layers) {
      for (const MediaKeys& layer : layers) bytes += layer.key.n_bytes() + layer.value.n_bytes();
    }
    EXPECT_EQ(bytes, session->model().decoder().media_bytes(18));
  }
}

// Of two windows of which one has room, both have it with keys of 8 bits; what is held is what was
// reckoned.
TEST(MemoryLimit, PackedKeysTakeLessRoom) {
  constexpr int kFrames = 400;
  const auto unlimited = open_with(0);
  const int64_t n = kFrames * unlimited->model().projector().tokens_per_frame(kFrames);
  const int64_t native = unlimited->model().decoder().media_bytes(n);
  const auto limit = need_with_towers() + native + native / 2;
  for (const KeyFormat keys : {KeyFormat::kNative, KeyFormat::kInt8}) {
    auto session = open_with(limit, "cpu", keys);
    Window window = look_and_listen(*session, base_case(), Cancel());
    window.audio.clear();
    window.frames.resize(kFrames, window.frames[0]);
    const auto first = session->encode(window, Cancel());
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(session->memory().state().windows, session->model().decoder().media_bytes(n));
    EXPECT_EQ(static_cast<bool>(session->encode(window, Cancel())), keys == KeyFormat::kInt8);
  }
}

// Pieces of any size leave the same keys and values but for rounding.
TEST(MemoryLimit, PiecesOfAnySizeAreTheSame) {
  auto session = open_with(0);
  const Decoder& decoder = session->model().decoder();
  at::manual_seed(1);
  const at::Tensor tokens = at::randn({11, decoder.config().hidden});
  const MediaCache whole = decoder.make_media_cache(11, 0),
                   pieces = decoder.make_media_cache(11, 0);
  decoder.prefill_media(tokens, Modality::kImage, 0, whole, Cancel());
  decoder.prefill_media(tokens, Modality::kImage, 0, pieces, Cancel(), /*piece=*/3);
  for (size_t i = 0; i < whole.layers[0].size(); ++i) {
    EXPECT_TRUE(
        at::allclose(whole.layers[0][i].key.native(), pieces.layers[0][i].key.native(), 1e-4, 1e-5))
        << i;
    EXPECT_TRUE(at::allclose(whole.layers[0][i].value.native(), pieces.layers[0][i].value.native(),
                             1e-4, 1e-5))
        << i;
  }
}

// When the allocator finds no room in spite of the plan, the window is made once more without the
// towers, in the smallest pieces; without a limit the error goes out.
TEST(MemoryLimit, TheAllocatorHasTheLastWord) {
  for (const int64_t limit : {int64_t{0}, need_with_towers() + (int64_t{1} << 30)}) {
    auto session = open_with(limit);
    const Window window = look_and_listen(*session, base_case(), Cancel());
    int n_thrown = 0;
    session->set_tap([&](const std::string& name, const at::Tensor&) {
      if (name != "image.tokens" || n_thrown > 0) return;
      ++n_thrown;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "no room");
    });
    const auto encoded = session->encode(window, Cancel());
    session->set_tap({});
    EXPECT_EQ(n_thrown, 1);
    if (limit == 0) {
      expect_refused(encoded, ErrorCode::kOutOfMemory, "the device ran out of memory");
      continue;
    }
    ASSERT_TRUE(encoded) << encoded.error().message;
    EXPECT_FALSE(session->model().towers().on_device());
    auto free = open_with(0);
    const auto expected = ask(
        *free, *value_of(free->encode(look_and_listen(*free, base_case(), Cancel()), Cancel())));
    expect_same_answer(ask(*session, **encoded).at(0), expected.at(0));
  }
}

// Twice no room is one sentence that names the limit; twice in a question, too.
TEST(MemoryLimit, NoRoomTwiceIsOneSentence) {
  auto session = open_with(need_with_towers() + (int64_t{1} << 30));
  const Window window = look_and_listen(*session, base_case(), Cancel());
  auto encoded = value_of(session->encode(window, Cancel()));
  session->set_tap([&](const std::string& name, const at::Tensor&) {
    if (name != "image.tokens" && name != "prompt.embeds") return;
    TORCH_CHECK_WITH(OutOfMemoryError, false, "no room");
  });
  expect_refused(session->encode(window, Cancel()), ErrorCode::kOutOfMemory, "memory-limit allows");
  Query query;
  query.text = "a child";
  expect_refused(session->ask(*encoded, {query, query}, {}, Cancel()), ErrorCode::kOutOfMemory,
                 "memory-limit allows");
}

// Nothing is begun ahead where the limit has no room for it, or where the towers have to leave.
TEST(MemoryLimit, NothingIsBegunWithoutRoom) {
  auto wide = open_with(need_with_towers() + (int64_t{4} << 30));
  EXPECT_TRUE(value_of(wide->begin_window(4)));
  auto tight = open_with(need_with_towers() - 1);
  EXPECT_FALSE(value_of(tight->begin_window(4)));
  value_of(tight->encode(look_and_listen(*tight, base_case(), Cancel()), Cancel()));
  EXPECT_FALSE(value_of(tight->begin_window(4)));
}

// Weights beyond the limit: the load fails with the sentence before anything is read.
TEST(MemoryLimit, WeightsBeyondItAreNotLoaded) {
  const int64_t weights = open_with(0)->info().weight_bytes;
  double told = -1;
  OpenOptions options;
  options.folder = kSet + "checkpoint", options.device = "cpu";
  options.memory_limit = static_cast<uint64_t>(weights - 1);
  options.progress = [&](double fraction) { told = fraction; };
  expect_refused(Session::open(options, Cancel()), ErrorCode::kOverLimit, "memory-limit allows");
  EXPECT_EQ(told, -1);
  options.memory_limit = static_cast<uint64_t>(weights);
  EXPECT_TRUE(Session::open(options, Cancel()));
}

// ---- On a GPU ----

class CudaLimit : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  }
};

// What the allocator holds stays below the limit whatever is asked of it, beyond it is an
// out-of-memory error, and the end of the model ends the limit.
TEST_F(CudaLimit, IsAHardCap) {
  constexpr int64_t kLimit = int64_t{1} << 30;
  const auto take = [](int64_t bytes) {
    return at::empty({bytes}, at::TensorOptions(at::kByte).device(at::kCUDA));
  };
  {
    auto session = open_with(kLimit, "cuda");
    const at::Tensor half = take(kLimit / 2);
    EXPECT_THROW(take(kLimit), c10::OutOfMemoryError);
    EXPECT_THROW(take(kLimit / 2), c10::OutOfMemoryError);
    EXPECT_LE(memory_use(session->model().device()).held, kLimit);
  }
  EXPECT_NO_THROW(take(2 * kLimit));
}

// Of two limits on one device the smaller one holds, as long as its model is there.
TEST_F(CudaLimit, TheSmallestHolds) {
  auto wide = open_with(int64_t{8} << 30, "cuda");
  {
    auto narrow = open_with(int64_t{1} << 30, "cuda");
    EXPECT_EQ(wide->memory().state().limit, int64_t{1} << 30);
  }
  EXPECT_EQ(wide->memory().state().limit, int64_t{8} << 30);
}

// Towers leave the device and come back, and free it meanwhile; the ids are those of a session
// without a limit, also with questions recorded before and after.
TEST_F(CudaLimit, TowersLeaveAndIdsStay) {
  auto session = open_with(0, "cuda");
  Window window = look_and_listen(*session, base_case(), Cancel());
  auto encoded = value_of(session->encode(window, Cancel()));
  const auto expected = ask(*session, *encoded);
  std::vector<at::Tensor> weights;
  for (const auto& [name, tensor] : session->model().weights()) {
    if (name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud."))
      weights.push_back(tensor);
  }
  Offload towers(weights);
  for (int round = 0; round < 3; ++round) {
    const int64_t before = memory_use(session->model().device()).current;
    towers.leave();
    EXPECT_LE(memory_use(session->model().device()).current, before - towers.bytes());
    EXPECT_EQ(ask(*session, *encoded).at(0).ids, expected.at(0).ids);
    towers.come_back();
    EXPECT_GE(memory_use(session->model().device()).current, before);
    window = look_and_listen(*session, base_case(), Cancel());
    encoded = value_of(session->encode(window, Cancel()));
    EXPECT_EQ(ask(*session, *encoded).at(0).ids, expected.at(0).ids);
  }
}

// A minute after the other is encoded and asked under a hard cap of 24.0 GB, ten questions at once,
// and the allocator is not surprised: the plan's pieces were right at the first attempt.
TEST_F(CudaRealSizes, AMinuteRunsUnder24GB) {
  constexpr int64_t kLimit = 24'000'000'000;
  RealSizes real(kLimit);
  const std::vector<std::vector<int>> prompts(10, std::vector<int>(31, 5));
  AskOptions options;
  options.max_new_tokens = 34, options.stop_repetition = false;
  for (int round = 0; round < 3; ++round) {
    const Window window = real.window(60);
    EXPECT_TRUE(real.session->model().towers().on_device());
    int n_pieces = 0;  // the image stream's; an attempt that failed would add its own
    real.session->set_tap([&](const std::string& name, const at::Tensor&) {
      n_pieces += name == "image.tokens" ? 1 : 0;
    });
    auto encoded = value_of(real.session->encode(window, Cancel()));
    real.session->set_tap({});
    EXPECT_FALSE(real.session->model().towers().on_device());
    EXPECT_LE(n_pieces, 12);  // of 1,024 tokens: five pictures each
    EXPECT_LE(real.held(), kLimit);
    EXPECT_EQ(real.session->ask_ids(*encoded, prompts, options, Cancel()).size(), 10u);
    EXPECT_LE(memory_use(real.session->model().device()).held_peak, kLimit);
    expect_refused(real.encode_images(1), ErrorCode::kOutOfMemory, "encoded before");
    expect_refused(real.session->encode(window, Cancel()), ErrorCode::kOutOfMemory,
                   "encoded before");
  }
}

// 10 s run in 22.0 GB; five minutes are refused at 24.0 with the sentence.
TEST_F(CudaRealSizes, LengthsAndLimits) {
  {
    RealSizes real(22'000'000'000);
    EXPECT_TRUE(real.session->encode(real.window(10), Cancel()));
    EXPECT_LE(real.held(), 22'000'000'000);
  }
  RealSizes real(24'000'000'000);
  expect_refused(real.session->encode(real.window(300), Cancel()), ErrorCode::kOverLimit,
                 "are missing");
  EXPECT_TRUE(real.session->encode(real.window(10), Cancel()));
}

}  // namespace
}  // namespace vidi
