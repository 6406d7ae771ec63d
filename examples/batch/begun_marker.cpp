#include "examples/batch/begun_marker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "examples/batch/whole_file.h"
#include "examples/common/output_file.h"

namespace {

constexpr char kCrashed[] = "crashed\n";
constexpr size_t kMostBytes = 1 << 16;
constexpr int kNone = -1;

// Of the markers that are held now. What a signal handler may read.
std::array<std::atomic<int>, 256> held;

// Only what a signal handler may call. The default action follows, with its core dump.
void on_crash(int number) {
  blame_begun_files();
  std::signal(number, SIG_DFL);
  raise(number);
}

// Stored one higher: 0, as the array begins, is none.
void hold(int descriptor) {
  for (auto& place : held) {
    int none = 0;
    if (place.compare_exchange_strong(none, descriptor + 1)) return;
  }
}

void forget(int descriptor) {
  for (auto& place : held) {
    int mine = descriptor + 1;
    if (place.compare_exchange_strong(mine, 0)) return;
  }
}

int count(const std::string& text, const std::string& line_begin) {
  int n = 0;
  for (size_t at = 0; at < text.size();) {
    if (text.compare(at, line_begin.size(), line_begin) == 0) ++n;
    const size_t end = text.find('\n', at);
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return n;
}

bool has_no_locks(int error) { return error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS; }

}  // namespace

void blame_begun_files() {
  for (const auto& descriptor : held) {
    const int one = descriptor.load() - 1;
    if (one != kNone) (void)!write(one, kCrashed, sizeof kCrashed - 1);
  }
}

void note_crashes() {
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
    sigaction(number, &action, nullptr);
}

BegunMarker::~BegunMarker() { let_go(); }

// The one that is locked is the one that has the name: who held it before may have taken it away.
int BegunMarker::lock(const std::string& path) {
  for (;;) {
    descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0) return errno;
    int error = flock(descriptor_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (has_no_locks(error)) error = 0;
    if (error) return close(descriptor_), descriptor_ = -1, error;
    struct stat own {
    }, named{};
    if (fstat(descriptor_, &own) == 0 && stat(path.c_str(), &named) == 0 &&
        own.st_ino == named.st_ino && own.st_dev == named.st_dev)
      return 0;
    close(descriptor_);
  }
}

void BegunMarker::read_attempts() {
  std::string text(kMostBytes, '\0');
  const ssize_t n = pread(descriptor_, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  n_crashed_ = count(text, "crashed");
  n_vanished_ = std::max(0, count(text, "begun") - n_crashed_);
}

int BegunMarker::take(const std::string& folder, const std::string& key) {
  path_ = folder + "/" + key + ".begun";
  if (const int error = lock(path_)) return error;
  read_attempts();
  size_before_ = lseek(descriptor_, 0, SEEK_END);
  return 0;
}

int BegunMarker::begin() {
  const std::string line = "begun " + host_name() + " " + std::to_string(getpid()) + " " +
                           std::to_string(time(nullptr)) + "\n";
  const int error = write_all(descriptor_, line.data(), line.size());
  if (error) return withdraw(), error;
  hold(descriptor_);
  return 0;
}

void BegunMarker::blame() const {
  if (descriptor_ >= 0) (void)!write(descriptor_, kCrashed, sizeof kCrashed - 1);
}

void BegunMarker::end() {
  if (descriptor_ >= 0) unlink(path_.c_str());
  let_go();
}

void BegunMarker::withdraw() {
  if (descriptor_ < 0) return;
  if (size_before_ > 0) (void)!ftruncate(descriptor_, size_before_);
  if (size_before_ == 0) unlink(path_.c_str());
  let_go();
}

void BegunMarker::let_go() {
  if (descriptor_ < 0) return;
  forget(descriptor_);
  close(descriptor_);
  descriptor_ = -1;
}
