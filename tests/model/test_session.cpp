// The API: encode once, ask many, share what windows share, stop when told, refuse what makes no
// sense.
#include <ATen/Version.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/usable_cores.h"
#include "model/decoder/generate.h"
#include "model/engine_api.h"
#include "tests/support/answers.h"
#include "tests/support/aten.h"
#include "tests/support/device_watch.h"
#include "tests/support/golden.h"
#include "tests/support/refused.h"

namespace vidi {
namespace {

std::unique_ptr<VidiSession> open_set(const std::string& set, const std::string& device = "cpu") {
  OpenOptions options;
  options.folder =
      set == "demo" ? VIDI_DEMO_CHECKPOINT : VIDI_TEST_DATA "/golden/" + set + "/checkpoint";
  options.device = device;
  return VidiSession::load(options, Cancel());
}

Case case_of(const std::string& set, const std::string& name) {
  return read_case(VIDI_TEST_DATA "/golden/" + set + "/" + name + "/input.safetensors");
}

Query query(const std::string& text) {
  Query q;
  q.text = text;
  return q;
}

std::vector<Answer> ask(VidiSession& session, const Encoded& encoded,
                        const std::vector<std::string>& texts) {
  std::vector<Query> queries;
  for (const std::string& t : texts) queries.push_back(query(t));
  AskOptions options;
  options.max_new_tokens = 48;  // two ranges with three decimals
  return value_of(session.ask(encoded, queries, options, Cancel()));
}

// Weights that leave and come back, again and again: what was encoded and looked at before is of
// use, and every answer is the same. Meanwhile what needs them is refused, and nothing is held.
TEST(Session, UnloadsAndComesBack) {
  const Case c = case_of("vidi15", "base");
  for (const char* device : {"cpu", "cuda"}) {
    if (std::string(device) == "cuda" && !at::hasCUDA()) continue;
    auto session = open_set("vidi15", device);
    const Window window = look_and_listen(*session, c, Cancel());
    const auto encoded = value_of(session->encode(window, Cancel()));
    const auto expected = ask(*session, *encoded, {"a child", "kite."});
    const int64_t held = session->device_memory_bytes();
    for (int round = 0; round < 2; ++round) {
      session->unload();
      EXPECT_TRUE(session->model().weights().empty());
      EXPECT_LE(session->device_memory_bytes(), held);
      expect_refused(session->ask(*encoded, {query("a child")}, {}, Cancel()), ErrorCode::kInternal,
                     "weights are not loaded");
      expect_refused(session->encode(window, Cancel()), ErrorCode::kInternal, "not loaded");
      EXPECT_FALSE(session->begin_window(4));
      EXPECT_TRUE(value_of(session->load(Cancel())));
      const auto again = value_of(session->encode(window, Cancel()));
      for (const Encoded* one : {encoded.get(), again.get()}) {
        const auto found = ask(*session, *one, {"a child", "kite."});
        for (size_t i = 0; i < found.size(); ++i) expect_same_answer(found[i], expected[i]);
      }
    }
  }
}

// Files that have changed meanwhile are refused with the reason, which later calls repeat; when
// they are as they were, the model is back.
TEST(Session, FilesThatChangedMeanwhile) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "vidi-unloaded";
  fs::remove_all(folder);
  fs::copy(VIDI_TEST_DATA "/golden/vidi15/checkpoint", folder, fs::copy_options::recursive);
  OpenOptions options;
  options.folder = folder.string(), options.device = "cpu";
  const auto session = VidiSession::load(options, Cancel());
  session->unload();
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".safetensors") fs::rename(file, file.path().string() + ".away");
  }
  const auto refused = session->load(Cancel());
  ASSERT_FALSE(refused);
  const auto repeated = session->begin_window(4);
  ASSERT_FALSE(repeated);
  EXPECT_EQ(repeated.error().message, refused.error().message);
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".away")
      fs::rename(file, file.path().parent_path() / file.path().stem());
  }
  EXPECT_TRUE(value_of(session->load(Cancel())));
  EXPECT_TRUE(session->begin_window(4));
  fs::remove_all(folder);
}

