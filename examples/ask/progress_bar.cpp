#include "examples/ask/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "examples/common/text.h"

namespace {

constexpr size_t kLeastBar = 4, kMostBar = 24, kUsualColumns = 80;
constexpr auto kBetweenDraws = std::chrono::milliseconds(100);
constexpr auto kBetweenLines = std::chrono::seconds(2);
constexpr char kEraseLine[] = "\r\033[K";

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && term && *term && std::string(term) != "dumb";
}

size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

std::string percent(double fraction) {
  char text[16];
  std::snprintf(text, sizeof text, "%3d %%", static_cast<int>(fraction * 100));
  return text;
}

}  // namespace

ProgressBar::ProgressBar(bool quiet) : quiet_(quiet), on_terminal_(is_terminal()) {
  if (!on_terminal_) next_draw_ = std::chrono::steady_clock::now() + kBetweenLines;
}

void ProgressBar::say(const std::string& line) {
  if (!quiet_) warn(line);
}

void ProgressBar::warn(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", printable(line).c_str());
}

void ProgressBar::show(const std::string& what, double fraction, const std::string& details) {
  if (quiet_) return;
  fraction = std::clamp(fraction, 0.0, 1.0);
  if (what != last_what_) last_what_ = what, last_tenth_ = 0;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_draw_) return;
  if (on_terminal_) {
    draw(what, fraction, details);
    next_draw_ = now + kBetweenDraws;
  } else if (const int tenth = static_cast<int>(fraction * 10); tenth > last_tenth_) {
    std::fprintf(stderr, "%s %s  %s\n", what.c_str(), percent(fraction).c_str(), details.c_str());
    last_tenth_ = tenth;
    next_draw_ = now + kBetweenLines;
  }
}

void ProgressBar::draw(const std::string& what, double fraction, const std::string& details) {
  const std::string before = what + " " + percent(fraction) + " [", after = "] " + details;
  const size_t n_columns = terminal_columns() - 1;  // a terminal may wrap at its last one
  const size_t n_text = columns_of(before) + columns_of(after);
  const size_t n_bar = std::clamp(n_columns > n_text ? n_columns - n_text : 0, kLeastBar, kMostBar);
  const auto n_full = static_cast<size_t>(fraction * static_cast<double>(n_bar));
  const std::string line =
      before + std::string(n_full, '#') + std::string(n_bar - n_full, '-') + after;
  std::fprintf(stderr, "%s%s", kEraseLine, shortened(line, n_columns).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) std::fputs(kEraseLine, stderr);
  std::fflush(stderr);
  drawn_ = false;
}
