#include "examples/common/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace fs = std::filesystem;

namespace {

constexpr mode_t kReadable = 0666;  // less the umask

std::string sentence(const std::string& path, int error) {
  return path + " cannot be written: " + std::strerror(error);
}

// The open descriptor that a path names, /dev/stdout or /dev/fd/3: what is behind it goes on where
// it is, and is not replaced. -1: a file by its own name.
int descriptor_named(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"}) {
    const bool is_number = path.size() > folder.size() && path.size() < folder.size() + 6 &&
                           path.find_first_not_of("0123456789", folder.size()) == path.npos;
    if (path.starts_with(folder) && is_number) return std::stoi(path.substr(folder.size()));
  }
  return -1;
}

bool is_special(const std::string& path) {
  if (descriptor_named(path) >= 0) return true;
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
}

// What a link names, also where nothing is there yet.
fs::path target_of(const std::string& path) {
  std::error_code failed;
  fs::path target = path;
  for (int n = 0; n < 40 && fs::is_symlink(target, failed); ++n) {
    const fs::path next = fs::read_symlink(target, failed);
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

mode_t mode_for(const fs::path& path) {
  struct stat old {};
  if (stat(path.c_str(), &old) == 0) return old.st_mode & 07777;
  const mode_t mask = umask(0);
  umask(mask);
  return kReadable & ~mask;
}

int write_in_place(const std::string& path, const std::string& text) {
  if (const int named = descriptor_named(path); named >= 0) {
    std::fflush(nullptr);  // what was printed comes before
    return write_all(named, text.data(), text.size());
  }
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int error = write_all(descriptor, text.data(), text.size());
  return close(descriptor) != 0 && error == 0 ? errno : error;
}

// A file beside `place`; its name goes to `beside`. -1: errno says why.
int open_beside(const fs::path& place, std::string* beside) {
  *beside = place.string() + ".XXXXXX";
  const int descriptor = mkostemp(beside->data(), O_CLOEXEC);
  if (descriptor >= 0) (void)!fchmod(descriptor, mode_for(place));
  return descriptor;
}

bool is_writable_itself(const fs::path& place) {
  return access(place.c_str(), F_OK) != 0 || access(place.c_str(), W_OK) == 0;
}

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

// Whether standard input or output, `descriptor`, is that file.
bool is_standard(int descriptor, const std::string& path) {
  struct stat in {
  }, out{};
  return fstat(descriptor, &in) == 0 && stat(path.c_str(), &out) == 0 && S_ISREG(in.st_mode) &&
         Identity{in.st_dev, in.st_ino} == Identity{out.st_dev, out.st_ino};
}

}  // namespace

int write_all(int descriptor, const void* bytes, size_t size) {
  for (const char* at = static_cast<const char*>(bytes); size > 0;) {
    const ssize_t n = write(descriptor, at, size);
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) at += n, size -= static_cast<size_t>(n);
  }
  return 0;
}

std::string check_writable(const std::string& path) {
  if (is_special(path)) {
    std::error_code ignored;
    const bool folder = fs::is_directory(path, ignored);
    return folder || access(path.c_str(), W_OK) != 0 ? sentence(path, folder ? EISDIR : errno) : "";
  }
  const fs::path place = target_of(path);
  if (!is_writable_itself(place)) return sentence(path, errno);
  std::string beside;
  const int descriptor = open_beside(place, &beside);
  if (descriptor < 0) return sentence(path, errno);
  close(descriptor);
  unlink(beside.c_str());
  return "";
}

std::string write_file(const std::string& path, const std::string& text) {
  if (is_special(path)) {
    const int error = write_in_place(path, text);
    return error ? sentence(path, error) : "";
  }
  const fs::path place = target_of(path);
  std::string beside;
  const int descriptor = open_beside(place, &beside);
  if (descriptor < 0) return sentence(path, errno);
  int error = write_all(descriptor, text.data(), text.size());
  if (!error && fsync(descriptor) != 0) error = errno;
  if (close(descriptor) != 0 && !error) error = errno;
  if (!error && rename(beside.c_str(), place.c_str()) != 0) error = errno;
  if (error) unlink(beside.c_str());
  return error ? sentence(path, error) : "";
}

std::string make_beside(const std::string& path, std::string* beside) {
  const int descriptor = open_beside(path, beside);
  if (descriptor < 0) {
    beside->clear();
    return sentence(path, errno);
  }
  close(descriptor);
  return "";
}

std::string move_in_place(const std::string& beside, const std::string& path) {
  const int descriptor = open(beside.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return sentence(path, errno);
  int error = fsync(descriptor) != 0 ? errno : 0;
  close(descriptor);
  if (!error && rename(beside.c_str(), path.c_str()) != 0) error = errno;
  return error ? sentence(path, error) : "";
}

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code failed;
  if (fs::equivalent(one, other, failed)) return true;
  const auto place = [&](const std::string& path) {
    return fs::weakly_canonical(fs::absolute(target_of(path), failed), failed);
  };
  const fs::path first = place(one);
  return !failed && first == place(other) && !failed;
}

std::string conflict(const std::vector<std::string>& outputs,
                     const std::vector<std::string>& inputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].empty() || is_special(outputs[i])) continue;
    for (const std::string& input : inputs) {
      if (!input.empty() && is_same_file(outputs[i], input))
        return outputs[i] + " is read, expected another file to write";
    }
    if (is_standard(STDIN_FILENO, outputs[i]))
      return outputs[i] + " is piped in, expected another file to write";
    if (is_standard(STDOUT_FILENO, outputs[i]))
      return outputs[i] + " is where stdout goes, expected another file to write";
    for (size_t k = 0; k < i; ++k) {
      if (!outputs[k].empty() && is_same_file(outputs[i], outputs[k]))
        return outputs[i] + " is to be written twice, expected two files";
    }
  }
  return "";
}
