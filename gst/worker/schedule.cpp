#include "gst/worker/schedule.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

constexpr int kFilesShare = 5;                   // they have one part in so many
constexpr int kPassesShare = 5;                  // likewise passes, while windows wait to join
constexpr Time kLead = std::chrono::seconds(1);  // that files may have of their share, or lack

// A quarter of what is new.
Time smoothed(Time before, Time now) { return before == Time(0) ? now : (3 * before + now) / 4; }

constexpr size_t kRemembered = 16;  // what windows cost, of so many
constexpr size_t kUnusual = 8;      // one in so many is

struct Candidate {
  ClientId client;
  Moment deadline;
};

}  // namespace

void Schedule::Usual::add(Time value) {
  last_.push_back(value);
  if (last_.size() > kRemembered) last_.pop_front();
  std::vector<Time> sorted(last_.begin(), last_.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.resize(sorted.size() - (sorted.size() + kUnusual - 1) / kUnusual);
  mean_ = Time(0);
  for (const Time each : sorted) mean_ += each / static_cast<Time::rep>(sorted.size());
}

uint64_t Schedule::last_turn(ClientId client) const {
  const auto found = last_turn_.find(client);
  return found == last_turn_.end() ? 0 : found->second;
}

bool Schedule::files_are_due() const { return kFilesShare * file_time_ <= live_time_ + file_time_; }

// Before another window joins. An answer is in time if it is so with twice the passes that are
// reckoned; one that is too late in any case is no hurry.
bool Schedule::passes_are_due(const UnderWay& under_way, Moment now) const {
  if (!under_way.any) return false;
  const Time passes = under_way.passes_left * last_pass_;
  const auto ends_in_time = [&](Time work) {
    return under_way.deadline == kNoDeadline ||
           now + std::chrono::duration_cast<Moment::duration>(work) <= under_way.deadline;
  };
  if (!ends_in_time(2 * passes + last_join_) && ends_in_time(passes)) return true;
  return joined_since_pass_ > Time(0) && (kPassesShare - 1) * last_pass_ <= joined_since_pass_;
}

std::vector<Schedule::Turn> Schedule::order(const Offers& offers, const UnderWay& under_way,
                                            Moment now) const {
  std::vector<Turn> asks, gates, live, files, ahead;
  for (const auto& [client, offer] : offers) {
    if (offer.asks) asks.push_back({Kind::kAsk, client});
    const Turn window{offer.awaits_gate ? Kind::kGate : Kind::kWindow, client};
    if (offer.has_window)
      (!offer.is_live() ? files : offer.awaits_gate ? gates : live).push_back(window);
    if (offer.looks_ahead) ahead.push_back({offer.is_quiet ? Kind::kLook : Kind::kAhead, client});
  }
  const auto in_turn = [this](const Turn& a, const Turn& b) {
    return last_turn(a.client) < last_turn(b.client);
  };
  for (auto* turns : {&asks, &files, &ahead})
    std::stable_sort(turns->begin(), turns->end(), in_turn);
  const auto due = [&](const Turn& turn) {
    const Offer& offer = offers.at(turn.client);
    return std::min(offer.deadline, offer.turn);
  };
  const auto by_deadline = [&](const Turn& a, const Turn& b) { return due(a) < due(b); };
  for (auto* turns : {&gates, &live}) std::stable_sort(turns->begin(), turns->end(), by_deadline);

  std::vector<Turn> all;
  const auto take = [&all](const std::vector<Turn>& turns) {
    all.insert(all.end(), turns.begin(), turns.end());
  };
  const Turn pass{Kind::kPass};
  if (passes_are_due(under_way, now)) all.push_back(pass);
  if (!asked_last_) take(asks);
  if (files_are_due()) take(files);
  take(gates);
  take(live);
  if (asked_last_) take(asks);
  // Files' windows do not stand in the way of answers that are waited for.
  if (under_way.live) all.push_back(pass);
  if (!files_are_due()) take(files);
  if (under_way.any) all.push_back(pass);
  take(ahead);
  return all;
}

// From now, of the next window that joins. As long as it took lately; but where little is under way
// now, its own work and the passes of that.
Time Schedule::until_answered(size_t n_under_way) const {
  const auto n = static_cast<Time::rep>(n_under_way);
  return std::min(delay_, join_.mean() + passes_.mean() + n * share_.mean());
}

std::optional<ClientId> Schedule::to_drop(const Offers& offers, const UnderWay& under_way,
                                          Moment now) const {
  std::vector<Candidate> waiting;
  bool files_wait = false;
  for (const auto& [client, offer] : offers) {
    files_wait = files_wait || (offer.has_window && !offer.is_live());
    if (!offer.has_window || !offer.is_live() || offer.awaits_gate) continue;
    const Time grace = std::max(Time(0), delay_ - offer.patience / 2);
    waiting.push_back(
        {client, offer.deadline + std::chrono::duration_cast<Moment::duration>(grace)});
  }
  if (waiting.size() < 2) return std::nullopt;
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const auto& a, const auto& b) { return a.deadline < b.deadline; });
  // One after the other they are answered, the last of the first `n` behind the n - 1 before it.
  // When that is too late, one of these n goes.
  const Time each = files_wait ? cost() * kFilesShare / (kFilesShare - 1) : cost();
  Moment answered_at =
      now + std::chrono::duration_cast<Moment::duration>(until_answered(under_way.n_windows));
  for (size_t n = 1; n <= waiting.size(); ++n, answered_at += each) {
    if (answered_at <= waiting[n - 1].deadline) continue;
    const auto last_drop = [this](const Candidate& candidate) {
      const auto found = last_drop_.find(candidate.client);
      return found == last_drop_.end() ? 0 : found->second;
    };
    const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(n);
    return std::min_element(
               waiting.begin(), end,
               [&](const auto& a, const auto& b) { return last_drop(a) < last_drop(b); })
        ->client;
  }
  return std::nullopt;
}

void Schedule::count(bool is_live, Time took) {
  (is_live ? live_time_ : file_time_) += took;
  // Who was alone for an hour owes the other nothing for that.
  file_time_ = std::min(file_time_, live_time_ / (kFilesShare - 1) + kLead);
  live_time_ = std::min(live_time_, (kFilesShare - 1) * (file_time_ + kLead));
}

void Schedule::did(const Turn& turn, bool is_live, Time took) {
  if (turn.kind == Kind::kPass) {
    last_pass_ = took, joined_since_pass_ = Time(0);
  } else {
    last_turn_[turn.client] = ++n_turns_;
  }
  const bool joins = turn.kind == Kind::kAsk || turn.kind == Kind::kWindow;
  if (joins || turn.kind == Kind::kGate) {
    asked_last_ = turn.kind == Kind::kAsk;
    joined_since_pass_ += took;
  }
  if (joins) last_join_ = took;
  if (turn.kind == Kind::kWindow && is_live) join_.add(took);
  count(is_live, took);
}

void Schedule::dropped(ClientId client) { last_drop_[client] = ++n_drops_; }

void Schedule::answered(bool is_live_window, const Took& took) {
  if (!is_live_window) return;
  delay_ = smoothed(delay_, took.since_turn);
  passes_.add(took.in_passes);
  share_.add(took.share);
}

void Schedule::forget_all_but(const Offers& offers) {
  for (auto* numbers : {&last_turn_, &last_drop_}) {
    if (numbers->size() <= offers.size()) continue;
    std::erase_if(*numbers, [&](const auto& client) { return offers.count(client.first) == 0; });
  }
}

}  // namespace vidi