// A load that is cancelled leaves a model that can be loaded.
TEST(Session, LoadingAgainCanBeCancelled) {
  const auto session = open_set("vidi15");
  session->unload();
  Cancel cancel;
  cancel.cancel();
  EXPECT_EQ(session->load(cancel).error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(session->begin_window(4));
  EXPECT_TRUE(value_of(session->load(Cancel())));
  EXPECT_TRUE(session->begin_window(4));
}

// A batch of questions of different lengths gives each the answer that it gets alone.
TEST(Session, BatchEqualsOneByOne) {
  const std::vector<std::string> texts = {"a child", "",
                                          "a very long question about three dancers who turn, "
                                          "and turn, and turn again under a réd lamp 🎷",
                                          "kite."};
  for (const char* set : {"vidi15", "vidi7b", "demo"}) {
    auto session = open_set(set);
    const Case c = case_of(set, std::string(set) == "demo" ? "heard" : "base");
    auto encoded = value_of(session->encode(look_and_listen(*session, c, Cancel()), Cancel()));
    const std::vector<Answer> batch = ask(*session, *encoded, texts);
    for (size_t i = 0; i < texts.size(); ++i) {
      SCOPED_TRACE(testing::Message() << set << " " << i);
      expect_same_answer(batch[i], ask(*session, *encoded, {texts[i]}).at(0));
    }
  }
}

// Counts the decoder's passes that tokens are picked from, on this thread.
class PassCount {
 public:
  PassCount() {
    n() = 0;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&PassCount::started));
  }
  ~PassCount() { at::removeCallback(handle_); }
  PassCount(const PassCount&) = delete;
  PassCount& operator=(const PassCount&) = delete;
  static int& n() {
    static thread_local int value;
    return value;
  }

 private:
  static std::unique_ptr<at::ObserverContext> started(const at::RecordFunction& f) {
    if (std::string(f.name()) == "aten::argmax") ++n();
    return nullptr;
  }
  at::CallbackHandle handle_;
};

// Reading ahead what the form of answers lets follow changes no id, and takes fewer passes than
// tokens. (The trained model's best logits lie 5 and more apart: rounding moves none.)
TEST(Session, GuessesChangeNoId) {
  auto session = open_set("demo");
  for (const char* name : {"seen", "two_ranges", "highlight"}) {
    const Case c = case_of("demo", name);
    auto encoded = value_of(session->encode(look_and_listen(*session, c, Cancel()), Cancel()));
    Query q = query(c.question);
    q.task = c.task;
    auto watched = [&](const Tap& tap) {
      session->set_tap(tap);
      PassCount passes;
      return value_of(session->ask(*encoded, {q}, {}, Cancel())).at(0).ids;
    };
    const auto plain = watched([](const std::string&, const at::Tensor&) {});
    EXPECT_EQ(PassCount::n(), static_cast<int>(plain.size()));
    EXPECT_EQ(watched({}), plain) << name;
    EXPECT_LT(PassCount::n(), static_cast<int>(plain.size())) << name;
  }
}

// A window whose pictures were streamed while it filled, a few at a time and not in order, has the
// keys of one that is encoded at its end, but for rounding; pictures that turn out to be others are
// made again, and a partial window for another number of them is of no use and no harm.
TEST(Session, PartialWindowsAnswerTheSame) {
  for (const char* set : {"vidi15", "vidi7b"}) {
    auto session = open_set(set);
    Window window = look_and_listen(*session, case_of(set, "base"), Cancel());
    auto keys_of = [&](const Window& w) {
      std::vector<at::Tensor> keys;
      session->set_tap([&](const std::string& name, const at::Tensor& x) {
        if (name.starts_with("decoder.layer")) keys.push_back(x.clone());
      });
      value_of(session->encode(w, Cancel()));
      session->set_tap({});
      return keys;
    };
    const std::vector<at::Tensor> expected = keys_of(window);
    const size_t n = window.frames.size();
    ASSERT_GE(n, 4u);
    auto frames = [&](size_t first, size_t last) {
      return std::vector(window.frames.begin() + static_cast<std::ptrdiff_t>(first),
                         window.frames.begin() + static_cast<std::ptrdiff_t>(last));
    };
    auto partial = value_of(session->begin_window(n));
    ASSERT_TRUE(partial);
    EXPECT_EQ(partial->n_frames(), n);
    value_of(session->append(*partial, 2, frames(2, n - 1), Cancel()));
    value_of(session->append(*partial, 0, {window.frames[1]}, Cancel()));  // not the first one
    for (auto given : {partial, value_of(session->begin_window(n + 1)), partial}) {
      window.partial = given;  // the last one is empty by then
      const std::vector<at::Tensor> found = keys_of(window);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_TRUE(at::allclose(found[i], expected[i], 1e-4, 1e-5)) << set << " " << i;
      }
    }
    EXPECT_EQ(session->begin_window(1).error().code, ErrorCode::kBadInput);
    auto other = value_of(session->begin_window(n));
    EXPECT_EQ(session->append(*other, n - 1, frames(0, 2), Cancel()).error().code,
              ErrorCode::kBadInput);
    EXPECT_EQ(session->append(*partial, 0, frames(0, 1), Cancel()).error().code,
              ErrorCode::kBadInput);  // empty
  }
}

