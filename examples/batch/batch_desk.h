// What one line of a batch's list goes through: its name, whether it is done, the question, what is
// kept of the answer, and the line that says so. All jobs share it. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "examples/batch/batch_summary.h"
#include "examples/batch/batch_task.h"
#include "examples/batch/batch_wishes.h"
#include "examples/batch/begun_marker.h"
#include "examples/batch/file_asker.h"
#include "examples/batch/gate.h"
#include "examples/batch/result_folder.h"

struct BatchQuestions {
  std::vector<std::string> queries;  // of lines that bring none
  bool needs_queries = true;         // highlights need none
  std::string settings;              // options that change answers
  std::string model_name, model_stamp;
  Forms forms;  // as the command line has them
};

// How a batch speaks; never called by two threads at once.
struct BatchVoice {
  std::function<bool(const std::string& line)> print;  // false: nobody reads on
  std::function<bool()> is_read;                       // false: the same, between two lines
  std::function<void(const std::string& sentence)> say;
  // How far the list is, 0 to 1; below 0: that is not known.
  std::function<void(double fraction, const std::string& counts)> show;
};

class BatchDesk {
 public:
  BatchDesk(const BatchWishes& wishes, const BatchQuestions& questions, FileAsker& asker,
            const BatchVoice& voice, const std::atomic<bool>& interrupted);

  // Returns an empty string, or why nothing can be kept.
  std::string open() { return folder_.open(wishes_.out); }

  enum class Outcome { kEnded, kLater };  // kLater: it is being asked elsewhere
  Outcome take(BatchTask& task, BatchJob& job);

  // The run ends: Ctrl-C, or nothing can be asked or kept.
  bool is_over() const { return interrupted_ || broken_; }
  void break_off(const std::string& error);
  bool is_unread() const { return unread_; }  // it was broken off since nobody reads its lines
  std::string error() const;                  // why it was broken off
  BatchSummary summary() const;
  void say(const std::string& sentence);
  void show(std::optional<size_t> n_all);
  void check_reader();

 private:
  bool identify(BatchTask& task, BatchJob& job);
  std::string settle_forms();
  std::string load();
  bool has_failed_before(const BatchTask& task);
  std::string why_hopeless(const BatchTask& task, const BegunMarker& marker) const;
  Outcome attempt(const BatchTask& task, BatchJob& job);
  void ask(const BatchTask& task, BatchJob& job, BegunMarker& marker);
  void break_off_unwritable(int error);  // errno
  void ask_inside(const BatchTask& task, BatchJob& job, BegunMarker& marker);
  void conclude(const BatchTask& task, const BatchJob& job, BegunMarker& marker, FileEnd& end,
                const BatchRows& rows);
  void keep(const BatchTask& task, BegunMarker& marker, const FileEnd& end, const BatchRows& rows);
  void fail(const BatchTask& task, BegunMarker& marker, FileFacts facts, const std::string& error);
  RowHead head_of(const BatchTask& task) const;
  void print_end(const BatchTask& task, const std::string& error, bool is_new,
                 const FileEnd* end = nullptr, const BatchRows* rows = nullptr);

  const BatchWishes& wishes_;
  const BatchQuestions& questions_;
  FileAsker& asker_;
  const BatchVoice& voice_;
  const std::atomic<bool>& interrupted_;
  const std::string run_id_;
  ResultFolder folder_;
  Gate gate_;
  std::atomic<bool> broken_{false}, unread_{false};

  std::mutex forms_mutex_;  // while forms_ are found out, and a model is loaded
  Forms forms_;
  bool forms_are_settled_ = false;

  mutable std::mutex mutex_;  // voice_, and what follows
  BatchSummary summary_;
  std::unordered_set<std::string> failed_now_;  // keys
  std::string error_;
};
