#include "examples/ask/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "examples/ask/answer_ranges.h"

namespace {

// Both passes cut the same windows out of the file. The index alone would do, but for a file that
// was replaced between them.
auto place_of(const WindowAnswers& window) {
  return std::tuple(window.index, window.start, window.stop);
}

double seconds_between(GstClockTime a, GstClockTime b) {
  return static_cast<double>(std::max(a, b) - std::min(a, b)) / GST_SECOND;
}

struct Pair {
  size_t chosen, reference;
  double start_shift_s, stop_shift_s;

  double widest() const { return std::max(start_shift_s, stop_shift_s); }
};

// Every two hits that may be one, the closest first.
std::vector<Pair> pairs_of(const std::vector<const Hit*>& chosen,
                           const std::vector<const Hit*>& reference) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (size_t j = 0; j < reference.size(); ++j) {
      const Hit &a = *chosen[i], &b = *reference[j];
      if (a.title() != b.title() || a.start > b.stop || b.start > a.stop) continue;
      pairs.push_back({i, j, seconds_between(a.start, b.start), seconds_between(a.stop, b.stop)});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return a.start_shift_s + a.stop_shift_s < b.start_shift_s + b.stop_shift_s;
  });
  return pairs;
}

void add_match(Agreement& agreement, const Hit& chosen, const Hit& reference, double shift_s) {
  ++agreement.n_both;
  agreement.widest_shift_s = std::max(agreement.widest_shift_s, shift_s);
  const double a = chosen.confidence.value_or(0), b = reference.confidence.value_or(0);
  if (a <= 0 || b <= 0) return;
  ++agreement.n_confidences;
  agreement.sum_of_squares += std::pow(std::log(a / b), 2);
}

}  // namespace

double Agreement::mean_iou() const {
  return n_windows ? sum_of_iou / static_cast<double>(n_windows) : 0;
}

std::optional<double> Agreement::largest_shift_s() const {
  return n_both ? std::optional(widest_shift_s) : std::nullopt;
}

std::optional<double> Agreement::rms_log_confidence() const {
  if (n_confidences == 0) return std::nullopt;
  return std::sqrt(sum_of_squares / static_cast<double>(n_confidences));
}

Agreement& Agreement::operator+=(const Agreement& other) {
  n_windows += other.n_windows, n_same += other.n_same;
  n_both += other.n_both;
  n_only_chosen += other.n_only_chosen, n_only_reference += other.n_only_reference;
  sum_of_iou += other.sum_of_iou;
  widest_shift_s = std::max(widest_shift_s, other.widest_shift_s);
  sum_of_squares += other.sum_of_squares, n_confidences += other.n_confidences;
  return *this;
}

Comparison::Comparison(const Pass& chosen, const Pass& reference) {
  compare_windows(chosen, reference);
  for (size_t i = 0; i < questions_.size(); ++i) compare_hits(i, chosen, reference);
  for (const Agreement& question : questions_) all_ += question;
}

void Comparison::compare_windows(const Pass& chosen, const Pass& reference) {
  std::map<std::tuple<uint64_t, GstClockTime, GstClockTime>, const WindowAnswers*> others;
  for (const WindowAnswers& window : reference.windows) others.emplace(place_of(window), &window);
  for (const WindowAnswers& window : chosen.windows) {
    add_questions(window, chosen.refused);
    const auto other = others.find(place_of(window));
    if (other == others.end()) {
      alone_.push_back({window.start, window.stop});
      continue;
    }
    ++n_windows_;
    compare_answers(window, *other->second);
    others.erase(other);
  }
  n_only_chosen_ = alone_.size();
  for (const auto& [place, window] : others) alone_.push_back({window->start, window->stop});
}

void Comparison::add_questions(const WindowAnswers& window, const std::set<std::string>& refused) {
  for (size_t i = 0; i < window.ids.size() && i < window.queries.size(); ++i) {
    if (agreement_of(window.ids[i]) || refused.contains(window.queries[i])) continue;
    ids_.push_back(window.ids[i]);
    questions_.emplace_back().query = window.queries[i];
  }
}

void Comparison::compare_answers(const WindowAnswers& chosen, const WindowAnswers& reference) {
  for (size_t i = 0; i < chosen.ids.size() && i < chosen.texts.size(); ++i) {
    Agreement* agreement = agreement_of(chosen.ids[i]);
    const auto id = std::find(reference.ids.begin(), reference.ids.end(), chosen.ids[i]);
    const size_t j = static_cast<size_t>(id - reference.ids.begin());
    if (!agreement || j >= reference.texts.size()) continue;
    ++agreement->n_windows;
    agreement->n_same += chosen.texts[i] == reference.texts[j];
    agreement->sum_of_iou +=
        temporal_iou(ranges_in(chosen.texts[i]), ranges_in(reference.texts[j]));
  }
}

void Comparison::compare_hits(size_t question, const Pass& chosen, const Pass& reference) {
  const auto ours = hits_of(chosen, ids_[question]), theirs = hits_of(reference, ids_[question]);
  std::vector<bool> our_used(ours.size()), their_used(theirs.size());
  Agreement& agreement = questions_[question];
  for (const Pair& pair : pairs_of(ours, theirs)) {
    if (our_used[pair.chosen] || their_used[pair.reference]) continue;
    our_used[pair.chosen] = their_used[pair.reference] = true;
    add_match(agreement, *ours[pair.chosen], *theirs[pair.reference], pair.widest());
  }
  agreement.n_only_chosen = ours.size() - agreement.n_both;
  agreement.n_only_reference = theirs.size() - agreement.n_both;
}

// A hit that touches a window of one mode alone may have been found there, or made longer.
std::vector<const Hit*> Comparison::hits_of(const Pass& pass, const std::string& id) const {
  std::vector<const Hit*> hits;
  for (const Hit& hit : pass.hits) {
    const GstClockTime stop = hit.timestamp + (hit.stop - hit.start);
    const bool is_alone = std::any_of(alone_.begin(), alone_.end(), [&](const Span& window) {
      return hit.timestamp <= window.stop && window.start <= stop;
    });
    if (hit.query_id == id && !is_alone) hits.push_back(&hit);
  }
  return hits;
}

Agreement* Comparison::agreement_of(const std::string& id) {
  const auto found = std::find(ids_.begin(), ids_.end(), id);
  return found == ids_.end() ? nullptr : &questions_[static_cast<size_t>(found - ids_.begin())];
}
