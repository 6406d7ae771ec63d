// The scripted engine. It keeps the engine's contract: what the real one refuses is refused here.
#include "tests/support/scripted_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <type_traits>

#include "model/engine_api.h"
#include "model/session.h"
#include "model/text/answer.h"
#include "model/text/utf8.h"
#include "model/towers/device_picture.h"

#pragma GCC visibility push(default)

namespace vidi::scripted {
namespace {

constexpr int kSteps = 9;
constexpr int64_t kDeviceBytes = 1000;  // after loading; each encoded window adds as much
constexpr int kChunkSamples = 480000;   // 30 s
constexpr int kTokenSamples = 1600;     // of sound for one token
constexpr int64_t kLeastSamples = 2 * kTokenSamples;  // less counts as no sound, as in the engine

struct Failure {
  Error error;
  int times = 0;  // below 0: for ever
};

// For a program that runs as a process of its own.
std::string default_answer() {
  const char* told = std::getenv("VIDI_SCRIPTED_ANSWER");
  return told ? told : "none";
}

bool holds(const std::vector<Query>& queries, const char* text) {
  return std::any_of(queries.begin(), queries.end(), [&](const Query& query) {
    return query.text.find(text) != std::string::npos;
  });
}

// Busy for so long, as a GPU is: the processor is free meanwhile.
void take_told_time(const std::vector<Query>& queries, const Cancel& cancel) {
  const char* slow = std::getenv("VIDI_SCRIPTED_SLOW");
  if (slow && !holds(queries, slow)) return;
  const char* told = std::getenv("VIDI_SCRIPTED_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(told ? std::strtod(told, nullptr) : 0);
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable never;
  while (std::chrono::steady_clock::now() < end) {
    cancel.check();
    never.wait_until(lock, std::min(end, std::chrono::steady_clock::now() +
                                             std::chrono::duration<double>(0.02)));
  }
}

void log_ask() {
  const char* told = std::getenv("VIDI_SCRIPTED_LOG");
  FILE* log = told ? fopen(told, "a") : nullptr;
  if (!log) return;
  fputs("ask\n", log);  // one write: lines of several processes stay whole
  fclose(log);
}

void crash_if_told(const std::vector<Query>& queries) {
  const char* told = std::getenv("VIDI_SCRIPTED_CRASH");
  if (told && holds(queries, told)) raise(SIGSEGV);
}

// What the environment wants to happen when these are read.
void read_as_told(const std::vector<Query>& queries, const Cancel& cancel) {
  log_ask();
  crash_if_told(queries);
  take_told_time(queries, cancel);
}

// What the tests set.
struct Script {
  AnswerFn answer = [](const Query&, const SeenWindow&) { return default_answer(); };
  ModelInfo info{.device = "cpu",
                 .precision = "fp32",
                 .weights = "native",
                 .keys = "native",
                 .plan = {},
                 .family = "vidi1.5",
                 .weight_bytes = 1,
                 .why_no_gpu = {},
                 .unused_tensors = {}};
  int side = 32;
  Result<double> frame_rate = 1.0;
  ShrinkFn shrink = [](const DevicePicture&, int, uint8_t*) {
    return Error{ErrorCode::kUnsupported, "the scripted engine knows no device"};
  };
  double confidence = 0.9;
  bool truncate = false, room = true;
  int most_encoded = -1;  // windows alive at once; below 0: any number
  int passes = 1, most_together = 128;
  std::array<Failure, kSteps> failures;
  std::array<bool, kSteps> held{};
};

// What the tests read.
struct Record {
  std::array<int, kSteps> entered{};
  int cancelled = 0, frames_seen = 0, caches_freed = 0;
  std::vector<Query> queries;
  int max_new_tokens = 0;
  SeenWindow window;
  double progress = 0;
  uint64_t memory_limit = 0;
  int most_together = 0, most_encoded = 0;
};

struct Stage {
  std::mutex mutex;
  std::condition_variable changed;
  Script script;
  Record record;
  int open_sessions = 0, partial_windows = 0, encoded = 0;  // the truth, so reset() leaves it alone
};

// Never destroyed: a model's thread may still be here while the process ends.
Stage& stage() {
  static Stage& the_stage = *new Stage;
  return the_stage;
}

template <class Read>
auto locked(Read read) {
  std::lock_guard lock(stage().mutex);
  return read(stage());
}

size_t number(Step step) { return static_cast<size_t>(step); }

[[noreturn]] void refuse(const std::string& message) {
  throw EngineError(ErrorCode::kBadInput, message);
}

void wait_while_held(Step step, const Cancel& cancel) {
  std::unique_lock lock(stage().mutex);
  while (stage().script.held[number(step)]) {
    cancel.check();
    stage().changed.wait_for(lock, std::chrono::milliseconds(1));
  }
  cancel.check();
}

void fail_if_told(Step step) {
  std::lock_guard lock(stage().mutex);
  Failure& failure = stage().script.failures[number(step)];
  if (failure.times == 0) return;
  if (failure.times > 0) --failure.times;
  throw EngineError(failure.error.code, failure.error.message);
}

void count_entry(Step step) {
  locked([&](Stage& s) { return ++s.record.entered[number(step)]; });
  stage().changed.notify_all();
}

// Held and failed as the script says.
void act(Step step, const Cancel& cancel) {
  wait_while_held(step, cancel);
  fail_if_told(step);
}

// The one place where exceptions end, as in the engine.
template <class T, class Body>
Result<T> play(Step step, const Cancel& cancel, Body body) noexcept {
  try {
    count_entry(step);
    if (step != Step::kOpen) act(step, cancel);
    return Result<T>(body());
  } catch (const EngineError& e) {
    if (e.code() == ErrorCode::kCancelled) locked([](Stage& s) { return ++s.record.cancelled; });
    return Error{e.code(), e.what()};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, e.what()};
  } catch (...) {
    return Error{ErrorCode::kInternal, "an unknown exception"};
  }
}

struct SeenFrame final : FrameFeatures {
  int session = 0;
  uint32_t colour = 0;
  uint64_t digest = 0;
};

struct HeardSound final : AudioFeatures {
  int session = 0;
  std::vector<float> samples;
  int n_samples() const override { return static_cast<int>(samples.size()); }
};

struct ScriptedEncoded final : Encoded {
  ScriptedEncoded() {
    locked([](Stage& s) {
      s.record.most_encoded = std::max(s.record.most_encoded, ++s.encoded);
      return 0;
    });
  }
  ~ScriptedEncoded() override {
    locked([](Stage& s) { return --s.encoded; });
    stage().changed.notify_all();
  }
  int session = 0;
  SeenWindow seen;
  bool has_frames() const override { return !seen.frames.empty(); }
  bool has_audio() const override {
    return static_cast<int64_t>(seen.audio.size()) >= kLeastSamples;
  }
  int64_t n_tokens() const override {
    return static_cast<int64_t>(seen.frames.size() + seen.audio.size() / kTokenSamples);
  }
  double duration_s() const override { return seen.duration_s; }
};

// The features as this session's own, or a refusal: features of a freed model mean nothing.
template <class Own, class Shared>
auto& own_kind(Shared* shared, int session, const char* what) {
  using Kind = std::conditional_t<std::is_const_v<Shared>, const Own, Own>;
  auto* own = dynamic_cast<Kind*>(shared);
  if (!own) refuse(std::string(what) + " was not made by this engine");
  if (own->session != session) refuse(std::string(what) + " was made by another session");
  return *own;
}

uint32_t middle_pixel(const Frame& f) {
  if (!f.rgb || f.width < 1 || f.height < 1 || f.stride < static_cast<size_t>(f.width) * 3) {
    refuse("a frame of " + std::to_string(f.width) + " x " + std::to_string(f.height) +
           " with a stride of " + std::to_string(f.stride) +
           " bytes, expected RGB rows of at least 1 pixel");
  }
  const uint8_t* p = f.rgb + (f.height / 2) * f.stride + static_cast<size_t>(f.width / 2) * 3;
  return uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2];
}

// FNV-1a of the rows, without what lies between them.
uint64_t digest_of(const Frame& f) {
  uint64_t digest = 14695981039346656037u;
  for (int y = 0; y < f.height; ++y) {
    const uint8_t* row = f.rgb + static_cast<size_t>(y) * f.stride;
    for (size_t i = 0; i < static_cast<size_t>(f.width) * 3; ++i)
      digest = (digest ^ row[i]) * 1099511628211u;
  }
  return digest;
}

void check_shape(const Window& window) {
  if (window.frames.size() == 1) refuse("a window with 1 frame, expected none or at least 2");
  if (!(window.duration_s > 0) || !std::isfinite(window.duration_s)) {
    refuse("a window of " + std::to_string(window.duration_s) + " s, expected more than 0");
  }
}

SeenWindow look_at(const Window& window, int session) {
  check_shape(window);
  SeenWindow seen;
  seen.duration_s = window.duration_s;
  for (const auto& f : window.frames) {
    const auto& frame = own_kind<SeenFrame>(f.get(), session, "a frame");
    seen.frames.push_back(frame.colour);
    seen.digests.push_back(frame.digest);
  }
  for (size_t i = 0; i < window.audio.size(); ++i) {
    const auto& sound = own_kind<HeardSound>(window.audio[i].get(), session, "a stretch of sound");
    if (sound.n_samples() < kChunkSamples && i + 1 < window.audio.size()) {
      refuse("stretch " + std::to_string(i) + " of a window has " +
             std::to_string(sound.n_samples()) + " samples, expected " +
             std::to_string(kChunkSamples) + " in all but the last");
    }
    seen.audio.insert(seen.audio.end(), sound.samples.begin(), sound.samples.end());
  }
  if (seen.frames.empty() && static_cast<int64_t>(seen.audio.size()) < kLeastSamples) {
    refuse("a window without frames and without sound, expected at least one of them");
  }
  return seen;
}

struct ScriptedPartialWindow final : PartialWindow {
  ScriptedPartialWindow(int session, size_t n) : session(session), done(n) {
    locked([](Stage& s) { return ++s.partial_windows; });
  }
  ~ScriptedPartialWindow() override {
    locked([](Stage& s) { return --s.partial_windows; });
    stage().changed.notify_all();
  }
  size_t n_frames() const override { return done.size(); }
  int session;
  std::vector<std::shared_ptr<const FrameFeatures>> done;
};

size_t n_prepared(const Window& window, int session) {
  if (!window.partial) return 0;
  const auto& own =
      own_kind<ScriptedPartialWindow>(window.partial.get(), session, "a partial window");
  if (own.done.size() != window.frames.size()) return 0;
  size_t n = 0;
  for (size_t i = 0; i < own.done.size(); ++i) n += own.done[i] == window.frames[i] ? 1 : 0;
  return n;
}

Answer answer_to(const Query& query, const SeenWindow& seen, const Script& script) {
  if (!is_utf8(query.text)) refuse("A query should be UTF-8 text, found other bytes.");
  Answer answer;
  answer.text = script.answer(query, seen);
  answer.parsed = parse_answer(answer.text);
  for (const AnswerRange& r : answer.parsed.ranges) {
    answer.spans.push_back({r.start, r.stop, r.start * seen.duration_s, r.stop * seen.duration_s,
                            script.confidence, r.label});
  }
  answer.ids = {11, 12, 13};
  answer.probabilities.assign(3, static_cast<float>(script.confidence));
  answer.stop = script.truncate ? StopReason::kMaxTokens : StopReason::kEndToken;
  return answer;
}

class ScriptedSession final : public Session {
 public:
  explicit ScriptedSession(ModelInfo info) : info_(std::move(info)) {
    static int last_id = 0;  // under the stage's lock
    id_ = locked([](Stage& s) {
      ++s.open_sessions;
      return ++last_id;
    });
  }
  ~ScriptedSession() override {
    locked([](Stage& s) { return --s.open_sessions; });
    stage().changed.notify_all();
  }
  ModelInfo info() const noexcept override { return info_; }