// Features made for one window serve the overlapping next one: the answer is that of fresh
// features.
TEST(Session, OverlappingWindowsShareFeatures) {
  auto session = open_set("vidi15");
  const Case c = case_of("vidi15", "base");
  const Window whole = look_and_listen(*session, c, Cancel());
  Window shared;
  shared.frames.assign(whole.frames.begin() + 1, whole.frames.end());
  shared.duration_s = 4;
  Case later = c;
  later.frames.erase(later.frames.begin(), later.frames.begin() + c.height * c.width * 3);
  later.n_frames -= 1, later.samples.clear(), later.duration_s = 4;
  const Window fresh = look_and_listen(*session, later, Cancel());
  auto a = ask(*session, *value_of(session->encode(shared, Cancel())), {"a child"});
  auto b = ask(*session, *value_of(session->encode(fresh, Cancel())), {"a child"});
  expect_same_answer(a[0], b[0]);
}

// Tokens of sound that are made some at a time are those that are made together.
TEST(Session, HearsInPieces) {
  for (const char* set : {"demo", "vidi15", "vidi7b"}) {
    const auto session = open_set(set);
    const Projector& projector = session->model().projector();
    const ModelConfig& config = session->model().config();
    const int64_t pool = config.projector.audio_pool, n = 23;
    at::manual_seed(19);
    const at::Tensor states = at::randn({n * pool + 2, config.audio.hidden});
    const at::Tensor whole = projector.audio_tokens(states, 0, n, {});
    ASSERT_EQ(whole.size(0), n);
    for (int64_t first = 0; first < n; first += 8) {
      const int64_t some = std::min<int64_t>(8, n - first);
      const at::Tensor piece =
          projector.audio_tokens(states.narrow(0, first * pool, some * pool), first, n, {});
      EXPECT_TRUE(at::allclose(piece, whole.narrow(0, first, some), 1e-4, 1e-5)) << set << first;
    }
  }
}

// Frames seen one by one, in batches of any size, give the same window.
TEST(Session, SeesFramesOneByOne) {
  auto session = open_set("vidi15");
  const Case c = case_of("vidi15", "noaudio");
  Window window;
  window.duration_s = c.duration_s;
  const size_t row = c.width * 3;
  for (int64_t i = 0; i < c.n_frames; ++i) {
    const Frame frame{c.frames.data() + i * c.height * row, int(c.width), int(c.height), row};
    window.frames.push_back(value_of(session->encode_images({frame}, Cancel())).at(0));
  }
  auto one_by_one = ask(*session, *value_of(session->encode(window, Cancel())), {c.question});
  auto together =
      ask(*session, *value_of(session->encode(look_and_listen(*session, c, Cancel()), Cancel())),
          {c.question});
  expect_same_answer(one_by_one[0], together[0]);
}

// The trained model's answers mean something: the range of the truth, a confidence in (0, 1], none
// for what is not there.
TEST(Session, TrainedModelFindsWhatIsThere) {
  auto session = open_set("demo");
  for (const char* name : {"seen", "heard", "two_ranges", "absent"}) {
    const Case c = case_of("demo", name);
    auto encoded = value_of(session->encode(look_and_listen(*session, c, Cancel()), Cancel()));
    const Answer answer = ask(*session, *encoded, {c.question}).at(0);
    const size_t expected = std::string(name) == "absent"       ? 0
                            : std::string(name) == "two_ranges" ? 2
                                                                : 1;
    EXPECT_EQ(answer.spans.size(), expected) << name << ": " << answer.text;
    EXPECT_EQ(answer.parsed.says_none, expected == 0) << answer.text;
    EXPECT_EQ(answer.stop, StopReason::kEndToken);
    for (const Span& span : answer.spans) {
      EXPECT_GT(span.confidence, 0.3) << name;
      EXPECT_LE(span.confidence, 1.0) << name;
      EXPECT_LT(span.start_s, span.stop_s);
      EXPECT_LE(span.stop_s, c.duration_s);
    }
  }
}

