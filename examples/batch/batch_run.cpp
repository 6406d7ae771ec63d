#include "examples/batch/batch_run.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "examples/batch/begun_marker.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStep(100);   // between two looks
constexpr milliseconds kAgain(500);  // until a line that waits is tried again

}  // namespace

BatchRun::BatchRun(const BatchWishes& wishes, const BatchQuestions& questions, FileAsker& asker,
                   const BatchVoice& voice, const std::atomic<bool>& interrupted)
    : wishes_(wishes), desk_(wishes, questions, asker, voice, interrupted) {}

std::string BatchRun::run() {
  std::string error = desk_.open();
  if (error.empty()) error = list_.open(wishes_.list);
  if (!error.empty()) return error;
  note_crashes();
  for (int i = 0; i < wishes_.jobs; ++i) jobs_.push_back(std::make_unique<BatchJob>());
  for (auto& job : jobs_) job->thread = std::thread([this, one = job.get()] { work(*one); });
  watch();
  for (auto& job : jobs_) job->is_stuck ? job->thread.detach() : job->thread.join();
  return desk_.error();
}

void BatchRun::work(BatchJob& job) {
  for (BatchTask task; next(&task); task = {}) {
    task.tried_at = Clock::now();
    if (desk_.take(task, job) == BatchDesk::Outcome::kEnded) continue;
    std::lock_guard lock(waiting_mutex_);
    waiting_.push_back(task);
  }
  job.has_ended = true;
}

// False when nothing is left for this job: what others are at they end themselves.
bool BatchRun::next(BatchTask* task) {
  while (!desk_.is_over()) {
    if (take_waiting(task)) return true;
    if (!list_ended_) {
      if (read_line(task)) return true;
      continue;
    }
    {
      std::lock_guard lock(waiting_mutex_);
      if (waiting_.empty()) return false;
    }
    std::this_thread::sleep_for(kStep);
  }
  return false;
}

bool BatchRun::take_waiting(BatchTask* task) {
  std::lock_guard lock(waiting_mutex_);
  if (waiting_.empty() || Clock::now() - waiting_.front().tried_at < kAgain) return false;
  *task = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

bool BatchRun::read_line(BatchTask* task) {
  std::lock_guard lock(list_mutex_);
  if (list_ended_) return false;
  const BatchList::Got got = list_.next(kStep, &task->line);
  if (got == BatchList::Got::kTorn) desk_.break_off(list_.error());
  if (got == BatchList::Got::kTorn || got == BatchList::Got::kEnd) list_ended_ = true;
  return got == BatchList::Got::kLine;
}

// Until all have ended. One that does not let go of its file is left behind: that is held against
// the file, as if it had ended the process, and the others stop.
void BatchRun::watch() {
  const auto is_over = [](const auto& job) { return job->has_ended || job->is_stuck; };
  while (!std::all_of(jobs_.begin(), jobs_.end(), is_over)) {
    for (const auto& job : jobs_) {
      if (job->is_stuck || job->watch(desk_.is_over(), wishes_.grace_s)) continue;
      job->is_stuck = true;
      job->blame_file();
      desk_.break_off("a file does not let go, the run ends; started again it goes on");
    }
    desk_.check_reader();
    desk_.show(list_.total());
    say_that_it_waits();
    std::this_thread::sleep_for(kStep);
  }
}

bool BatchRun::is_stuck() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->is_stuck; });
}

void BatchRun::say_that_it_waits() {
  std::lock_guard lock(waiting_mutex_);
  if (list_ended_ && !waiting_.empty() && !std::exchange(said_waiting_, true))
    desk_.say("Waiting for files that are being asked already");
}