  Result<std::vector<std::shared_ptr<const FrameFeatures>>> encode_images(
      const std::vector<Frame>& frames, const Cancel& cancel) noexcept override {
    using Out = std::vector<std::shared_ptr<const FrameFeatures>>;
    return perform<Out>(Step::kEncodeImages, cancel, [&] {
      Out out;
      for (const Frame& f : frames) {
        auto seen = std::make_shared<SeenFrame>();
        seen->session = id_;
        seen->colour = middle_pixel(f);
        seen->digest = digest_of(f);
        out.push_back(std::move(seen));
      }
      locked([&](Stage& s) { return s.record.frames_seen += static_cast<int>(frames.size()); });
      return out;
    });
  }

  Result<std::shared_ptr<const AudioFeatures>> encode_audio(
      const float* samples, int n, const Cancel& cancel) noexcept override {
    return perform<std::shared_ptr<const AudioFeatures>>(Step::kEncodeAudio, cancel, [&] {
      if (!samples || n < 1 || n > kChunkSamples) {
        refuse("a stretch of " + std::to_string(n) + " samples, expected 1 to " +
               std::to_string(kChunkSamples));
      }
      auto heard = std::make_shared<HeardSound>();
      heard->session = id_;
      heard->samples.assign(samples, samples + n);
      return heard;
    });
  }

  Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept override {
    const Visit visit(*this);
    if (n_frames < 2) return Error{ErrorCode::kBadInput, "a window of fewer than 2 frames"};
    if (!locked([](Stage& s) { return s.script.room; })) return std::shared_ptr<PartialWindow>();
    return std::shared_ptr<PartialWindow>(std::make_shared<ScriptedPartialWindow>(id_, n_frames));
  }
  Result<bool> append(PartialWindow& partial, size_t first,
                      const std::vector<std::shared_ptr<const FrameFeatures>>& frames,
                      const Cancel& cancel) noexcept override {
    return perform<bool>(Step::kAppend, cancel, [&] {
      auto& own = own_kind<ScriptedPartialWindow>(&partial, id_, "a partial window");
      if (first > own.done.size() || frames.size() > own.done.size() - first) {
        refuse("more frames than were prepared for");
      }
      for (const auto& f : frames) own_kind<SeenFrame>(f.get(), id_, "a frame");
      std::copy(frames.begin(), frames.end(),
                own.done.begin() + static_cast<std::ptrdiff_t>(first));
      return true;
    });
  }

