// vidi-ask --batch: every file of a list, each exactly once, whatever ends the process meanwhile.
//
// --jobs threads take lines of the list, so that while the model answers for one file the next is
// opened and decoded; what a line goes through is in batch_desk.h. The caller's thread watches time
// limits and shows progress. A line that somebody else is at (another run, the same file twice in
// the list) waits, while others go on.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "examples/batch/batch_desk.h"
#include "examples/batch/batch_list.h"
#include "examples/batch/batch_task.h"

class BatchRun {
 public:
  BatchRun(const BatchWishes& wishes, const BatchQuestions& questions, FileAsker& asker,
           const BatchVoice& voice, const std::atomic<bool>& interrupted);

  // Returns an empty string when every line was dealt with, or after an interruption; else why the
  // run ended before.
  std::string run();
  BatchSummary summary() const { return desk_.summary(); }
  bool is_unread() const { return desk_.is_unread(); }
  // A thread of this run is still in a file that does not let go (a disk that does not answer): the
  // object must outlive it, and the process end.
  bool is_stuck() const;

 private:
  using Jobs = std::vector<std::unique_ptr<BatchJob>>;

  void work(BatchJob& job);
  bool next(BatchTask* task);
  bool take_waiting(BatchTask* task);
  bool read_line(BatchTask* task);
  void watch();
  void say_that_it_waits();

  const BatchWishes& wishes_;
  BatchDesk desk_;

  Jobs jobs_;

  std::mutex list_mutex_;
  BatchList list_;
  std::atomic<bool> list_ended_{false};

  std::mutex waiting_mutex_;
  std::deque<BatchTask> waiting_;
  bool said_waiting_ = false;
};
