#include "gst/worker/engine_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vidi {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "libvidi.so";
constexpr const char* kDoorName = "vidi_engine_api";

std::string first_line(const char* text) {
  const std::string all = text ? text : "no reason given";
  return all.substr(0, all.find('\n'));
}

// Folder of the binary that holds this code: the plugin, or a test program. Empty when unknown.
fs::path own_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&engine_api), &info) || !info.dli_fname) return {};
  std::error_code ignored;
  const fs::path file = fs::absolute(info.dli_fname, ignored);
  return ignored ? fs::path() : file.parent_path();
}

std::vector<fs::path> places() {
  std::vector<fs::path> found;
  if (const fs::path folder = own_folder(); !folder.empty()) {
    found.push_back(folder / kFileName);
    found.push_back((folder / ".." / "model" / kFileName).lexically_normal());
    found.push_back((folder / ".." / "vidi" / kFileName).lexically_normal());
  }
  found.emplace_back(VIDI_INSTALLED_ENGINE);
  return found;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Error none_found(const std::vector<fs::path>& tried) {
  std::string message = "The engine library was not found; tried ";
  for (size_t i = 0; i < tried.size(); ++i) {
    message += (i == 0 ? "" : i + 1 == tried.size() ? " and " : ", ") + tried[i].string();
  }
  return {ErrorCode::kNotFound, message + "; $VIDI_ENGINE may name another place."};
}

// Which library it is to be, whether or not it can be opened.
Result<fs::path> choose_path() {
  if (const char* named = std::getenv("VIDI_ENGINE"); named && *named) {
    if (is_there(named)) return fs::path(named);
    return Error{ErrorCode::kNotFound, "$VIDI_ENGINE names the engine library " +
                                           std::string(named) + ", and there is no such file."};
  }
  const std::vector<fs::path> tried = places();
  for (const fs::path& path : tried) {
    if (is_there(path)) return path;
  }
  return none_found(tried);
}

Error unusable(ErrorCode code, const fs::path& path, const std::string& why) {
  const char* named = std::getenv("VIDI_ENGINE");
  const std::string from = named && *named ? " that $VIDI_ENGINE names" : "";
  return {code, "The engine library " + path.string() + from + " cannot be used: " + why + "."};
}

Result<const EngineApi*> open_door(const fs::path& path) {
  // NODELETE: libtorch's threads and exit handlers outlive any handle.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) return unusable(ErrorCode::kUnreadable, path, first_line(dlerror()));
  using DoorFn = const EngineApi* (*)();
  const auto knock = reinterpret_cast<DoorFn>(dlsym(library, kDoorName));
  if (!knock) {
    return unusable(ErrorCode::kUnsupported, path,
                    "expected a function vidi_engine_api, found none");
  }
  const EngineApi* api = knock();
  if (api && api->version == kEngineApiVersion) return api;
  const std::string found = api ? "version " + std::to_string(api->version) : "no API";
  return unusable(ErrorCode::kUnsupported, path,
                  "expected version " + std::to_string(kEngineApiVersion) +
                      " of its API as the plugin has it, found " + found);
}

// The same file by any name is one entry.
std::string cache_key(const fs::path& path) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  return failed ? path.string() : real.string();
}

Result<const EngineApi*> find_door() {
  // Never destroyed: an element may ask while the process ends.
  static std::mutex& mutex = *new std::mutex;
  static auto& opened = *new std::map<std::string, const EngineApi*>;

  const Result<fs::path> path = choose_path();
  if (!path) return path.error();
  std::lock_guard lock(mutex);  // also while opening: two elements need not do it twice
  const std::string key = cache_key(*path);
  if (const auto known = opened.find(key); known != opened.end()) return known->second;
  Result<const EngineApi*> api = open_door(*path);
  if (api) opened.emplace(key, *api);
  return api;
}

}  // namespace

Result<const EngineApi*> engine_api() {
  try {
    return find_door();
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal,
                 "Looking for the engine library failed: " + std::string(e.what()) + "."};
  }
}

}  // namespace vidi