  Result<std::shared_ptr<const Encoded>> encode(const Window& window,
                                                const Cancel& cancel) noexcept override {
    return perform<std::shared_ptr<const Encoded>>(Step::kEncode, cancel, [&] {
      auto encoded = std::make_shared<ScriptedEncoded>();
      encoded->session = id_;
      encoded->seen = look_at(window, id_);
      encoded->seen.n_prepared = n_prepared(window, id_);
      locked([&](Stage& s) { return s.record.window = encoded->seen; });
      ++n_encoded_;
      return encoded;
    });
  }

  Result<std::vector<Answer>> ask(const Encoded& encoded, const std::vector<Query>& queries,
                                  const AskOptions& options,
                                  const Cancel& cancel) noexcept override {
    return perform<std::vector<Answer>>(Step::kAsk, cancel, [&] {
      auto answers = answers_to(encoded, queries, options);
      read_as_told(queries, cancel);
      return answers;
    });
  }
  std::unique_ptr<AnswerBatch> begin_answers() noexcept override;
  bool has_room(size_t, int64_t, bool) const noexcept override {
    return locked(
        [](Stage& s) { return s.script.most_encoded < 0 || s.encoded < s.script.most_encoded; });
  }

  void unload() noexcept override {
    const Visit visit(*this);
    why_unloaded_ = Error{ErrorCode::kInternal, "the weights are not loaded"};
    count_entry(Step::kUnload);
  }
  Result<bool> load(const Cancel& cancel) noexcept override {
    const Visit visit(*this);
    auto loaded = play<bool>(Step::kLoad, cancel, [] { return true; });
    why_unloaded_ = loaded ? std::nullopt : std::optional(loaded.error());
    return loaded;
  }

