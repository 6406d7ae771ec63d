// What became of the files of a batch: counts, and in the end which failed and why. One thread at a
// time.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

class BatchSummary {
 public:
  void add_done() { ++n_done_; }
  void add_done_before() { ++n_before_; }
  void add_failed(const std::string& name, const std::string& error, bool before);
  void add_of_other_shard() { ++n_elsewhere_; }

  size_t n_failed() const { return n_failed_; }
  // Lines of the list that are dealt with.
  size_t n_ended() const { return n_done_ + n_before_ + n_failed_ + n_elsewhere_; }
  std::string counts() const;  // "9 of 12 files, 3 failed"-like words for a progress bar

  // Several lines: how many, then each kind of failure with the names of its files.
  std::string text() const;

 private:
  struct Kind {
    size_t n = 0;
    std::string error;               // of the first
    std::vector<std::string> names;  // of the first few
  };

  size_t n_done_ = 0, n_before_ = 0, n_failed_ = 0, n_failed_before_ = 0, n_elsewhere_ = 0;
  std::map<std::string, Kind> kinds_;
};
