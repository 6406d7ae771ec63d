#include "examples/watch/hls_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "examples/common/output_file.h"
#include "examples/watch/folder_lock.h"

namespace fs = std::filesystem;

namespace {

constexpr auto kLongestGoodbye = std::chrono::milliseconds(500);
constexpr uintmax_t kLargestPlaylist = 16 << 20;
constexpr mode_t kReadable = 0666;  // less the umask

// 0, or errno.
int write_new(const std::string& path, const std::string& text) {
  const int descriptor =
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kReadable);
  if (descriptor < 0) return errno;
  const int error = write_all(descriptor, text.data(), text.size());
  return close(descriptor) != 0 && !error ? errno : error;
}

// Beside the old one first; 0, or errno: then the old one is as it was.
int replace(const std::string& path, const std::string& text) {
  const fs::path place = path;
  const std::string beside = place.parent_path() / ("." + place.filename().string() + ".new");
  int error = write_new(beside, text);
  if (!error && rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error) unlink(beside.c_str());
  return error;
}

// vidi-RUN-WRITER-NUMBER.ts, as a run has named them.
bool is_segment(const fs::path& path) {
  std::string name = path.filename().string();
  if (!name.starts_with(HlsFolder::kSegments) || !name.ends_with(".ts")) return false;
  name = name.substr(sizeof HlsFolder::kSegments - 1);
  name.resize(name.size() - 3);
  int n_dashes = 0;
  for (const char c : name) {
    if (c == '-') ++n_dashes;
    if (c != '-' && (c < '0' || c > '9')) return false;
  }
  struct stat about {};
  return n_dashes == 2 && lstat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

// What the thread does, one step after the other. It has a share: it may outlive the folder.
struct HlsFolder::Work {
  const std::string folder;
  int lock = -1;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> playlist;
  std::vector<std::string> segments;
  bool make = false, leaves = false, busy = false;
  std::string error;

  explicit Work(const std::string& name) : folder(name) {}
  ~Work() {
    if (lock >= 0) close(lock);
  }
  bool has_none() const { return !playlist && segments.empty() && !make; }

  void run() {
    std::unique_lock guard(mutex);
    while (true) {
      busy = false;
      changed.notify_all();
      changed.wait(guard, [this] { return leaves || !has_none(); });
      if (has_none()) return;
      busy = true;
      const auto text = std::exchange(playlist, std::nullopt);
      const auto gone = std::exchange(segments, {});
      const bool makes = std::exchange(make, false);
      guard.unlock();
      const std::string wrong = step(text, gone, makes);
      guard.lock();
      if (text) error = wrong;
    }
  }

  std::string step(const std::optional<std::string>& text, const std::vector<std::string>& gone,
                   bool makes) {
    std::error_code ignored;
    if (makes && !fs::is_directory(folder, ignored)) {
      fs::create_directories(folder, ignored);
      const int again = lock_folder(folder, true);
      if (again >= 0) close(std::exchange(lock, again));
    }
    // Room for the playlist first, and no file that a player may still ask for before it.
    for (const std::string& name : gone) unlink((fs::path(folder) / name).c_str());
    const int failed = text ? replace(fs::path(folder) / kPlaylist, *text) : 0;
    return failed ? std::strerror(failed) : "";
  }
};

HlsFolder::HlsFolder(const std::string& folder)
    : folder_(folder), work_(std::make_shared<Work>(folder)) {}

HlsFolder::~HlsFolder() {
  std::unique_lock guard(work_->mutex);
  work_->leaves = true;
  work_->changed.notify_all();
  work_->changed.wait_for(guard, kLongestGoodbye,
                          [this] { return work_->has_none() && !work_->busy; });
}

std::string HlsFolder::open() {
  std::error_code error;
  fs::create_directories(folder_, error);
  work_->lock = lock_folder(folder_, true);
  if (work_->lock < 0 && errno == EWOULDBLOCK)
    return "another vidi-watch publishes in " + folder_ + ", expected a folder for this one";
  if (work_->lock < 0)
    return "the stream cannot be published in " + folder_ + ": " + std::strerror(errno);
  if (access(folder_.c_str(), W_OK | X_OK) != 0)
    return "the stream cannot be published in " + folder_ + ": " + std::strerror(errno);
  const std::string wrong = read_old();
  if (!wrong.empty()) return wrong;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (is_segment(entry.path())) old_.push_back(entry.path().filename().string());
  }
  std::thread([work = work_] { work->run(); }).detach();
  return "";
}

// Whoever follows an earlier run's playlist goes on with this one's.
std::string HlsFolder::read_old() {
  const fs::path path = fs::path(folder_) / kPlaylist;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return "";
  std::string text;
  if (fs::is_regular_file(fs::symlink_status(path, error)) &&
      fs::file_size(path, error) <= kLargestPlaylist) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    text = all.str();
  }
  const auto numbers = numbers_after(text);
  if (!numbers)
    return path.string() + " is no playlist of vidi-watch, expected a folder without one";
  first_ = *numbers;
  return "";
}

void HlsFolder::write(const std::string& playlist) {
  std::lock_guard guard(work_->mutex);
  work_->playlist = playlist;
  work_->changed.notify_all();
}

void HlsFolder::remove(const std::vector<std::string>& segments) {
  std::lock_guard guard(work_->mutex);
  work_->segments.insert(work_->segments.end(), segments.begin(), segments.end());
  work_->changed.notify_all();
}

void HlsFolder::remove_old() {
  if (!old_.empty()) remove(std::exchange(old_, {}));
}

void HlsFolder::make_again() {
  std::lock_guard guard(work_->mutex);
  work_->make = true;
  work_->changed.notify_all();
}

bool HlsFolder::is_idle() const {
  std::lock_guard guard(work_->mutex);
  return work_->has_none() && !work_->busy;
}

std::string HlsFolder::take_error() {
  std::lock_guard guard(work_->mutex);
  return std::exchange(work_->error, "");
}