  int64_t device_memory_bytes() const noexcept override {
    return kDeviceBytes * ((why_unloaded_ ? 0 : 1) + n_encoded_);
  }
  void free_caches() noexcept override {
    locked([](Stage& s) { return ++s.record.caches_freed; });
  }

 private:
  friend class ScriptedAnswers;
  std::vector<Answer> answers_to(const Encoded& encoded, const std::vector<Query>& queries,
                                 const AskOptions& options) const {
    locked([&](Stage& s) {
      s.record.max_new_tokens = options.max_new_tokens;
      return s.record.queries = queries;
    });
    const auto& window = own_kind<ScriptedEncoded>(&encoded, id_, "an encoded window");
    if (options.max_new_tokens < 1) refuse("fewer than 1 new token asked for");
    for (const Query& q : queries) {
      if (q.text == "<pad>") refuse("A query must not hold \"<pad>\".");
    }
    const Script script = locked([](Stage& s) { return s.script; });
    std::vector<Answer> answers;
    for (const Query& q : queries) answers.push_back(answer_to(q, window.seen, script));
    return answers;
  }
  // One thread at a time: a second one ends the test program, since no Result could tell it surely.
  struct Visit {
    explicit Visit(ScriptedSession& session) : busy(session.busy_) {
      if (busy.exchange(true)) {
        fputs("scripted engine: two threads inside one Session\n", stderr);
        abort();
      }
    }
    ~Visit() { busy.store(false); }
    std::atomic<bool>& busy;
  };