// Cancel ends a load, an encode, and an answer between two tokens, each with kCancelled.
TEST(Session, CancelIsHeard) {
  Cancel raised;
  raised.cancel();
  OpenOptions options;
  options.folder = VIDI_DEMO_CHECKPOINT, options.device = "cpu";
  auto refused = Session::open(options, raised);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCancelled);

  auto session = open_set("vidi15");
  const Window window = look_and_listen(*session, case_of("vidi15", "base"), Cancel());
  EXPECT_EQ(session->encode(window, raised).error().code, ErrorCode::kCancelled);
  auto encoded = value_of(session->encode(window, Cancel()));
  Cancel later;
  int tokens = 0;
  session->set_tap([&](const std::string& name, const at::Tensor&) {
    if (name == "decoder.logits" && ++tokens == 3) later.cancel();
  });
  auto answer = session->ask(*encoded, {query("a child")}, {}, later);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(tokens, 3);
  session->set_tap({});
  EXPECT_TRUE(
      session->ask(*encoded, {query("a child")}, {}, Cancel()));  // and it goes on afterwards
}

// A session takes as many threads as OMP_NUM_THREADS says, and libtorch's choice without it, but no
// more than there are cores for them; and ATen takes the instruction set that it was told. So
// tests/other_cpus.sh tries what it says it does.
TEST(Session, HeedsTheEnvironment) {
  open_set("demo");
  EXPECT_LE(at::get_num_threads(), usable_cores());
  const char *threads = std::getenv("OMP_NUM_THREADS"), *set = std::getenv("ATEN_CPU_CAPABILITY");
  const char* dynamic = std::getenv("MKL_DYNAMIC");  // true: libtorch leaves its threads to MKL
  if (threads && dynamic && std::string(dynamic) == "FALSE") {
    EXPECT_EQ(at::get_num_threads(), std::min(std::atoi(threads), usable_cores()));
  }
  if (set) {
    std::string found = at::get_cpu_capability();
    for (char& c : found) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(found, set);
  }
}

// Progress grows from 0 to exactly 1.
TEST(Session, TellsItsProgress) {
  std::vector<double> told;
  OpenOptions options;
  options.folder = VIDI_DEMO_CHECKPOINT, options.device = "cpu";
  options.progress = [&](double fraction) { told.push_back(fraction); };
  ASSERT_TRUE(Session::open(options, Cancel()));
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 1.0);
}

struct ForeignFrame final : FrameFeatures {};

// Windows, frames and samples that make no sense are refused with a sentence.
TEST(Session, RefusesBadWindows) {
  auto session = open_set("vidi15");
  const Window good = look_and_listen(*session, case_of("vidi15", "base"), Cancel());
  const auto bad = ErrorCode::kBadInput;
  expect_refused(session->encode({}, Cancel()), bad, "without frames");
  Window one = good;
  one.frames.resize(1);
  expect_refused(session->encode(one, Cancel()), bad, "1 frame");
  Window foreign = good;
  foreign.frames[1] = std::make_shared<ForeignFrame>();
  expect_refused(session->encode(foreign, Cancel()), bad, "not made by this engine");
  foreign.frames[1] = nullptr;
  expect_refused(session->encode(foreign, Cancel()), bad, "not made by this engine");
  Window gap = good;
  gap.audio.push_back(gap.audio[0]);
  expect_refused(session->encode(gap, Cancel()), bad, "in all but the last");
  Window endless = good;
  endless.duration_s = NAN;
  expect_refused(session->encode(endless, Cancel()), bad, "a length of 0 or more");
  const uint8_t pixel[3] = {};
  expect_refused(session->encode_images({Frame{pixel, 0, 1, 3}}, Cancel()), bad, "0 x 1");
  expect_refused(session->encode_images({Frame{pixel, 2, 1, 3}}, Cancel()), bad, "stride");
  expect_refused(session->encode_audio(nullptr, 16, Cancel()), bad, "samples");
  const std::vector<float> long_sound(480001);
  expect_refused(session->encode_audio(long_sound.data(), 480001, Cancel()), bad, "480001");
}

