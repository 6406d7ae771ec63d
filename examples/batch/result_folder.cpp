#include "examples/batch/result_folder.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "examples/batch/begun_marker.h"
#include "examples/batch/whole_file.h"

namespace fs = std::filesystem;

namespace {

constexpr char kDone[] = ".jsonl", kFailed[] = ".failed", kBegun[] = ".begun";

std::string cannot_write(const std::string& path, int error) {
  return path + " cannot be written: " + std::strerror(error);
}

// Of a process that was killed between the last rows and the marker's end. One that is alive holds
// it.
void end_marker(const std::string& folder, const std::string& key) {
  BegunMarker marker;
  if (marker.take(folder, key) == 0) marker.end();
}

}  // namespace

std::string ResultFolder::open(const std::string& folder) {
  folder_ = folder;
  std::error_code failed;
  if (fs::exists(folder, failed) && !fs::is_directory(folder, failed))
    return "--out: expected a folder, found the file " + folder;
  fs::create_directories(folder, failed);
  if (failed) return "--out: " + folder + " cannot be made: " + failed.message();
  if (const std::string error = list(); !error.empty()) return error;
  constexpr char kTrial[] = "trial";
  if (const int error = write_whole(folder, kTrial, "")) return cannot_write(folder, error);
  unlink((folder + "/" + kTrial).c_str());
  return "";
}

std::string ResultFolder::list() {
  DIR* folder = opendir(folder_.c_str());
  if (!folder) return folder_ + " cannot be listed: " + std::strerror(errno);
  std::vector<std::string> begun;
  for (const dirent* one = nullptr; errno = 0, (one = readdir(folder));) {
    const std::string name = one->d_name;
    if (name.ends_with(kBegun)) begun.push_back(name.substr(0, name.size() - std::strlen(kBegun)));
    if (name.ends_with(kDone)) done_.insert(name.substr(0, name.size() - std::strlen(kDone)));
    if (is_left_over(name)) unlink((folder_ + "/" + name).c_str());
  }
  const int error = errno;
  closedir(folder);
  for (const std::string& key : begun) {
    if (done_.contains(key)) end_marker(folder_, key);
  }
  return error ? folder_ + " cannot be listed: " + std::strerror(error) : "";
}

bool ResultFolder::is_done(const std::string& key) const {
  return done_.contains(key) || access((folder_ + "/" + key + kDone).c_str(), F_OK) == 0;
}

std::optional<std::string> ResultFolder::failure_of(const std::string& key) const {
  std::ifstream file(folder_ + "/" + key + kFailed);
  if (!file) return std::nullopt;
  const auto row = nlohmann::json::parse(file, nullptr, false);
  const auto error = row.is_object() ? row.find("error") : row.end();
  const bool is_there = row.is_object() && error != row.end() && error->is_string();
  return is_there ? error->get<std::string>()
                  : "it has failed before, its marker is not understood";
}

std::string ResultFolder::keep(const std::string& key, const std::string& rows) {
  const std::string name = key + kDone;
  if (const int error = write_whole(folder_, name, rows))
    return cannot_write(folder_ + "/" + name, error);
  unlink((folder_ + "/" + key + kFailed).c_str());
  return "";
}

std::string ResultFolder::keep_failure(const std::string& key, const std::string& row) {
  const std::string name = key + kFailed;
  const int error = write_whole(folder_, name, row);
  return error ? cannot_write(folder_ + "/" + name, error) : "";
}