  // What needs the weights.
  template <class T, class Body>
  Result<T> perform(Step step, const Cancel& cancel, Body body) noexcept {
    const Visit visit(*this);
    return play<T>(step, cancel, [&] {
      if (why_unloaded_) throw EngineError(why_unloaded_->code, why_unloaded_->message);
      return body();
    });
  }

  const ModelInfo info_;
  std::optional<Error> why_unloaded_;
  int id_ = 0;
  int n_encoded_ = 0;
  std::atomic<bool> busy_{false};
};

// Questions of several windows: each window is asked (Step::kAsk) with the first pass after it
// joined, and answered after as many passes as the script says.
class ScriptedAnswers final : public AnswerBatch {
 public:
  explicit ScriptedAnswers(ScriptedSession& session) : session_(session) {}

  Result<uint64_t> join(std::shared_ptr<const Encoded> encoded, const std::vector<Query>& queries,
                        const AskOptions& options, const Cancel&) noexcept override {
    const ScriptedSession::Visit visit(session_);
    try {
      // Refused as by ask(), and answered as the script is now.
      auto answers = session_.answers_to(*encoded, queries, options);
      const int passes = locked([](Stage& s) { return s.script.passes; });
      windows_.push_back({++last_number_, std::move(encoded), queries, std::move(answers), passes});
      return last_number_;
    } catch (const EngineError& e) {
      return Error{e.code(), e.what()};
    }
  }
  Result<bool> step(const Cancel& cancel) noexcept override {
    for (Asked& window : windows_) {
      if (window.is_read || n_under_way() >= most_) continue;
      const auto read = session_.perform<bool>(Step::kAsk, cancel, [&] {
        read_as_told(window.queries, cancel);
        return true;
      });
      if (!read) return read.error();
      window.is_read = true;
    }
    const auto passed = session_.perform<bool>(Step::kPass, cancel, [] { return true; });
    if (!passed) return passed.error();
    const auto n = static_cast<int>(n_under_way());
    locked([n](Stage& s) { return s.record.most_together = std::max(s.record.most_together, n); });
    std::erase_if(windows_, [this](Asked& window) {
      if (!window.is_read || --window.passes_left > 0) return false;
      answered_.push_back({window.number, std::move(window.answers)});
      return true;
    });
    return !windows_.empty();
  }
  void do_less(const Error& error) noexcept override {
    const size_t n = std::max<size_t>(n_under_way(), 1);
    if (n == 1 && was_small_ && !windows_.empty()) {
      answered_.push_back({windows_.front().number, error});
      windows_.erase(windows_.begin());
    }
    was_small_ = n == 1;
    most_ = std::max<size_t>(n / 2, 1);
  }
  std::vector<Answered> take_answered() noexcept override { return std::exchange(answered_, {}); }
  void leave(uint64_t number) noexcept override {
    std::erase_if(windows_, [number](const Asked& window) { return window.number == number; });
  }
  size_t n_rows() const noexcept override { return n_under_way(); }
  bool has_room() const noexcept override {
    return locked(
        [this](Stage& s) { return static_cast<int>(windows_.size()) < s.script.most_together; });
  }

 private:
  struct Asked {
    uint64_t number;
    std::shared_ptr<const Encoded> encoded;
    std::vector<Query> queries;
    std::vector<Answer> answers;
    int passes_left;
    bool is_read = false;
  };
  size_t n_under_way() const {
    return static_cast<size_t>(std::count_if(windows_.begin(), windows_.end(),
                                             [](const Asked& window) { return window.is_read; }));
  }

  ScriptedSession& session_;
  std::vector<Asked> windows_;
  std::vector<Answered> answered_;
  uint64_t last_number_ = 0;
  size_t most_ = SIZE_MAX;
  bool was_small_ = false;
};

std::unique_ptr<AnswerBatch> ScriptedSession::begin_answers() noexcept {
  return std::make_unique<ScriptedAnswers>(*this);
}

void report(const OpenOptions& options, double fraction) {
  locked([&](Stage& s) { return s.record.progress = fraction; });
  if (options.progress) options.progress(fraction);
}

Result<std::unique_ptr<Session>> open(const OpenOptions& options, const Cancel& cancel) noexcept {
  locked([&](Stage& s) { return s.record.memory_limit = options.memory_limit; });
  return play<std::unique_ptr<Session>>(Step::kOpen, cancel, [&] {
    for (const double fraction : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      report(options, fraction);
      if (fraction == 0.5) act(Step::kOpen, cancel);
      cancel.check();
    }
    return std::make_unique<ScriptedSession>(locked([](Stage& s) { return s.script.info; }));
  });
}

Result<int> picture_side(const std::string& folder) noexcept {
  return locked([](Stage& s) { return s.script.side; });
}

Result<double> frame_rate(const std::string& folder) noexcept {
  return locked([](Stage& s) { return s.script.frame_rate; });
}

Result<bool> shrink(const DevicePicture& picture, int side, uint8_t* rgb) noexcept {
  return locked([](Stage& s) { return s.script.shrink; })(picture, side, rgb);
}

template <class Change>
void change(Change what) {
  locked([&](Stage& s) {
    what(s);
    return 0;
  });
  stage().changed.notify_all();
}

}  // namespace

