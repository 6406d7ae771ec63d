// The scripted engine. It keeps the engine's contract: what the real one refuses is refused here.
#include "tests/support/scripted_engine.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "model/engine_api.h"
#include "tests/support/scripted_window.h"

namespace vidi::scripted {
namespace {

constexpr int64_t kDeviceBytes = 1000;  // after loading; each encoded window adds as much

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
      locked([n = static_cast<int>(frames.size())](Stage& s) {
        s.record.most_pictures = std::max(s.record.most_pictures, n);
        return s.record.frames_seen += n;
      });
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

  Result<std::vector<double>> similarities(const FrameFeatures& reference,
                                           const FrameList& frames) noexcept override {
    const Visit visit(*this);
    return play<std::vector<double>>(Step::kCompare, Cancel(), [&] {
      const auto& own = own_kind<SeenFrame>(&reference, id_, "a frame");
      std::vector<double> found;
      for (const auto& f : frames)
        found.push_back(
            similarity_of(own.colour, own_kind<SeenFrame>(f.get(), id_, "a frame").colour));
      return found;
    });
  }

  Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept override {
    const Visit visit(*this);
    if (n_frames < 2) return Error{ErrorCode::kBadInput, "a window of fewer than 2 frames"};
    if (!locked([](Stage& s) { return s.script.room; })) return std::shared_ptr<PartialWindow>();
    return std::shared_ptr<PartialWindow>(std::make_shared<ScriptedPartialWindow>(id_, n_frames));
  }
  Result<std::shared_ptr<PartialWindow>> begin_complete_window(
      const WindowSize& size) noexcept override {
    const Visit visit(*this);
    const bool wants_all = locked([&](Stage& s) {
      s.record.window_size = size;
      return s.script.wants_all_features;
    });
    if (size.n_frames < 2 || wants_all) return std::shared_ptr<PartialWindow>();
    return std::shared_ptr<PartialWindow>(
        std::make_shared<ScriptedPartialWindow>(id_, size.n_frames));
  }
  Result<bool> append(PartialWindow& partial, size_t first,
                      const std::vector<std::shared_ptr<const FrameFeatures>>& frames,
                      const Cancel& cancel) noexcept override {
    return perform<bool>(Step::kAppend, cancel, [&] {
      auto& own = own_kind<ScriptedPartialWindow>(&partial, id_, "a partial window");
      if (first > own.done.size() || frames.size() > own.done.size() - first) {
        refuse("more frames than were prepared for");
      }
      for (size_t i = 0; i < frames.size(); ++i) {
        const auto& frame = own_kind<SeenFrame>(frames[i].get(), id_, "a frame");
        own.done[first + i] = {true, frames[i], frame.colour, frame.digest};
      }
      return true;
    });
  }

  Result<std::shared_ptr<const Encoded>> encode(const Window& window,
                                                const Cancel& cancel) noexcept override {
    return perform<std::shared_ptr<const Encoded>>(Step::kEncode, cancel, [&] {
      auto encoded = std::make_shared<ScriptedEncoded>();
      encoded->session = id_;
      encoded->seen = look_at(window, id_);
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

  struct AtWork {
    AtWork() {
      locked([](Stage& s) {
        return s.record.most_at_work = std::max(s.record.most_at_work, ++s.at_work);
      });
    }
    ~AtWork() {
      locked([](Stage& s) { return --s.at_work; });
    }
  };

  // What needs the weights.
  template <class T, class Body>
  Result<T> perform(Step step, const Cancel& cancel, Body body) noexcept {
    const Visit visit(*this);
    const AtWork at_work;
    return play<T>(step, cancel, [&] {
      const auto broken = locked([](Stage& s) { return s.script.broken_device; });
      if (!broken.empty() && broken == info_.device)
        throw EngineError(ErrorCode::kInternal, "the device is broken");
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
    ModelInfo info = locked([](Stage& s) { return s.script.info; });
    if (options.device.find(',') != std::string::npos && !options.split_windows)
      refuse("one device expected, found " + options.device);
    if (options.device.starts_with("cuda:")) info.device = options.device;
    if (locked([&](Stage& s) { return s.script.broken_device == "no " + info.device; }))
      refuse("no room on " + info.device);
    return std::make_unique<ScriptedSession>(std::move(info));
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

int n_cuda_devices() noexcept {
  return locked([](Stage& s) { return s.script.n_cuda_devices; });
}

}  // namespace
}  // namespace vidi::scripted

#pragma GCC visibility push(default)

extern "C" const vidi::EngineApi* vidi_engine_api() {
  static const vidi::EngineApi api{vidi::kEngineApiVersion,       &vidi::scripted::open,
                                   &vidi::scripted::picture_side, &vidi::scripted::frame_rate,
                                   &vidi::scripted::shrink,       &vidi::scripted::n_cuda_devices};
  return &api;
}

#pragma GCC visibility pop
