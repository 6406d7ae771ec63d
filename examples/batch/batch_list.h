// The list of vidi-ask --batch: a file a line. Lines may come slowly (`-`, a pipe): nothing here
// waits longer than it is told to. One thread at a time.
//
// A line is a path, a URI, or {"uri": ..., "queries": [...]}. Empty lines and those that begin with
// # are passed over; a byte order mark and the carriage return of Windows go.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

struct ListLine {
  size_t number = 0;                                // from 1, as an editor counts
  std::string file;                                 // path or URI, bytes as they stand there
  std::optional<std::vector<std::string>> queries;  // the line's own
  std::string error;                                // why it names no file to ask, as a sentence
  std::string text;                                 // of such a line, its beginning
};

// Of a line that is neither empty nor a comment.
ListLine parse_line(const std::string& text, size_t number);

class BatchList {
 public:
  BatchList() = default;
  ~BatchList();
  BatchList(const BatchList&) = delete;
  BatchList& operator=(const BatchList&) = delete;

  // `name`: a file, or - for stdin. Returns an empty string, or why it cannot be read.
  std::string open(const std::string& name);
  // Lines that next() will give; empty where that is not known, of a pipe.
  std::optional<size_t> total() const { return total_; }

  enum class Got { kLine, kNothingYet, kEnd, kTorn };
  // kNothingYet: no line came for so long, or a signal came. kTorn: error() says why it ends.
  Got next(std::chrono::milliseconds patience, ListLine* line);
  const std::string& error() const { return error_; }

 private:
  bool take_line(std::string* text);
  Got fill(std::chrono::milliseconds patience);
  void count();

  int descriptor_ = -1;
  std::string name_, error_, buffer_;
  size_t done_ = 0;  // of buffer_
  bool ended_ = false, is_too_long_ = false;
  size_t number_ = 0;
  std::optional<size_t> total_;
};
