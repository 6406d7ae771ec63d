// DIR of --out: what is done stands there by name.
//
//   KEY.jsonl   the answers of a file: it is done
//   KEY.failed  why it has none, as its one row
//   KEY.begun   it is being asked, or was when a process ended (begun_marker.h)
//   settings.json
//
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

class ResultFolder {
 public:
  // Makes it where it is not there, looks whether it can be written, lists what is done and takes
  // away what processes of this computer have left. Returns an empty string, or why not.
  std::string open(const std::string& folder);
  const std::string& path() const { return folder_; }
  size_t n_listed() const { return done_.size(); }

  // Also what other processes have finished since.
  bool is_done(const std::string& key) const;
  std::optional<std::string> failure_of(const std::string& key) const;  // the sentence

  // Return an empty string, or why it cannot be written: the run's end, and no file's.
  std::string keep(const std::string& key, const std::string& rows);
  std::string keep_failure(const std::string& key, const std::string& row);

 private:
  std::string list();

  std::string folder_;
  std::unordered_set<std::string> done_;  // as it was listed
};
