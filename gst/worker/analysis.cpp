#include "gst/worker/analysis.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <new>
#include <utility>

#include "gst/worker/window_features.h"

namespace vidi {
namespace {

using Clock = std::chrono::steady_clock;

// How many pictures are looked at in one call.
constexpr size_t kUsual = kPicturesAtOnce;
constexpr size_t kSmall = 1;

std::shared_ptr<const Encoded> encode(Session& session, const AnalysisWindow& window) {
  Window features;
  const StreamedPictures& streamed = window.prepared;
  for (const auto& frame : window.frames) {
    const bool is_in = streamed.has(features.frames.size(), frame);
    features.frames.push_back(is_in ? nullptr : frame->features.of(&session));
  }
  for (const auto& chunk : window.audio) {
    if (auto heard = chunk->features.of(&session)) features.audio.push_back(std::move(heard));
  }
  features.partial = streamed.keys;
  features.duration_s = std::chrono::duration<double>(window.stop - window.start).count();
  return value_or_throw(session.encode(features, *window.cancel));
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
    listen_to(session, *window);
    if (at_once == kUsual) stream_pictures(session, *window);
    look_at(session, unseen(session, *window), *window->cancel, at_once);
    analysis.encoded = encode(session, *window);
    let_go(session, *window);
    return analysis;
  };
  const auto free_others = [&] {
    if (!forget_windows || !forget_windows()) return false;
    session.free_caches();
    return true;
  };
  Result<Analysis> analysis = with_second_chance(body, free_others, [&] {
    drop_features(session, *window);
    session.free_caches();
  });
  window->prepared = {};
  return analysis;
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

void look_ahead(Session& session, const SharedPictures& pictures, const Cancel& cancel,
                size_t at_once) {
  const Result<Analysis> seen = attempt([&] {
    Pictures left;
    for (const auto& picture : pictures) {
      if (!picture->features.of(&session)) left.push_back(picture.get());
    }
    look_at(session, left, cancel, at_once);
    return Analysis();
  });
  if (!out_of_memory(seen)) return;
  for (const auto& picture : pictures) picture->features.reset(&session);
  session.free_caches();
}

void hear_ahead(Session& session, const SoundChunk& sound, const Cancel& cancel) {
  if (sound.samples.empty() || sound.features.of(&session)) return;
  auto heard =
      session.encode_audio(sound.samples.data(), static_cast<int>(sound.samples.size()), cancel);
  if (heard) {
    sound.features.set(&session, std::move(*heard));
  } else if (heard.error().code == ErrorCode::kOutOfMemory) {
    session.free_caches();
  }
}

}  // namespace vidi
