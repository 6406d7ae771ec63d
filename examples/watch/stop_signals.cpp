#include "examples/watch/stop_signals.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace {

constexpr timespec kLongestEnd{2, 700'000'000};

constexpr long kTwiceMs = 200;

volatile std::sig_atomic_t n_signals = 0;
volatile long first_ms = 0;
int wake_pipe[2] = {-1, -1};
timer_t end_timer;
bool has_timer = false;
std::function<void()> told;

// Only what a signal handler may call.
void on_signal(int) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long ms = static_cast<long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
  // One Ctrl-C may come twice: to the process, and to its group (timeout).
  n_signals = n_signals + 1;
  if (n_signals > 1) {
    if (ms - first_ms > kTwiceMs) _exit(0);
    return;
  }
  first_ms = ms;
  if (has_timer) {
    const itimerspec once{{0, 0}, kLongestEnd};
    timer_settime(end_timer, 0, &once, nullptr);
  }
  const char byte = 0;
  (void)!write(wake_pipe[1], &byte, 1);
}

void on_time(int) { _exit(0); }

gboolean on_wake(gint, GIOCondition, gpointer) {
  told();
  return G_SOURCE_REMOVE;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

bool is_ignored(int number) {
  struct sigaction action {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void stop_at_signals(std::function<void()> on_stop) {
  told = std::move(on_stop);
  if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0)
    g_unix_fd_add(wake_pipe[0], G_IO_IN, on_wake, nullptr);
  sigevent at_the_end{};
  at_the_end.sigev_notify = SIGEV_SIGNAL;
  at_the_end.sigev_signo = SIGALRM;
  has_timer = timer_create(CLOCK_MONOTONIC, &at_the_end, &end_timer) == 0;
  handle(SIGALRM, on_time);
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, on_signal);
}
