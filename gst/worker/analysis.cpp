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

// How much goes to the engine in one call.
struct Steps {
  size_t pictures, questions;
};
constexpr Steps kUsual{16, SIZE_MAX};
constexpr Steps kSmall{1, 1};

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

// A group with a question that is refused is asked in halves: the refusal comes before any work.
void ask_some(Session& session, const AnalysisWindow& window, const std::vector<Query>& queries,
              Analysis& analysis) {
  AskOptions options;
  options.max_new_tokens = window.plan->max_new_tokens;
  auto some = session.ask(*analysis.encoded, queries, options, *window.cancel);
  const bool is_refused = !some && some.error().code == ErrorCode::kBadInput;
  if (is_refused && queries.size() == 1) {
    analysis.refusals.push_back(some.error().message);
    analysis.answers.emplace_back();
    analysis.answers.back().parsed.understood = true;  // there is nothing to understand
  } else if (is_refused) {
    const auto middle = queries.begin() + static_cast<std::ptrdiff_t>(queries.size() / 2);
    ask_some(session, window, {queries.begin(), middle}, analysis);
    ask_some(session, window, {middle, queries.end()}, analysis);
  } else {
    std::vector<Answer> answers = value_of(std::move(some));
    check_count(answers.size(), queries.size(), "answers");
    std::move(answers.begin(), answers.end(), std::back_inserter(analysis.answers));
    analysis.refusals.resize(analysis.answers.size());
  }
}

void ask_questions(Session& session, const AnalysisWindow& window, size_t at_once,
                   Analysis& analysis) {
  const std::vector<Query> queries = queries_of(*window.plan);
  for (size_t first = 0; first < queries.size();) {
    const size_t n = std::min(at_once, queries.size() - first);
    const auto begin = queries.begin() + static_cast<std::ptrdiff_t>(first);
    ask_some(session, window, {begin, begin + static_cast<std::ptrdiff_t>(n)}, analysis);
    first += n;
  }
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

// `body(steps)` in the usual steps, and so again when `let_go` found something to free after
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

auto letting_go(Session& session, const std::function<bool()>& forget_windows) {
  return [&session, &forget_windows] {
    if (!forget_windows || !forget_windows()) return false;
    session.free_caches();
    return true;
  };
}

}  // namespace

std::vector<Query> queries_of(const AskPlan& plan) {
  std::vector<Query> queries;
  for (const Question& question : plan.questions) {
    queries.push_back({question.text, plan.task, plan.prompt_template});
  }
  return queries;
}

Result<Analysis> analyze(Session& session, std::shared_ptr<const AnalysisWindow> window,
                         const std::function<bool()>& forget_windows) {
  if (!window || !window->plan || !window->cancel) {
    return Error{ErrorCode::kBadInput, "A window without questions cannot be analysed."};
  }
  const auto body = [&](Steps steps) {
    Analysis analysis;
    analysis.window = window;
    see_in_steps(session, unseen(*window), *window->cancel, steps.pictures);
    hear_sound(session, *window);
    analysis.encoded = encode(session, *window);
    ask_questions(session, *window, steps.questions, analysis);
    return analysis;
  };
  return with_second_chance(body, letting_go(session, forget_windows), [&] {
    drop_features(*window);
    session.free_caches();
  });
}

void look_ahead(Session& session, const std::vector<std::shared_ptr<const SampledFrame>>& pictures,
                const Cancel& cancel) {
  const Result<Analysis> seen = attempt([&] {
    std::vector<const SampledFrame*> unseen;
    for (const auto& picture : pictures) {
      if (!picture->features) unseen.push_back(picture.get());
    }
    see_in_steps(session, unseen, cancel, kUsual.pictures);
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

Result<Analysis> ask_again(Session& session, const Analysis& before,
                           std::shared_ptr<const AskPlan> plan, std::shared_ptr<Cancel> cancel,
                           const std::function<bool()>& forget_windows) {
  if (!before.window || !before.encoded || !plan || !cancel) {
    return Error{ErrorCode::kBadInput, "There is no encoded window to ask about."};
  }
  auto window = std::make_shared<AnalysisWindow>(*before.window);
  window->plan = std::move(plan);
  window->cancel = std::move(cancel);
  const auto body = [&](Steps steps) {
    Analysis analysis;
    analysis.window = window;
    analysis.encoded = before.encoded;
    ask_questions(session, *window, steps.questions, analysis);
    return analysis;
  };
  return with_second_chance(body, letting_go(session, forget_windows),
                            [&] { session.free_caches(); });
}

}  // namespace vidi
