#include "tests/tools/timed_engine.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <utility>

#include "model/engine_api.h"
#include "model/session/checkpoint_facts.h"
#include "model/session/vidi_session.h"
#include "model/to_result.h"
#include "tests/tools/geometry.h"

#pragma GCC visibility push(default)

namespace vidi::timed {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kPromptTokens = 31;  // of a typical retrieval question

struct State {
  std::mutex mutex;
  Record record;
  std::string geometry;
  bool fixed = false;
};
State& state() {
  static State& the_state = *new State;  // a model's thread may still be here at the end
  return the_state;
}
std::string geometry() {
  std::lock_guard lock(state().mutex);
  return state().geometry;
}
bool fixed() {
  std::lock_guard lock(state().mutex);
  return state().fixed;
}

int64_t resident_bytes() {
  int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class TimedSession final : public Session {
 public:
  explicit TimedSession(std::unique_ptr<VidiSession> session) : session_(std::move(session)) {}

  ModelInfo info() const noexcept override { return session_->info(); }
  Result<FrameList> encode_images(const std::vector<Frame>& frames,
                                  const Cancel& cancel) noexcept override {
    const Stopwatch watch(*this, &Record::look_s);
    note([&](Record& r) { ++r.tower_passes[static_cast<int64_t>(frames.size())]; });
    return session_->encode_images(frames, cancel);
  }
  Result<std::shared_ptr<const AudioFeatures>> encode_audio(
      const float* samples, int n, const Cancel& cancel) noexcept override {
    const Stopwatch watch(*this, &Record::look_s);
    return session_->encode_audio(samples, n, cancel);
  }
  Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept override {
    return session_->begin_window(n_frames);
  }
  Result<bool> append(PartialWindow& partial, size_t first, const FrameList& frames,
                      const Cancel& cancel) noexcept override {
    const Stopwatch watch(*this, &Record::stream_s);
    return session_->append(partial, first, frames, cancel);
  }
  Result<std::shared_ptr<const Encoded>> encode(const Window& window,
                                                const Cancel& cancel) noexcept override {
    const Stopwatch watch(*this, &Record::stream_s);
    return session_->encode(window, cancel);
  }
  Result<std::vector<Answer>> ask(const Encoded& encoded, const std::vector<Query>& queries,
                                  const AskOptions& options,
                                  const Cancel& cancel) noexcept override {
    const Stopwatch watch(*this, &Record::answer_s);
    auto answers = geometry().empty() ? session_->ask(encoded, queries, options, cancel)
                                      : ask_untold(encoded, queries, options, cancel);
    if (answers) count(*answers);
    return answers;
  }
  void unload() noexcept override { session_->unload(); }
  Result<bool> load(const Cancel& cancel) noexcept override { return session_->load(cancel); }
  int64_t device_memory_bytes() const noexcept override { return session_->device_memory_bytes(); }
  void free_caches() noexcept override { session_->free_caches(); }

 private:
  // Adds the time of a call, and what is held after it.
  struct Stopwatch {
    Stopwatch(TimedSession& session, double Record::*phase) : session(session), phase(phase) {}
    ~Stopwatch() {
      const double took = std::chrono::duration<double>(Clock::now() - begin).count();
      const int64_t held = session.session_->device_memory_bytes(), resident = resident_bytes();
      note([&](Record& r) {
        r.busy_s += took, r.*phase += took;
        r.peak_device_bytes = std::max(r.peak_device_bytes, held);
        r.peak_process_bytes = std::max(r.peak_process_bytes, resident);
      });
    }
    TimedSession& session;
    double Record::*phase;
    const Clock::time_point begin = Clock::now();
  };
  template <class Note>
  static void note(Note note) {
    std::lock_guard lock(state().mutex);
    note(state().record);
  }
  static void count(const std::vector<Answer>& answers) {
    size_t longest = 0;
    for (const Answer& answer : answers) longest = std::max(longest, answer.ids.size());
    note([&](Record& r) {
      for (const Answer& answer : answers) r.n_tokens += static_cast<int64_t>(answer.ids.size());
      r.passes[static_cast<int64_t>(answers.size())] += static_cast<int64_t>(longest);
    });
  }
  // Random weights know no words: prompts of a usual length, each its own.
  Result<std::vector<Answer>> ask_untold(const Encoded& encoded, const std::vector<Query>& queries,
                                         const AskOptions& options, const Cancel& cancel) {
    return to_result<std::vector<Answer>>(cancel, [&] {
      auto answers = session_->ask_ids(encoded, prompts_of(queries.size()), options, cancel);
      for (Answer& answer : answers) answer.parsed.says_none = true;
      return answers;
    });
  }
  static std::vector<std::vector<int>> prompts_of(size_t n) {
    std::vector<std::vector<int>> prompts(n, std::vector<int>(kPromptTokens, 5));
    for (size_t i = 0; i < n; ++i) prompts[i][kPromptTokens / 2] = 10 + static_cast<int>(i);
    return prompts;
  }

  const std::unique_ptr<VidiSession> session_;
};

Result<std::unique_ptr<Session>> open(const OpenOptions& options, const Cancel& cancel) noexcept {
  return to_result<std::unique_ptr<Session>>(cancel, [&]() -> std::unique_ptr<Session> {
    std::unique_ptr<VidiSession> session;
    if (const std::string name = geometry(); name.empty()) {
      session = VidiSession::load(options, cancel);
    } else {
      const CheckpointGeometry shapes = checkpoint_geometry(name);
      session = VidiSession::random(config_of(shapes), shapes_of(shapes), options, 1);
    }
    if (fixed()) session->fix_answer_lengths();
    return std::make_unique<TimedSession>(std::move(session));
  });
}

Result<int> side(const std::string& folder) noexcept {
  const std::string name = geometry();
  if (name.empty()) return picture_side(folder);
  return to_result<int>([&] { return config_of(checkpoint_geometry(name)).vision.image_size; });
}

Result<double> rate(const std::string& folder) noexcept {
  return geometry().empty() ? frame_rate(folder) : Result<double>(1.0);
}

}  // namespace

void use_geometry(const std::string& name) {
  std::lock_guard lock(state().mutex);
  state().geometry = name;
}

void fix_answer_lengths(bool on) {
  std::lock_guard lock(state().mutex);
  state().fixed = on;
}

Record take() {
  std::lock_guard lock(state().mutex);
  return std::exchange(state().record, {});
}

}  // namespace vidi::timed

extern "C" const vidi::EngineApi* vidi_engine_api() {
  static const vidi::EngineApi api{vidi::kEngineApiVersion, &vidi::timed::open, &vidi::timed::side,
                                   &vidi::timed::rate, &vidi::shrink_picture};
  return &api;
}
