#include "examples/batch/whole_file.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>

#include "examples/common/output_file.h"

namespace {

constexpr char kEnding[] = ".tmp";

// ".NAME.HOST.PID.N.tmp"
std::string temporary_name(const std::string& name) {
  static std::atomic<unsigned> n_made{0};
  return "." + name + "." + host_name() + "." + std::to_string(getpid()) + "." +
         std::to_string(n_made++) + kEnding;
}

int write_beside(const std::string& path, const std::string& text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return errno;
  int error = write_all(descriptor, text.data(), text.size());
  if (!error && fsync(descriptor) != 0) error = errno;
  if (close(descriptor) != 0 && !error) error = errno;
  if (error) unlink(path.c_str());
  return error;
}

bool has_no_links(int error) { return error == EPERM || error == EOPNOTSUPP || error == ENOSYS; }

// A link is made only where nothing is; where a file system has none, the last one wins.
int put_new(const std::string& beside, const std::string& path) {
  if (link(beside.c_str(), path.c_str()) == 0) return unlink(beside.c_str()), 0;
  int error = errno;
  if (has_no_links(error)) {
    error = access(path.c_str(), F_OK) == 0 ? EEXIST : 0;
    if (!error && rename(beside.c_str(), path.c_str()) != 0) error = errno;
  }
  if (error) unlink(beside.c_str());
  return error;
}

}  // namespace

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (gethostname(name, sizeof name - 1) != 0 || !*name) return "unknown";
  std::string safe = name;
  for (char& c : safe) {
    if (c == '/' || c == '.') c = '-';
  }
  return safe;
}

int write_whole(const std::string& folder, const std::string& name, const std::string& text) {
  const std::string beside = folder + "/" + temporary_name(name), path = folder + "/" + name;
  int error = write_beside(beside, text);
  if (error) return error;
  if (rename(beside.c_str(), path.c_str()) == 0) return 0;
  error = errno;
  unlink(beside.c_str());
  return error;
}

int write_new(const std::string& folder, const std::string& name, const std::string& text) {
  const std::string beside = folder + "/" + temporary_name(name);
  const int error = write_beside(beside, text);
  return error ? error : put_new(beside, folder + "/" + name);
}

bool is_left_over(const std::string& name) {
  if (!name.starts_with('.') || !name.ends_with(kEnding)) return false;
  const std::string host = "." + host_name() + ".";
  const size_t at = name.rfind(host);
  if (at == std::string::npos) return false;
  const char* begin = name.data() + at + host.size();
  pid_t process = 0;
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), process);
  if (error != std::errc() || *end != '.' || process <= 0) return false;
  return kill(process, 0) != 0 && errno == ESRCH;
}
