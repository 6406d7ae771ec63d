#include "examples/watch/scratch_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "examples/watch/folder_lock.h"

namespace fs = std::filesystem;

namespace {

constexpr char kPrefix[] = ".vidi-watch-";
constexpr auto kLongestTry = std::chrono::milliseconds(200), kPause = std::chrono::milliseconds(5);
constexpr int kFewestTries = 5, kMostFolders = 5;

// Never destroyed: asked for while the process ends.
struct Folders {
  std::mutex mutex;
  std::set<std::string> paths;
};

Folders& folders() {
  static Folders& all = *new Folders;
  return all;
}

bool is_mine(const fs::path& folder) {
  struct stat about {};
  return lstat(folder.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid();
}

// A pipeline that is still being stopped may make a file, or delete one, in the middle of it.
void delete_folder(const std::string& path) {
  const auto end = std::chrono::steady_clock::now() + kLongestTry;
  std::error_code error;
  for (int n = 1; fs::remove_all(path, error), error; ++n) {
    if (n >= kFewestTries && std::chrono::steady_clock::now() >= end) return;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

// A process that starts at this moment may sweep the folder away before it has its lock.
std::string ScratchFolder::make(const std::string& parent) {
  std::error_code ignored;
  fs::create_directories(parent, ignored);
  for (int n = 0; n < kMostFolders; ++n) {
    leave();
    std::string path = (fs::path(parent) / (std::string(kPrefix) + "XXXXXX")).string();
    if (!mkdtemp(path.data()))
      return "clips cannot be saved in " + parent + ": " + std::strerror(errno);
    path_ = path;
    lock_ = lock_folder(path_, false);
    const bool is_swept = lock_ < 0 && errno == EWOULDBLOCK;
    if (!is_swept && is_there()) break;
  }
  std::lock_guard lock(folders().mutex);
  folders().paths.insert(path_);
  return "";
}

void ScratchFolder::leave() {
  if (!path_.empty()) {
    delete_folder(path_);
    std::lock_guard lock(folders().mutex);
    folders().paths.erase(path_);
  }
  if (lock_ >= 0) close(lock_);
  path_.clear();
  lock_ = -1;
}

bool ScratchFolder::is_there() const {
  std::error_code error;
  return fs::is_directory(path_, error);
}

void ScratchFolder::sweep_others(const std::string& parent) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const fs::path& path = entry.path();
    if (!path.filename().string().starts_with(kPrefix) || path == path_ || !is_mine(path)) continue;
    const int lock = lock_folder(path.string(), false);
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(path, ignored);
    close(lock);
  }
}

void delete_scratch_folders() {
  std::lock_guard lock(folders().mutex);
  for (const std::string& path : folders().paths) delete_folder(path);
}
