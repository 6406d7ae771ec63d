// Where text leaves the programs: hits on stdout, sentences on stderr.
#pragma once

#include <optional>
#include <string>

// A reader that leaves and a file that may not grow (ulimit) do not end the program any more: who
// writes is told. Call first.
void expect_lost_outputs();

// Writes to stdout at once. False when that cannot be written: lost_output() says how, and what is
// printed afterwards is thrown away.
bool print(const std::string& text);

struct LostOutput {
  bool reader_left = false;
  std::string sentence;  // else
};
// Empty while stdout can be written.
const std::optional<LostOutput>& lost_output();

// Whether stdout is a pipe that nobody reads any more: known without writing to it.
bool has_lost_reader();

// A line on stderr, whatever is in it: printable (text.h), with `name: ` before it.
void say_on_stderr(const char* name, const std::string& line);

// The end that a program has whose reader has left: that of SIGPIPE.
[[noreturn]] void end_without_reader();
