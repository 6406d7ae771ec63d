// What vidi-ask says on stderr while it works: on a terminal a bar that is erased at the end,
// elsewhere a line every ten percent, no more often than every two seconds.
#pragma once

#include <chrono>
#include <string>

class ProgressBar {
 public:
  explicit ProgressBar(bool quiet);
  ~ProgressBar() { clear(); }

  // A line of its own, above the bar; quiet: not at all.
  void say(const std::string& line);
  void warn(const std::string& line);  // also when quiet
  // `fraction` 0..1; drawn at most ten times a second.
  void show(const std::string& what, double fraction, const std::string& details);
  void clear();

 private:
  void draw(const std::string& what, double fraction, const std::string& details);

  const bool quiet_, on_terminal_;
  bool drawn_ = false;
  int last_tenth_ = 0;
  std::string last_what_;
  std::chrono::steady_clock::time_point next_draw_{};
};
