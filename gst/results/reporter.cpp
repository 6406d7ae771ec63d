#include "gst/results/reporter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/results/structures.h"

namespace vidi {
namespace {

GstClockTime since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - then).count();
}

// From one of its pictures to the next: what the model can tell apart.
Time longest_step(const AnalysisWindow& window) {
  Time longest{};
  for (size_t i = 1; i < window.frames.size(); ++i)
    longest = std::max(longest, window.frames[i]->pts - window.frames[i - 1]->pts);
  return longest;
}

}  // namespace

void Reporter::flush(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  merger_.clear(), ranker_.clear(), present_.clear();
}

void Reporter::report(const Analysis& analysis) {
  const auto settled = settle(analysis);
  if (!settled) return;
  send(settled->hits);
  const AnalysisWindow& window = *analysis.window;
  delivery_.send(
      window_structure(window, &analysis, settled->n_found, since(window.closed_at), nullptr),
      &window);
}

// Nothing when a flush came meanwhile.
std::optional<Reporter::Settled> Reporter::settle(const Analysis& analysis) {
  const AskPlan& plan = *analysis.window->plan;
  std::vector<Hit> found = hits_of(analysis);
  std::lock_guard lock(mutex_);
  if (analysis.window->epoch != epoch_) return std::nullopt;
  if (plan.ranked || plan.task == "highlight")
    found = ranker_.keep_best(std::move(found), plan.max_highlights);
  const size_t n_found = found.size();
  const Time stop = analysis.window->stop, reach = longest_step(*analysis.window);
  for (Hit& hit : found) hit.runs = hit.stop >= stop - reach;
  present_.set(found, stop, reach);
  merger_.end_hold(analysis.window->start);
  return Settled{n_found, merger_.add(std::move(found), analysis.window->next_start, plan.merge_gap,
                                      plan.merge)};
}

// What was present before is present still.
void Reporter::report_gated(const AnalysisWindow& window, const GateReading& reading) {
  std::vector<Hit> hits;
  {
    std::lock_guard lock(mutex_);
    if (window.epoch != epoch_) return;
    hits = merger_.hold(window.stop, window.next_start, window.plan->merge_gap);
  }
  send(hits);
  delivery_.send(gated_structure(window, reading, since(window.closed_at)), &window);
}

void Reporter::report_answer(const Analysis& analysis) {
  HitMerger alone;
  auto hits = alone.add(hits_of(analysis), kForever, Time(0), false);
  {
    std::lock_guard lock(mutex_);
    uint64_t id = merger_.take_ids(hits.size());
    for (Hit& hit : hits) hit.result_id = id++;
  }
  send(hits);
  const AnalysisWindow& window = *analysis.window;
  delivery_.send(window_structure(window, &analysis, hits.size(), 0, nullptr), &window);
}

void Reporter::report_failure(const AnalysisWindow& window, const Error& error) {
  pass(window);
  delivery_.send(
      window_structure(window, nullptr, 0, since(window.closed_at), error.message.c_str()),
      &window);
}

void Reporter::pass(const AnalysisWindow& window) {
  std::vector<Hit> hits;
  {
    std::lock_guard lock(mutex_);
    if (window.epoch != epoch_) return;
    hits = merger_.pass(window.next_start, window.plan->merge_gap);
    present_.clear();
  }
  send(hits);
}

void Reporter::finish() {
  std::vector<Hit> hits;
  {
    std::lock_guard lock(mutex_);
    hits = merger_.finish();
  }
  send(hits);
}

void Reporter::send(const std::vector<Hit>& hits) {
  for (const Hit& hit : hits) delivery_.send(hit);
}

}  // namespace vidi