// Questions that would change the conversation, or that no model reads, are refused with a
// sentence.
TEST(Session, RefusesBadQuestions) {
  auto session = open_set("vidi15");
  auto encoded = value_of(
      session->encode(look_and_listen(*session, case_of("vidi15", "base"), Cancel()), Cancel()));
  const auto bad = ErrorCode::kBadInput;
  for (const char* text : {"a <image> b", "a<end_of_turn>b", "<bos>", "<eos>x", "<pad>", "<unk>"}) {
    expect_refused(session->ask(*encoded, {query(text)}, {}, Cancel()), bad, "<");
  }
  expect_refused(session->ask(*encoded, {query(std::string(40000, 'x') + "\xff")}, {}, Cancel()),
                 bad, "UTF-8");
  std::string endless;
  for (int i = 0; i < 20000; ++i) endless += " z7";
  expect_refused(session->ask(*encoded, {query(endless)}, {}, Cancel()), bad, "tokens");
  AskOptions none;
  none.max_new_tokens = 0;
  expect_refused(session->ask(*encoded, {query("a")}, none, Cancel()), bad, "new tokens");
  Query odd = query("a");
  odd.task = "highlight";
  expect_refused(session->ask(*encoded, {odd}, {}, Cancel()), ErrorCode::kUnsupported, "highlight");
  EXPECT_TRUE(value_of(session->ask(*encoded, {}, {}, Cancel())).empty());
}

// Devices and precisions that are not there are refused with a sentence.
TEST(Session, RefusesUnknownDevices) {
  auto open = [](const std::string& device, Precision precision) {
    OpenOptions options;
    options.folder = VIDI_DEMO_CHECKPOINT, options.device = device, options.precision = precision;
    return Session::open(options, Cancel());
  };
  expect_refused(open("tpu", Precision::kAuto), ErrorCode::kBadInput, "tpu");
  expect_refused(open("cuda:x", Precision::kAuto), ErrorCode::kBadInput, "cuda:x");
  expect_refused(open("cuda:99", Precision::kAuto), ErrorCode::kNoDevice, "cuda:99");
  expect_refused(open("cpu", Precision::kFp16), ErrorCode::kUnsupported, "fp16");
}

// The guard ends an answer that repeats a stretch of any length up to 64 tokens, and nothing
// shorter or only similar.
TEST(Repetition, IsFoundAtTheTail) {
  auto repeated = [](int period, int n) {
    std::vector<int> ids = {7, 7, 9};
    for (int i = 0; i < n; ++i) ids.push_back(100 + i % period);
    return ids;
  };
  EXPECT_TRUE(repeats_itself(repeated(1, 24)));
  EXPECT_FALSE(repeats_itself(repeated(1, 23)));
  EXPECT_TRUE(repeats_itself(repeated(11, 44)));
  EXPECT_FALSE(repeats_itself(repeated(11, 43)));
  EXPECT_TRUE(repeats_itself(repeated(64, 256)));
  EXPECT_FALSE(repeats_itself(repeated(65, 1000)));
  std::vector<int> changed = repeated(11, 44);
  changed[20] = 1;
  EXPECT_FALSE(repeats_itself(changed));
  EXPECT_FALSE(repeats_itself({}));
}

// With the guard on, an answer that loops ends early, and every id before that is the same.
TEST(Repetition, NeverChangesAnId) {
  auto session = open_set("vidi15");
  auto encoded = value_of(
      session->encode(look_and_listen(*session, case_of("vidi15", "black"), Cancel()), Cancel()));
  AskOptions guarded, free;
  guarded.max_new_tokens = free.max_new_tokens = 300;
  free.stop_repetition = false;
  const Answer a =
      value_of(session->ask(*encoded, {query("nothing at all")}, guarded, Cancel())).at(0);
  const Answer b =
      value_of(session->ask(*encoded, {query("nothing at all")}, free, Cancel())).at(0);
  ASSERT_LE(a.ids.size(), b.ids.size());
  EXPECT_TRUE(std::equal(a.ids.begin(), a.ids.end(), b.ids.begin()));
  if (a.stop == StopReason::kRepetition) {
    EXPECT_LT(a.ids.size(), b.ids.size());
  }
}

// The side of the feature map follows the published change points for 1 to 2,500 frames.
TEST(Grid, FollowsTheTokenBudget) {
  std::ifstream file(VIDI_TEST_DATA "/frontend/grid.json");
  const auto rows = nlohmann::json::parse(file);
  ProjectorConfig config;
  size_t at = 0;
  for (int frames = 1; frames <= 2500; ++frames) {
    if (at + 1 < rows.size() && rows[at + 1].at("frames_from") <= frames) ++at;
    EXPECT_EQ(image_grid_side(config, 27, frames), rows[at].at("height").get<int>()) << frames;
  }
}

