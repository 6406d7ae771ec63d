#include "gst/results/hit_merger.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace vidi {
namespace {

// What two hits must share to be parts of one. The query's text too: the properties may have
// changed between two windows, and the ids are only numbers.
auto subject_of(const Hit& f) { return std::tie(f.query_id, f.query, f.label, f.task); }

bool by_subject_then_start(const Hit& a, const Hit& b) {
  if (subject_of(a) != subject_of(b)) return subject_of(a) < subject_of(b);
  return a.start < b.start;
}

bool by_start(const Hit& a, const Hit& b) {
  return std::tie(a.start, a.query_id) < std::tie(b.start, b.query_id);
}

// Where a later part may join.
Time joint_of(const Hit& hit) { return std::max(hit.stop, hit.as_before); }

// Differences, not sums: a gap may be as long as time itself.
bool belong_together(const Hit& a, const Hit& b, Time gap) {
  return subject_of(a) == subject_of(b) && b.start - joint_of(a) <= gap;
}

// `a` starts first. What was sent first keeps its id, text and window.
Hit join(Hit a, Hit b) {
  const Time start = a.start, stop = std::max(a.stop, b.stop);
  const bool b_was_first = b.result_id != 0 && (a.result_id == 0 || b.result_id < a.result_id);
  if (b_was_first) std::swap(a, b);
  a.start = start;
  a.stop = stop;
  a.runs = a.runs || b.runs;
  a.as_before = std::max(a.as_before, b.as_before);
  if (b.confidence) a.confidence = std::max(a.confidence.value_or(0), *b.confidence);
  a.truncated = a.truncated || b.truncated;
  return a;
}

std::vector<Hit> merge_all(std::vector<Hit> hits, Time gap) {
  std::stable_sort(hits.begin(), hits.end(), by_subject_then_start);
  std::vector<Hit> merged;
  for (Hit& hit : hits) {
    if (!merged.empty() && belong_together(merged.back(), hit, gap)) {
      merged.back() = join(std::move(merged.back()), std::move(hit));
    } else {
      merged.push_back(std::move(hit));
    }
  }
  return merged;
}

bool may_grow(const Hit& hit, Time next_start, Time gap) {
  return next_start != kForever && next_start - joint_of(hit) <= gap;
}

}  // namespace

std::vector<Hit> HitMerger::add(std::vector<Hit> found, Time next_start, Time merge_gap,
                                bool merge) {
  std::vector<Hit> hits = std::exchange(open_, {});
  for (Hit& hit : hits) hit.runs = false;  // unless a part of it is found again
  std::move(found.begin(), found.end(), std::back_inserter(hits));
  if (merge) hits = merge_all(std::move(hits), merge_gap);
  for (Hit& hit : hits) hit.as_before = Time::min();
  return settle(std::move(hits), next_start, merge_gap, merge);
}

// What is to be sent of them; the others stay open.
std::vector<Hit> HitMerger::settle(std::vector<Hit> hits, Time next_start, Time merge_gap,
                                   bool merge) {
  std::stable_sort(hits.begin(), hits.end(), by_start);

  const auto first_open = std::stable_partition(hits.begin(), hits.end(), [&](const Hit& hit) {
    return !merge || !may_grow(hit, next_start, merge_gap);
  });
  std::vector<Hit> to_send;
  for (auto hit = hits.begin(); hit != hits.end(); ++hit) {
    const bool is_new = hit->result_id == 0;
    if (is_new) hit->result_id = next_id_++;
    hit->final = hit < first_open;
    if (hit->final || is_new) to_send.push_back(*hit);
  }
  open_.assign(std::make_move_iterator(first_open), std::make_move_iterator(hits.end()));
  return to_send;
}

std::vector<Hit> HitMerger::pass(Time next_start, Time merge_gap) {
  return settle(merge_all(std::exchange(open_, {}), merge_gap), next_start, merge_gap, true);
}

std::vector<Hit> HitMerger::hold(Time stop, Time next_start, Time merge_gap) {
  for (Hit& hit : open_) {
    // Pictures may be so far apart that two of a question reach the end: the later one goes on.
    const bool is_last = std::none_of(open_.begin(), open_.end(), [&](const Hit& other) {
      return subject_of(other) == subject_of(hit) && other.start > hit.start;
    });
    if (hit.runs && is_last) hit.as_before = std::max(hit.as_before, stop);
  }
  return pass(next_start, merge_gap);
}

void HitMerger::end_hold(Time start) {
  for (Hit& hit : open_) hit.as_before = std::min(hit.as_before, start);
}

std::vector<Hit> HitMerger::finish() { return add({}, kForever, Time{}, false); }

void HitMerger::clear() { open_.clear(); }

}  // namespace vidi
