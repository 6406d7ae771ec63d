#include "examples/common/output.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "examples/common/text.h"

namespace {

constexpr int kStatusOfSigpipe = 128 + SIGPIPE;  // as a shell reports it

std::optional<LostOutput> lost;

void lose(int error) {
  const bool reader_left = error == EPIPE || error == ECONNRESET;
  lost = {reader_left, std::string("stdout cannot be written: ") + std::strerror(error)};
}

}  // namespace

void expect_lost_outputs() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

bool print(const std::string& text) {
  for (size_t done = 0; !lost && done < text.size();) {
    const ssize_t n = write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (n > 0) done += static_cast<size_t>(n);
    if (n < 0 && errno != EINTR) lose(errno);
  }
  return !lost;
}

const std::optional<LostOutput>& lost_output() { return lost; }

bool has_lost_reader() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

void say_on_stderr(const char* name, const std::string& line) {
  std::fprintf(stderr, "%s: %s\n", name, printable(line).c_str());
}

void end_without_reader() {
  signal(SIGPIPE, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGPIPE);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  raise(SIGPIPE);
  std::_Exit(kStatusOfSigpipe);
}