void reset() {
  change([](Stage& s) {
    s.script = Script();
    s.record = Record();
  });
}

void answer_with(AnswerFn fn) {
  change([&](Stage& s) { s.script.answer = std::move(fn); });
}
void answer_with(const std::string& text) {
  answer_with([text](const Query&, const SeenWindow&) { return text; });
}
void set_info(const ModelInfo& info) {
  change([&](Stage& s) { s.script.info = info; });
}
void set_picture_side(int side) {
  change([&](Stage& s) { s.script.side = side; });
}
void set_frame_rate(const Result<double>& rate) {
  change([&](Stage& s) { s.script.frame_rate = rate; });
}
void shrink_with(ShrinkFn fn) {
  change([&](Stage& s) { s.script.shrink = std::move(fn); });
}
void fail(Step step, const Error& error, int times) {
  change([&](Stage& s) { s.script.failures[number(step)] = {error, times}; });
}
void confidence(double value) {
  change([&](Stage& s) { s.script.confidence = value; });
}
void room_for_partial_windows(bool on) {
  change([&](Stage& s) { s.script.room = on; });
}
void passes_of_an_answer(int n) {
  change([&](Stage& s) { s.script.passes = n; });
}
void most_together(int n) {
  change([&](Stage& s) { s.script.most_together = n; });
}
void room_for_windows(int n) {
  change([&](Stage& s) { s.script.most_encoded = n; });
}
void truncate_answers(bool on) {
  change([&](Stage& s) { s.script.truncate = on; });
}
void hold(Step step) {
  change([&](Stage& s) { s.script.held[number(step)] = true; });
}
void release(Step step) {
  change([&](Stage& s) { s.script.held[number(step)] = false; });
}

bool wait_for(Step step, int n) {
  std::unique_lock lock(stage().mutex);
  return stage().changed.wait_for(lock, std::chrono::seconds(20),
                                  [&] { return stage().record.entered[number(step)] >= n; });
}

int count(Step step) {
  return locked([&](Stage& s) { return s.record.entered[number(step)]; });
}
int n_cancelled() {
  return locked([](Stage& s) { return s.record.cancelled; });
}
int n_open_sessions() {
  return locked([](Stage& s) { return s.open_sessions; });
}
int n_partial_windows() {
  return locked([](Stage& s) { return s.partial_windows; });
}
int n_encoded_windows() {
  return locked([](Stage& s) { return s.encoded; });
}
int most_encoded_windows() {
  return locked([](Stage& s) { return s.record.most_encoded; });
}
int most_answered_together() {
  return locked([](Stage& s) { return s.record.most_together; });
}
int n_frames_seen() {
  return locked([](Stage& s) { return s.record.frames_seen; });
}
int n_caches_freed() {
  return locked([](Stage& s) { return s.record.caches_freed; });
}
std::vector<Query> queries() {
  return locked([](Stage& s) { return s.record.queries; });
}
int max_new_tokens() {
  return locked([](Stage& s) { return s.record.max_new_tokens; });
}
SeenWindow last_window() {
  return locked([](Stage& s) { return s.record.window; });
}
double reported_progress() {
  return locked([](Stage& s) { return s.record.progress; });
}
uint64_t memory_limit() {
  return locked([](Stage& s) { return s.record.memory_limit; });
}

}  // namespace vidi::scripted

extern "C" const vidi::EngineApi* vidi_engine_api() {
  static const vidi::EngineApi api{vidi::kEngineApiVersion, &vidi::scripted::open,
                                   &vidi::scripted::picture_side, &vidi::scripted::frame_rate,
                                   &vidi::scripted::shrink};
  return &api;
}

#pragma GCC visibility pop
