// A line of the list on its way, and the thread that works on it.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "examples/batch/batch_list.h"
#include "examples/batch/begun_marker.h"
#include "examples/batch/file_stamp.h"

struct BatchTask {
  ListLine line;
  std::string name;  // to be printed
  std::string uri, key;
  std::vector<std::string> queries;
  FileStamp stamp;
  std::chrono::steady_clock::time_point tried_at{};
};

// `stop` is what the file's reading looks at; the thread that watches sets it.
class BatchJob {
 public:
  std::thread thread;
  std::atomic<bool> has_ended{false}, stop{false};
  bool is_stuck = false;  // the watching thread's: it does not let go of its file

  // `timeout_s` 0: as long as it takes. `marker`: of the file that is asked, until end_file().
  void begin_file(double timeout_s, const BegunMarker* marker = nullptr);
  void end_file();
  bool timed_out() const { return timed_out_; }

  // Stops what is too late, or what there is when all `ends`. False when it does not let go within
  // the grace.
  bool watch(bool ends, double grace_s);
  void blame_file();  // as if it had ended the process

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  bool has_file_ = false;
  const BegunMarker* marker_ = nullptr;
  std::atomic<bool> timed_out_{false};
  Clock::time_point deadline_{}, stopped_at_{};
};
