#include "tests/tools/timed_engine.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <utility>

#include "model/device/device.h"
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

template <class Note>
void note(Note note) {
  std::lock_guard lock(state().mutex);
  note(state().record);
}

double thread_cpu_s() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// Adds the time of a call, and what is held after it.
class Stopwatch {
 public:
  Stopwatch(const Session& session, double Record::*phase) : session_(session), phase_(phase) {}
  ~Stopwatch() {
    const double took = std::chrono::duration<double>(Clock::now() - begin_).count();
    const int64_t held = session_.device_memory_bytes(), resident = resident_bytes();
    note([&](Record& r) {
      r.busy_s += took, r.*phase_ += took;
      r.engine_cpu_s[static_cast<int>(syscall(SYS_gettid))] += thread_cpu_s() - cpu_begin_;
      r.peak_device_bytes = std::max(r.peak_device_bytes, held);
      r.peak_process_bytes = std::max(r.peak_process_bytes, resident);
    });
  }

 private:
  const Session& session_;
  double Record::*const phase_;
  const Clock::time_point begin_ = Clock::now();
  const double cpu_begin_ = thread_cpu_s();
};

// Random weights know no words: prompts of a usual length, each its own.
std::vector<std::vector<int>> untold_prompts(size_t n) {
  std::vector<std::vector<int>> prompts(n, std::vector<int>(kPromptTokens, 5));
  for (size_t i = 0; i < n; ++i) prompts[i][kPromptTokens / 2] = 10 + static_cast<int>(i);
  return prompts;
}

Answer untold_answer(const Generation& g) {
  Answer answer;
  answer.ids = g.ids, answer.probabilities = g.probabilities, answer.stop = g.stop;
  answer.parsed.says_none = true;
  return answer;
}

// Session::begin_answers() of a model without a tokenizer.
class UntoldAnswers final : public AnswerBatch {
 public:
  explicit UntoldAnswers(AnswerTable table) : table_(std::move(table)) {}
  Result<uint64_t> join(std::shared_ptr<const Encoded> encoded, const std::vector<Query>& queries,
                        const AskOptions& options, const Cancel& cancel) noexcept override {
    return to_result<uint64_t>(cancel, [&] {
      auto window = std::dynamic_pointer_cast<const EncodedWindow>(std::move(encoded));
      return table_.join(std::move(window), untold_prompts(queries.size()), {options, fixed()});
    });
  }
  Result<bool> step(const Cancel& cancel) noexcept override {
    return to_result<bool>(cancel, [&] { return table_.step(cancel); });
  }
  void do_less(const Error& error) noexcept override {
    const auto done = to_result<bool>([&] { return table_.do_less(error), true; });
    if (!done) table_.fail_all(error);
  }
  std::vector<Answered> take_answered() noexcept override {
    std::vector<Answered> answered;
    for (const AnswerTable::Done& done : table_.take_done()) {
      std::vector<Answer> answers;
      for (const Generation& g : done.answers) answers.push_back(untold_answer(g));
      if (done.error)
        answered.push_back({done.number, *done.error});
      else
        answered.push_back({done.number, std::move(answers)});
    }
    return answered;
  }
  void leave(uint64_t number) noexcept override { table_.leave(number); }
  size_t n_rows() const noexcept override { return table_.n_rows(); }
  bool has_room() const noexcept override { return table_.has_room(); }

 private:
  AnswerTable table_;
};

class TimedAnswers final : public AnswerBatch {
 public:
  TimedAnswers(const Session& session, std::unique_ptr<AnswerBatch> answers)
      : session_(session), answers_(std::move(answers)) {}
  Result<uint64_t> join(std::shared_ptr<const Encoded> encoded, const std::vector<Query>& queries,
                        const AskOptions& options, const Cancel& cancel) noexcept override {
    const Stopwatch watch(session_, &Record::answer_s);
    return answers_->join(std::move(encoded), queries, options, cancel);
  }
  Result<bool> step(const Cancel& cancel) noexcept override {
    const Stopwatch watch(session_, &Record::answer_s);
    const auto before = static_cast<int64_t>(answers_->n_rows());
    auto stepped = answers_->step(cancel);
    const int64_t rows = std::max(before, static_cast<int64_t>(answers_->n_rows()));
    note([&](Record& r) { ++(stepped ? r.passes[rows] : r.n_passes_failed); });
    return stepped;
  }
  void do_less(const Error& error) noexcept override { answers_->do_less(error); }
  std::vector<Answered> take_answered() noexcept override {
    std::vector<Answered> all = answers_->take_answered();
    for (const Answered& answered : all) {
      if (!answered.answers) continue;
      for (const Answer& answer : *answered.answers)
        note([&](Record& r) { r.n_tokens += static_cast<int64_t>(answer.ids.size()); });
    }
    return all;
  }
  void leave(uint64_t number) noexcept override { answers_->leave(number); }
  size_t n_rows() const noexcept override { return answers_->n_rows(); }
  bool has_room() const noexcept override { return answers_->has_room(); }

 private:
  const Session& session_;
  const std::unique_ptr<AnswerBatch> answers_;
};

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
  Result<std::vector<double>> similarities(const FrameFeatures& reference,
                                           const FrameList& frames) noexcept override {
    const Stopwatch watch(*this, &Record::look_s);
    return session_->similarities(reference, frames);
  }
  Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept override {
    return session_->begin_window(n_frames);
  }
  Result<std::shared_ptr<PartialWindow>> begin_complete_window(
      const WindowSize& size) noexcept override {
    return session_->begin_complete_window(size);
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
  // What the elements do not use is not timed.
  Result<std::vector<Answer>> ask(const Encoded& encoded, const std::vector<Query>& queries,
                                  const AskOptions& options,
                                  const Cancel& cancel) noexcept override {
    return session_->ask(encoded, queries, options, cancel);
  }
  std::unique_ptr<AnswerBatch> begin_answers() noexcept override {
    auto answers = geometry().empty() ? session_->begin_answers()
                                      : std::make_unique<UntoldAnswers>(session_->new_table());
    return std::make_unique<TimedAnswers>(*this, std::move(answers));
  }
  bool has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const noexcept override {
    return session_->has_room(n_frames, n_samples, has_pictures);
  }
  void unload() noexcept override { session_->unload(); }
  Result<bool> load(const Cancel& cancel) noexcept override { return session_->load(cancel); }
  int64_t device_memory_bytes() const noexcept override { return session_->device_memory_bytes(); }
  void free_caches() noexcept override { session_->free_caches(); }

 private:
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
  static const vidi::EngineApi api{vidi::kEngineApiVersion, &vidi::timed::open,
                                   &vidi::timed::side,      &vidi::timed::rate,
                                   &vidi::shrink_picture,   &vidi::n_cuda_devices};
  return &api;
}
