#include "gst/worker/answering.h"

#include <algorithm>
#include <utility>

namespace vidi {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostChances = 4;  // those who give way may go on making new ones

}  // namespace

void Answering::join(Session& session, const Ticket& ticket, Analysis analysis) {
  if (!batch_) batch_ = session.begin_answers();
  Job& job = jobs_.emplace_back(Job{ticket, std::move(analysis), {}, Clock::now()});
  const std::vector<Query> queries = queries_of(*job.analysis.window->plan);
  job.analysis.answers.resize(queries.size());
  job.analysis.refusals.resize(queries.size());
  const Result<bool> asked = batch_ ? ask_some(job, 0, queries)
                                    : Error{ErrorCode::kOutOfMemory, "the host ran out of memory"};
  if (!asked) return end(jobs_.end() - 1, asked.error());
  collect();  // it may have nothing to ask
}

// A group with a question that is refused is asked in halves.
Result<bool> Answering::ask_some(Job& job, size_t first, const std::vector<Query>& queries) {
  if (queries.empty()) return true;
  AskOptions options;
  options.max_new_tokens = job.analysis.window->plan->max_new_tokens;
  const auto number =
      batch_->join(job.analysis.encoded, queries, options, *job.analysis.window->cancel);
  if (number) {
    job.groups[*number] = first;
    return true;
  }
  if (number.error().code != ErrorCode::kBadInput) return number.error();
  if (queries.size() == 1) {
    job.analysis.refusals[first] = number.error().message;
    job.analysis.answers[first].parsed.understood = true;  // there is nothing to understand
    return true;
  }
  const size_t half = queries.size() / 2;
  const auto middle = queries.begin() + static_cast<std::ptrdiff_t>(half);
  auto asked = ask_some(job, first, {queries.begin(), middle});
  return asked ? ask_some(job, first + half, {middle, queries.end()}) : asked;
}

void Answering::pass(Session& session, const std::function<bool()>& find_room,
                     const Cancel& cancel) {
  if (!batch_ || jobs_.empty()) return;
  const Result<bool> passed = batch_->step(cancel);
  if (passed) {
    n_chances_ = 0;
    for (Job& job : jobs_) ++job.passes;
  } else if (passed.error().code == ErrorCode::kOutOfMemory) {
    ran_out(session, find_room, passed.error());
  } else if (passed.error().code != ErrorCode::kCancelled) {
    return fail_all(passed.error());
  }
  collect();
}

void Answering::ran_out(Session& session, const std::function<bool()>& find_room,
                        const Error& error) {
  const bool found = n_chances_++ < kMostChances && find_room();
  session.free_caches();
  if (found) return;
  batch_->do_less(error);
  for (Job& job : jobs_) job.analysis.in_small_steps = true;
}

// Answers go to their places; a window whose questions are all answered has ended.
void Answering::collect() {
  for (AnswerBatch::Answered& answered : batch_->take_answered()) {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& j) {
      return j.groups.count(answered.number) > 0;
    });
    if (job == jobs_.end()) continue;
    if (!answered.answers) {
      end(job, answered.answers.error());
      continue;
    }
    const size_t first = job->groups.at(answered.number);
    job->groups.erase(answered.number);
    if (answered.answers->size() > job->analysis.answers.size() - first) {
      end(job, Error{ErrorCode::kInternal, "The engine returned more answers than questions."});
      continue;
    }
    std::move(answered.answers->begin(), answered.answers->end(),
              job->analysis.answers.begin() + static_cast<std::ptrdiff_t>(first));
  }
  for (;;) {
    const auto job =
        std::find_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.groups.empty(); });
    if (job == jobs_.end()) break;
    if (job->passes > 0) usual_passes_ = (3 * usual_passes_ + job->passes + 3) / 4;
    Analysis analysis = std::move(job->analysis);
    analysis.inference_time += std::chrono::duration_cast<Time>(Clock::now() - job->joined);
    end(job, std::move(analysis));
  }
}

void Answering::end(Jobs::iterator job, Result<Analysis> result) {
  for (const auto& [number, first] : job->groups) batch_->leave(number);
  outcomes_.push_back({job->ticket, std::move(result)});
  jobs_.erase(job);
}

// Nobody knows what the batch is worth after that.
void Answering::fail_all(const Error& error) {
  for (Job& job : jobs_) outcomes_.push_back({job.ticket, error});
  jobs_.clear();
  batch_.reset();
}

void Answering::sweep(const std::function<bool(ClientId)>& is_here) {
  for (size_t i = jobs_.size(); i-- > 0;) {
    const auto job = jobs_.begin() + static_cast<std::ptrdiff_t>(i);
    if (!job->analysis.window->cancel->cancelled() && is_here(job->ticket.client)) continue;
    end(job, Error{ErrorCode::kCancelled, "the work was cancelled"});
  }
}

std::vector<Answering::Outcome> Answering::take_outcomes() { return std::exchange(outcomes_, {}); }

void Answering::forget_all() {
  jobs_.clear();
  outcomes_.clear();
  batch_.reset();
}

std::vector<ClientId> Answering::clients() const {
  std::vector<ClientId> clients;
  for (const Job& job : jobs_) clients.push_back(job.ticket.client);
  return clients;
}

UnderWay Answering::under_way() const {
  UnderWay all;
  for (const Job& job : jobs_) {
    all.any = true, all.live = all.live || job.ticket.is_live;
    if (job.ticket.deadline >= all.deadline) continue;
    all.deadline = job.ticket.deadline;
    all.passes_left = std::max(1, usual_passes_ - job.passes);
  }
  return all;
}

std::vector<std::shared_ptr<Cancel>> Answering::cancels() const {
  std::vector<std::shared_ptr<Cancel>> all;
  for (const Job& job : jobs_) all.push_back(job.analysis.window->cancel);
  return all;
}

}  // namespace vidi
