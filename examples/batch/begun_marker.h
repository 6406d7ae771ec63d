// DIR/KEY.begun: this file is being asked, or was when a process ended in the middle. Whoever asks
// holds it locked, which ends with the process; each attempt is a line in it.
//
// A signal that ends a process for a fault of its own (SIGSEGV, SIGABRT ...) adds a line to the
// markers that it holds, so that a process that was killed is told from one that crashed. Any
// thread; one object a file.
#pragma once

#include <memory>
#include <string>

class BegunMarker {
 public:
  BegunMarker() = default;
  ~BegunMarker();
  BegunMarker(const BegunMarker&) = delete;
  BegunMarker& operator=(const BegunMarker&) = delete;

  // Takes the file and reads of earlier attempts. 0; EWOULDBLOCK: another process or thread is at
  // it; else errno.
  int take(const std::string& folder, const std::string& key);
  // From now on, what ends the process counts against the file. 0 or errno.
  int begin();
  // Of earlier attempts: what ended the process, and what ended without a word (a kill, a power
  // cut).
  int n_crashed() const { return n_crashed_; }
  int n_vanished() const { return n_vanished_; }
  bool is_suspect() const { return n_crashed_ + n_vanished_ > 0; }

  void blame() const;  // adds the line of a crash
  void end();          // its answers are there, or its failure is
  void withdraw();     // it was not asked after all: as it was before

 private:
  int lock(const std::string& path);
  void read_attempts();
  void let_go();

  int descriptor_ = -1;
  std::string path_;
  int n_crashed_ = 0, n_vanished_ = 0;
  long size_before_ = 0;
};

// Installs the handlers of those signals. Call once, before begin().
void note_crashes();
// Adds the line of a crash to all markers that are held. A signal handler may call it.
void blame_begun_files();
