#include "gst/worker/analysis.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <unordered_set>
#include <utility>

namespace vidi {
namespace {

using Clock = std::chrono::steady_clock;

// How many pictures go to the engine in one call.
constexpr size_t kUsual = 16;
constexpr size_t kSmall = 1;

// Out of a step with its value; its error ends the attempt (see attempt()).
template <class T>
T value_of(Result<T> result) {
  if (!result) throw EngineError(result.error().code, result.error().message);
  return std::move(*result);
}

void check_count(size_t found, size_t expected, const char* what) {
  if (found == expected) return;
  throw EngineError(ErrorCode::kInternal, "The engine returned " + std::to_string(found) + " " +
                                              what + ", expected " + std::to_string(expected) +
                                              ".");
}

// Each picture once, however often the window shows it, without those that were seen before.
std::vector<const SampledFrame*> unseen(const AnalysisWindow& window) {
  std::vector<const SampledFrame*> pictures;
  std::unordered_set<const SampledFrame*> taken;
  for (const auto& frame : window.frames) {
    if (!frame->features && taken.insert(frame.get()).second) pictures.push_back(frame.get());
  }
  return pictures;
}

Frame frame_of(const SampledFrame& picture) {
  const size_t side = static_cast<size_t>(std::max(picture.side, 0));
  if (side == 0 || picture.rgb.size() != side * side * 3) {
    throw EngineError(ErrorCode::kBadInput, "A picture of side " + std::to_string(picture.side) +
                                                " has " + std::to_string(picture.rgb.size()) +
                                                " bytes, expected " +
                                                std::to_string(side * side * 3) + ".");
  }
  return {picture.rgb.data(), picture.side, picture.side, side * 3};
}

void see_in_steps(Session& session, const std::vector<const SampledFrame*>& pictures,
                  const Cancel& cancel, size_t at_once) {
  for (size_t first = 0; first < pictures.size(); first += at_once) {
    const size_t n = std::min(at_once, pictures.size() - first);
    std::vector<Frame> frames;
    for (size_t i = 0; i < n; ++i) frames.push_back(frame_of(*pictures[first + i]));
    auto features = value_of(session.encode_images(frames, cancel));
    check_count(features.size(), n, "pictures' features");
    for (size_t i = 0; i < n; ++i) pictures[first + i]->features = std::move(features[i]);
  }
}

void hear_sound(Session& session, const AnalysisWindow& window) {
  for (const auto& chunk : window.audio) {
    if (chunk->features || chunk->samples.empty()) continue;
    chunk->features = value_of(session.encode_audio(
        chunk->samples.data(), static_cast<int>(chunk->samples.size()), *window.cancel));
  }
}

std::shared_ptr<const Encoded> encode(Session& session, const AnalysisWindow& window) {
  Window features;
  for (const auto& frame : window.frames) features.frames.push_back(frame->features);
  for (const auto& chunk : window.audio) {
    if (chunk->features) features.audio.push_back(chunk->features);
  }
  features.partial = std::exchange(window.prepared, nullptr);
  features.duration_s = std::chrono::duration<double>(window.stop - window.start).count();
  return value_of(session.encode(features, *window.cancel));
}

// The one place where exceptions end.
template <class Body>
Result<Analysis> attempt(Body body) {
  try {
    return Result<Analysis>(body());
  } catch (const EngineError& e) {
    return Error{e.code(), e.what()};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "The host ran out of memory."};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, e.what()};
  }
}

bool out_of_memory(const Result<Analysis>& result) {
  return !result && result.error().code == ErrorCode::kOutOfMemory;
}

void drop_features(const AnalysisWindow& window) {
  for (const auto& frame : window.frames) frame->features.reset();
  for (const auto& chunk : window.audio) chunk->features.reset();
  window.prepared.reset();
}

constexpr int kMostChances = 4;  // an element's own windows, its neighbours', other models'

// `body(at_once)` in the usual steps, and so again when `let_go` found something to free after
// OutOfMemory; then `make_room`, and once more in small steps. kOverLimit is final.
template <class Body, class LetGo, class MakeRoom>
Result<Analysis> with_second_chance(Body body, LetGo let_go, MakeRoom make_room) {
  const Clock::time_point begin = Clock::now();
  Result<Analysis> analysis = attempt([&] { return body(kUsual); });
  for (int i = 0; i < kMostChances && out_of_memory(analysis) && let_go(); ++i) {
    analysis = attempt([&] { return body(kUsual); });
  }
  if (out_of_memory(analysis)) {
    make_room();
    analysis = attempt([&] { return body(kSmall); });
    if (analysis) analysis->in_small_steps = true;
    if (out_of_memory(analysis)) make_room();  // what comes next shall find it
  }
  if (analysis) analysis->inference_time = std::chrono::duration_cast<Time>(Clock::now() - begin);
  return analysis;
}

}  // namespace

std::vector<Query> queries_of(const AskPlan& plan) {
  std::vector<Query> queries;
  for (const Question& question : plan.questions) {
    queries.push_back({question.text, plan.task, plan.prompt_template});
  }
  return queries;
}

Result<Analysis> encode_window(Session& session, std::shared_ptr<const AnalysisWindow> window,
                               const std::function<bool()>& forget_windows) {
  if (!window || !window->plan || !window->cancel) {
    return Error{ErrorCode::kBadInput, "A window without questions cannot be analysed."};
  }
  const auto body = [&](size_t at_once) {
    Analysis analysis;
    analysis.window = window;
    see_in_steps(session, unseen(*window), *window->cancel, at_once);
    hear_sound(session, *window);
    analysis.encoded = encode(session, *window);
    return analysis;
  };
  const auto let_go = [&] {
    if (!forget_windows || !forget_windows()) return false;
    session.free_caches();
    return true;
  };
  return with_second_chance(body, let_go, [&] {
    drop_features(*window);
    session.free_caches();
  });
}

Analysis with_questions(const Analysis& before, std::shared_ptr<const AskPlan> plan,
                        std::shared_ptr<Cancel> cancel) {
  auto window = std::make_shared<AnalysisWindow>(*before.window);
  window->plan = std::move(plan);
  window->cancel = std::move(cancel);
  Analysis analysis;
  analysis.window = std::move(window);
  analysis.encoded = before.encoded;
  return analysis;
}

void look_ahead(Session& session, const std::vector<std::shared_ptr<const SampledFrame>>& pictures,
                const Cancel& cancel) {
  const Result<Analysis> seen = attempt([&] {
    std::vector<const SampledFrame*> unseen;
    for (const auto& picture : pictures) {
      if (!picture->features) unseen.push_back(picture.get());
    }
    see_in_steps(session, unseen, cancel, kUsual);
    return Analysis();
  });
  if (!out_of_memory(seen)) return;
  for (const auto& picture : pictures) picture->features.reset();
  session.free_caches();
}

void hear_ahead(Session& session, const SoundChunk& sound, const Cancel& cancel) {
  if (sound.features || sound.samples.empty()) return;
  auto heard =
      session.encode_audio(sound.samples.data(), static_cast<int>(sound.samples.size()), cancel);
  if (heard) {
    sound.features = std::move(*heard);
  } else if (heard.error().code == ErrorCode::kOutOfMemory) {
    session.free_caches();
  }
}

}  // namespace vidi
