#include "gst/results/highlights.h"

#include <algorithm>
#include <cmath>

namespace vidi {
namespace {

// Unknown ranks behind everything that is known; of equals the earlier one is better.
bool better(const Finding& a, const Finding& b) {
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
std::vector<Finding> without_doubles(std::vector<Finding> found) {
  std::stable_sort(found.begin(), found.end(), better);
  std::vector<Finding> best;
  for (Finding& finding : found) {
    const auto covers = [&](const Finding& other) { return mostly_the_same(other, finding); };
    if (std::none_of(best.begin(), best.end(), covers)) best.push_back(std::move(finding));
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

std::vector<Finding> HighlightRanker::keep_best(std::vector<Finding> found,
                                                unsigned max_per_minute) {
  if (found.empty()) return found;
  const AnalysisWindow& window = *found.front().window;
  forget_for(window);
  if (found.front().from_queries) {
    for (Finding& finding : found) finding.label = finding.query;
    std::erase_if(found, [&](const Finding& f) { return is_told_otherwise(f); });
    found = without_doubles(std::move(found));
  }
  std::stable_sort(found.begin(), found.end(), better);

  const size_t budget = budget_of(window, max_per_minute);
  size_t n_told = n_told_within(window);
  std::vector<Finding> kept;
  for (Finding& finding : found) {
    if (!told_again(finding)) {
      if (max_per_minute > 0 && n_told >= budget) continue;
      ++n_told;
    }
    kept.push_back(std::move(finding));
  }
  remember(kept);
  std::sort(kept.begin(), kept.end(),
            [](const Finding& a, const Finding& b) { return a.start < b.start; });
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

bool HighlightRanker::told_again(const Finding& finding) const {
  return std::any_of(told_.begin(), told_.end(), [&](const Told& told) {
    return told.label == finding.label && touch(told, finding);
  });
}

bool HighlightRanker::is_told_otherwise(const Finding& finding) const {
  return !told_again(finding) && std::any_of(told_.begin(), told_.end(), [&](const Told& told) {
    return mostly_the_same(told, finding);
  });
}

// A moment seen again grows; a new one is added.
void HighlightRanker::remember(const std::vector<Finding>& kept) {
  const size_t n_before = told_.size();  // two hits of one window are two moments
  for (const Finding& finding : kept) {
    const auto end = told_.begin() + static_cast<std::ptrdiff_t>(n_before);
    const auto known = std::find_if(told_.begin(), end, [&](const Told& told) {
      return told.label == finding.label && touch(told, finding);
    });
    if (known == end) {
      told_.push_back({finding.label, finding.start, finding.stop});
    } else {
      known->start = std::min(known->start, finding.start);
      known->stop = std::max(known->stop, finding.stop);
    }
  }
}

}  // namespace vidi
