#include "gst/results/hit.h"

#include <algorithm>
#include <cmath>

#include "gst/worker/analysis.h"
namespace vidi {
namespace {

// Seconds from the window's start to a time inside the window. The seconds are the model's.
Time time_in(const AnalysisWindow& window, double seconds) {
  const Time length = window.stop - window.start;
  const double nanoseconds = std::clamp(seconds * 1e9, 0.0, double(length.count()));
  return window.start + std::min(Time(std::llround(nanoseconds)), length);
}

// Whether it has times at all and is as sure as asked; an unknown confidence passes.
bool counts(const Span& span, double min_confidence) {
  if (!std::isfinite(span.start_s) || !std::isfinite(span.stop_s)) return false;
  const bool known = std::isfinite(span.confidence) && span.confidence > 0;
  return !known || span.confidence >= min_confidence;
}

Hit hit_of(const Analysis& analysis, const Question& question, const Answer& answer,
               const Span& span) {
  const AnalysisWindow& window = *analysis.window;
  const AskPlan& plan = *window.plan;
  Hit hit;
  hit.query_id = question.id;
  hit.query = question.title;
  hit.label = span.label;
  hit.task = plan.ranked ? "highlight" : plan.task;
  hit.from_queries = plan.ranked;
  const Time start = time_in(window, span.start_s), stop = time_in(window, span.stop_s);
  hit.start = std::min(start, stop);
  hit.stop = std::max(start, stop);
  hit.relative_start = span.relative_start;
  hit.relative_stop = span.relative_stop;
  if (std::isfinite(span.confidence) && span.confidence > 0) hit.confidence = span.confidence;
  hit.text = answer.text;
  hit.truncated = answer.stop != StopReason::kEndToken;
  hit.window = analysis.window;
  hit.inference_time = analysis.inference_time;
  return hit;
}

}  // namespace

std::vector<Hit> hits_of(const Analysis& analysis) {
  std::vector<Hit> hits;
  if (!analysis.window || !analysis.window->plan) return hits;
  const AskPlan& plan = *analysis.window->plan;
  const size_t n = std::min(plan.questions.size(), analysis.answers.size());
  for (size_t i = 0; i < n; ++i) {
    const auto n_before = static_cast<std::ptrdiff_t>(hits.size());
    for (const Span& span : analysis.answers[i].spans) {
      if (!counts(span, plan.min_confidence)) continue;
      hits.push_back(hit_of(analysis, plan.questions[i], analysis.answers[i], span));
    }
    std::stable_sort(hits.begin() + n_before, hits.end(),
                     [](const Hit& a, const Hit& b) { return a.start < b.start; });
  }
  return hits;
}

}  // namespace vidi
