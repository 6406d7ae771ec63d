#include "gst/results/highlights.h"

#include <algorithm>
#include <cmath>

namespace vidi {
namespace {

// Unknown ranks behind everything that is known; of equals the earlier one is better.
bool better(const Hit& a, const Hit& b) {
  const double of_a = a.confidence.value_or(-1), of_b = b.confidence.value_or(-1);
  return of_a != of_b ? of_a > of_b : a.start < b.start;
}

// Both: anything with a start and a stop.
template <class A, class B>
bool touch(const A& a, const B& b) {
  return std::max(a.start, b.start) <= std::min(a.stop, b.stop);
}

// Intersection over union above one half; two ranges of the same single instant are the same.
template <class A, class B>
bool mostly_the_same(const A& a, const B& b) {
  if (!touch(a, b)) return false;
  const Time both = std::min(a.stop, b.stop) - std::max(a.start, b.start);
  const Time either = std::max(a.stop, b.stop) - std::min(a.start, b.start);
  return either == Time{} || both > either - both;
}

// Best first, without those that lie mostly on a better one.
std::vector<Hit> without_doubles(std::vector<Hit> found) {
  std::stable_sort(found.begin(), found.end(), better);
  std::vector<Hit> best;
  for (Hit& hit : found) {
    const auto covers = [&](const Hit& other) { return mostly_the_same(other, hit); };
    if (std::none_of(best.begin(), best.end(), covers)) best.push_back(std::move(hit));
  }
  return best;
}

// Highlights that a window of this length may hold.
size_t budget_of(const AnalysisWindow& window, unsigned max_per_minute) {
  const double minutes = std::chrono::duration<double>(window.stop - window.start).count() / 60;
  return static_cast<size_t>(std::max(1.0, std::ceil(max_per_minute * minutes)));
}

}  // namespace

const std::vector<std::string>& built_in_moments() {
  static const std::vector<std::string> moments = {
      "a goal is scored", "people cheering and clapping",
      "people laughing",  "a person speaking to the camera",
      "an explosion",     "a crash",
      "a kiss",           "people hugging",
      "fireworks",        "text on the screen"};
  return moments;
}

std::vector<Hit> HighlightRanker::keep_best(std::vector<Hit> found, unsigned max_per_minute) {
  if (found.empty()) return found;
  const AnalysisWindow& window = *found.front().window;
  forget_for(window);
  if (found.front().from_queries) {
    for (Hit& hit : found) hit.label = hit.query;
    std::erase_if(found, [&](const Hit& f) { return is_told_otherwise(f); });
    found = without_doubles(std::move(found));
  }
  std::stable_sort(found.begin(), found.end(), better);

  const size_t budget = budget_of(window, max_per_minute);
  size_t n_told = n_told_within(window);
  std::vector<Hit> kept;
  for (Hit& hit : found) {
    if (!told_again(hit)) {
      if (max_per_minute > 0 && n_told >= budget) continue;
      ++n_told;
    }
    kept.push_back(std::move(hit));
  }
  remember(kept);
  std::sort(kept.begin(), kept.end(), [](const Hit& a, const Hit& b) { return a.start < b.start; });
  return kept;
}

void HighlightRanker::clear() {
  told_.clear();
  last_start_ = Time{};
}

void HighlightRanker::forget_for(const AnalysisWindow& window) {
  if (window.start < last_start_) told_.clear();  // the stream jumped back: other pictures
  last_start_ = window.start;
  std::erase_if(told_, [&](const Told& told) { return told.stop < window.start; });
}

size_t HighlightRanker::n_told_within(const AnalysisWindow& window) const {
  return std::count_if(told_.begin(), told_.end(), [&](const Told& told) {
    return told.stop > window.start && told.start < window.stop;
  });
}

bool HighlightRanker::told_again(const Hit& hit) const {
  return std::any_of(told_.begin(), told_.end(),
                     [&](const Told& told) { return told.label == hit.label && touch(told, hit); });
}

bool HighlightRanker::is_told_otherwise(const Hit& hit) const {
  return !told_again(hit) && std::any_of(told_.begin(), told_.end(), [&](const Told& told) {
    return mostly_the_same(told, hit);
  });
}

// A moment seen again grows; a new one is added.
void HighlightRanker::remember(const std::vector<Hit>& kept) {
  const size_t n_before = told_.size();  // two hits of one window are two moments
  for (const Hit& hit : kept) {
    const auto end = told_.begin() + static_cast<std::ptrdiff_t>(n_before);
    const auto known = std::find_if(told_.begin(), end, [&](const Told& told) {
      return told.label == hit.label && touch(told, hit);
    });
    if (known == end) {
      told_.push_back({hit.label, hit.start, hit.stop});
    } else {
      known->start = std::min(known->start, hit.start);
      known->stop = std::max(known->stop, hit.stop);
    }
  }
}

}  // namespace vidi