// libvidi.so opens by dlopen and its one symbol hands out an API that works.
TEST(EngineApi, OpensByDlopen) {
  void* library = dlopen(VIDI_ENGINE_LIBRARY,
                         RTLD_NOW | RTLD_LOCAL);  // never closed: libtorch does not allow it
  ASSERT_NE(library, nullptr) << dlerror();
  auto get = reinterpret_cast<const EngineApi* (*)()>(dlsym(library, "vidi_engine_api"));
  ASSERT_NE(get, nullptr);
  EXPECT_EQ(get()->version, kEngineApiVersion);
  OpenOptions options;
  options.folder = VIDI_DEMO_CHECKPOINT, options.device = "cpu";
  auto session = get()->open(options, Cancel());
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ((*session)->info().family, "vidi1.5");
  EXPECT_TRUE((*session)->info().has_highlight_prompt);
  const auto side = get()->picture_side(VIDI_DEMO_CHECKPOINT);
  ASSERT_TRUE(side) << side.error().message;
  EXPECT_EQ(*side, 98);
  EXPECT_FALSE(get()->picture_side("no such folder"));
  const auto rate = get()->frame_rate(VIDI_TEST_DATA "/golden/vidi15/checkpoint");
  ASSERT_TRUE(rate) << rate.error().message;
  EXPECT_EQ(*rate, 1);
  EXPECT_FALSE(get()->frame_rate("no such folder"));
  EXPECT_FALSE(dlsym(library, "_ZN4vidi7Session4openERKNS_11OpenOptionsERKNS_6CancelE"));
}

// What only allocates, fills or moves; everything else computes.
const std::set<std::string> kMovesData = {
    "aten::empty",  "aten::empty_strided", "aten::zeros", "aten::zero_",    "aten::fill_",
    "aten::select", "aten::as_strided",    "aten::to",    "aten::_to_copy", "aten::copy_"};

// On CUDA every weight is on the device in the working dtype, and every operation makes its result
// there. On the host are only the bytes and log-mel features before they are sent, lists of numbers
// (ids, lengths, frequencies) and picked tokens.
TEST(Cuda, EverythingIsOnTheDevice) {
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  for (const char* set : {"vidi15", "vidi7b"}) {
    auto session = open_set(set, "cuda");
    ASSERT_GT(session->model().weights().size(), 50u);
    for (const auto& [name, tensor] : session->model().weights()) {
      EXPECT_TRUE(tensor.is_cuda()) << name;
      EXPECT_EQ(tensor.scalar_type(), at::kHalf) << name;
    }
    DeviceWatch watch;
    auto encoded = value_of(
        session->encode(look_and_listen(*session, case_of(set, "base"), Cancel()), Cancel()));
    ask(*session, *encoded, {"a child"});
    EXPECT_GT(DeviceWatch::seen().operations, 1000);
    for (const std::string& name : DeviceWatch::seen().made_on_host) {
      const bool is_data = kMovesData.count(name) > 0;
      EXPECT_TRUE(is_data) << name << " computes on the host";
    }
  }
}

// A decode step copies one small tensor (what to read) to the device, and one (what was picked)
// from it.
TEST(Cuda, StepsCopyOnlyThePickedTokens) {
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  auto session = open_set("vidi15", "cuda");
  auto encoded = value_of(
      session->encode(look_and_listen(*session, case_of("vidi15", "base"), Cancel()), Cancel()));
  auto watched = [&](int n_tokens) {
    AskOptions options;
    options.max_new_tokens = n_tokens, options.stop_repetition = false;
    DeviceWatch watch;
    const auto answers = session->ask_ids(*encoded, {{2, 5, 300, 301}}, options, Cancel());
    EXPECT_EQ(answers[0].ids.size(), static_cast<size_t>(n_tokens));
    return DeviceWatch::seen();
  };
  watched(2);
  const auto few = watched(4), many = watched(10);
  EXPECT_EQ(many.to_device - few.to_device, 6);  // what to read
  EXPECT_EQ(many.to_host - few.to_host, 6);
  EXPECT_EQ(few.to_host, 4);
  EXPECT_GT(few.operations, 100);
}

}  // namespace
}  // namespace vidi
