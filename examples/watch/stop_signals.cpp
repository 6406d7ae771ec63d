#include "examples/watch/stop_signals.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>

namespace {

constexpr timespec kLongestEnd{2, 700'000'000}, kLongestHardEnd{0, 500'000'000};

constexpr long kTwiceMs = 200;

volatile std::sig_atomic_t n_signals = 0, n_hard_ends = 0;
volatile long first_ms = 0;
int wake_pipe[2] = {-1, -1}, end_pipe[2] = {-1, -1};
timer_t end_timer;
bool has_timer = false;
std::function<void()> told;

// ---- In a signal handler: only what one may call ----

void start_timer(const timespec& time) {
  if (!has_timer) return;
  const itimerspec once{{0, 0}, time};
  timer_settime(end_timer, 0, &once, nullptr);
}

void wake(int pipe) {
  const char byte = 0;
  (void)!write(pipe, &byte, 1);
}

void end_hard() {
  n_hard_ends = n_hard_ends + 1;
  if (n_hard_ends > 1 || end_pipe[1] < 0) _exit(0);
  start_timer(kLongestHardEnd);
  wake(end_pipe[1]);
}

void on_signal(int) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long ms = static_cast<long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
  // One Ctrl-C may come twice: to the process, and to its group (timeout).
  n_signals = n_signals + 1;
  if (n_signals > 1) {
    if (ms - first_ms > kTwiceMs) end_hard();
    return;
  }
  first_ms = ms;
  start_timer(kLongestEnd);
  wake(wake_pipe[1]);
}

void on_time(int) { end_hard(); }

// ---- Outside of one ----

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

// Signals go to other threads: this one may be waiting for a disk.
void wait_for_hard_end(std::function<void()> on_hard_end) {
  if (pipe2(end_pipe, O_CLOEXEC) != 0) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([on_hard_end = std::move(on_hard_end)] {
    char byte = 0;
    while (read(end_pipe[0], &byte, 1) < 0 && errno == EINTR) {
    }
    on_hard_end();
    _exit(0);
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void stop_at_signals(std::function<void()> on_stop, std::function<void()> on_hard_end) {
  told = std::move(on_stop);
  wait_for_hard_end(std::move(on_hard_end));
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
