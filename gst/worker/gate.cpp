#include "gst/worker/gate.h"

#include <algorithm>

namespace vidi {
namespace {

using Pictures = std::vector<std::shared_ptr<const SampledFrame>>;

// A picture that stands is there for each of its targets.
Pictures later_than(Time pts, const Pictures& pictures) {
  Pictures later;
  for (const auto& picture : pictures) {
    if (picture->pts <= pts) continue;
    later.push_back(picture);
    pts = picture->pts;
  }
  return later;
}

// Nothing: they cannot be compared.
std::optional<double> least_similarity(Session& session, const FrameFeatures& reference,
                                       const Pictures& pictures) {
  FrameList features;
  for (const auto& picture : pictures) features.push_back(picture->features.of(&session));
  if (std::count(features.begin(), features.end(), nullptr) > 0) return std::nullopt;
  const auto similarities = session.similarities(reference, features);
  if (!similarities || similarities->size() != pictures.size()) return std::nullopt;
  return *std::min_element(similarities->begin(), similarities->end());
}

bool all_are_seen(const Session& session, const Pictures& pictures) {
  return std::all_of(pictures.begin(), pictures.end(),
                     [&](const auto& picture) { return picture->features.of(&session); });
}

int64_t samples_from(Time start, Time heard_until) {
  constexpr int64_t kRate = 16000;
  const auto overlap = std::chrono::duration<double>(heard_until - start);
  return static_cast<int64_t>(std::max(overlap.count(), 0.0) * kRate);
}

}  // namespace

void Gate::set(const GateSettings& settings) {
  std::lock_guard lock(mutex_);
  settings_ = settings;
  if (!settings.is_on) reference_.reset();
  ahead_ = {};
}

bool Gate::is_on() const {
  std::lock_guard lock(mutex_);
  return settings_.is_on;
}

void Gate::forget() {
  std::lock_guard lock(mutex_);
  reference_.reset();
  ahead_ = {};
}

std::pair<GateSettings, std::optional<Gate::Reference>> Gate::now() const {
  std::lock_guard lock(mutex_);
  return {settings_, reference_};
}

// Without a hole, on the same grid: behind a jump other pictures have its times. A partial one ends
// where somebody said so, and what was lost may have been the change.
bool Gate::follows(const AnalysisWindow& window, const Reference& last) {
  const bool is_whole = !window.partial && window.dropped_frames == 0;
  return is_whole && window.epoch == last.epoch && window.first_frame == last.first_frame &&
         window.start == last.next_start;
}

GateReading Gate::judge(Session& session, const AnalysisWindow& window, const AskPlan& plan) {
  const auto [settings, last] = now();
  GateReading reading;
  if (!settings.is_on || !last || !follows(window, *last) || plan != *last->plan) return reading;
  const Pictures pictures = later_than(last->seen_until, window.frames);
  if (const auto known = opened_ahead(window); known && !all_are_seen(session, pictures)) {
    reading.similarity = known;
    return reading;
  }
  if (!pictures.empty()) {
    look_ahead(session, pictures, *window.cancel);
    reading.similarity = least_similarity(session, *last->picture, pictures);
    if (!reading.similarity || *reading.similarity < settings.least_similarity) return reading;
  }
  const int64_t heard = samples_from(window.start, last->heard_until);
  reading.is_open = differs(levels_of(window.audio, heard), last->sound);
  return reading;
}

// Once it is open the window's pictures are streamed, and their features are let go of.
std::optional<double> Gate::opened_ahead(const AnalysisWindow& window) const {
  std::lock_guard lock(mutex_);
  const bool is_it = ahead_.index == window.index && ahead_.epoch == window.epoch;
  return is_it && ahead_.is_open ? ahead_.similarity : std::nullopt;
}

void Gate::pass_by(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  if (!reference_ || reference_->epoch != window.epoch) return;  // forgotten meanwhile
  reference_->next_start = window.next_start;
  reference_->heard_until = window.stop;
  if (!window.frames.empty())
    reference_->seen_until = std::max(reference_->seen_until, window.frames.back()->pts);
}

void Gate::analysed(const Session& session, const AnalysisWindow& window) {
  auto picture = window.frames.empty() ? nullptr : window.frames.back()->features.of(&session);
  if (!picture) return forget();
  Reference reference{std::move(picture), window.plan,        left_sound(levels_of(window.audio)),
                      window.epoch,       window.first_frame, window.frames.back()->pts,
                      window.stop,        window.next_start};
  std::lock_guard lock(mutex_);
  reference_ = std::move(reference);
  ahead_ = {};
}

bool Gate::opens(Session& session, const OpenWindow& window) {
  const auto [settings, last] = now();
  if (!settings.is_on || !last || last->epoch != window.epoch) return true;
  Ahead ahead;
  {
    std::lock_guard lock(mutex_);
    ahead = ahead_;
  }
  const bool is_same = ahead.index == window.index && ahead.epoch == window.epoch;
  if (!is_same) ahead = {window.index, window.epoch, last->seen_until, false, {}};
  if (ahead.is_open) return true;
  Pictures pictures = later_than(std::max(ahead.seen_until, last->seen_until), window.frames);
  std::erase_if(pictures, [&](const auto& picture) { return !picture->features.of(&session); });
  if (!pictures.empty()) {
    const auto similarity = least_similarity(session, *last->picture, pictures);
    ahead.is_open = similarity && *similarity < settings.least_similarity;
    ahead.similarity = similarity;
    ahead.seen_until = pictures.back()->pts;
  }
  remember(ahead);
  return ahead.is_open;
}

void Gate::remember(const Ahead& ahead) {
  std::lock_guard lock(mutex_);
  if (reference_) ahead_ = ahead;
}

bool Gate::is_closed() const {
  std::lock_guard lock(mutex_);
  return settings_.is_on && reference_ && !ahead_.is_open;
}

}  // namespace vidi
