#include "model/checkpoint/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "kernels/interruption.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxValues = 400000;  // an index of the largest public models has a few thousand

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Reading a folder or a pipe would fail later, with less to say, or wait forever.
void require_regular(const struct stat& status, const std::string& path) {
  if (S_ISREG(status.st_mode)) return;
  const char* found = S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device";
  throw EngineError(ErrorCode::kUnreadable,
                    "cannot read " + path_in_quotes(path) + ": expected a file, found " + found);
}

// nlohmann's own text begins with a bracketed id and ends in the last bytes read: keep what is in
// between.
std::string parse_reason(const std::string& what) {
  size_t begin = what.find("] ");
  begin = begin == std::string::npos ? 0 : begin + 2;
  const size_t end = what.find("; last read", begin);
  return what.substr(begin, end == std::string::npos ? end : end - begin);
}

}  // namespace

std::string in_quotes(std::string_view text, size_t limit) {
  size_t length = std::min(text.size(), limit);
  while (length < text.size() && length > 0 && is_continuation(text[length])) --length;
  std::string clean(text.substr(0, length));
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  // A dump replaces what is not UTF-8; its own quotes are dropped.
  using Json = nlohmann::json;
  clean = Json(clean).dump(-1, ' ', false, Json::error_handler_t::replace);
  return "'" + clean.substr(1, clean.size() - 2) + (length < text.size() ? "...'" : "'");
}

std::string path_in_quotes(const std::string& path) { return in_quotes(path, 4096); }

std::string system_reason(int error_number) {
  return std::generic_category().message(error_number);
}

void throw_damaged(const std::string& path, const std::string& what) {
  throw EngineError(ErrorCode::kDamaged, path_in_quotes(path) + " " + what);
}

void refuse_lfs_pointer(std::string_view head, const std::string& path) {
  if (!head.starts_with("version https://git-lfs.github.com/spec/v1")) return;
  throw_damaged(path,
                "is a Git LFS pointer, not the file itself: run `git lfs pull` in its folder");
}

void require_folder(const std::string& folder) {
  std::error_code reason;
  const auto status = std::filesystem::status(folder, reason);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw EngineError(ErrorCode::kNotFound,
                      "the checkpoint folder " + path_in_quotes(folder) + " does not exist");
  }
  if (reason) {
    throw EngineError(ErrorCode::kUnreadable, "cannot look into the checkpoint folder " +
                                                  path_in_quotes(folder) + ": " + reason.message());
  }
  if (status.type() != std::filesystem::file_type::directory) {
    throw EngineError(ErrorCode::kNotFound, "expected a checkpoint folder at " +
                                                path_in_quotes(folder) + ", found a file");
  }
}

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer. It means nothing to a regular file.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    const int reason = errno;
    const bool missing = reason == ENOENT || reason == ENOTDIR;
    throw EngineError(missing ? ErrorCode::kNotFound : ErrorCode::kUnreadable,
                      "cannot open " + path_in_quotes(path) + ": " + system_reason(reason));
  }
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
      throw EngineError(ErrorCode::kUnreadable,
                        "cannot read " + path_in_quotes(path) + ": " + system_reason(errno));
    }
    require_regular(status, path);
    size_ = static_cast<uint64_t>(status.st_size);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(uint64_t begin, void* out, size_t size) const {
  char* next = static_cast<char*>(out);
  size_t left = size;
  while (left > 0) {
    const ssize_t n = ::pread(descriptor_, next, left, static_cast<off_t>(begin + (size - left)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string reason =
          n < 0 ? system_reason(errno) : std::to_string(left) + " are not there";
      throw EngineError(ErrorCode::kUnreadable, "cannot read " + path_in_quotes(path_) +
                                                    ": expected " + std::to_string(size) +
                                                    " bytes from byte " + std::to_string(begin) +
                                                    ", " + reason);
    }
    next += n;
    left -= static_cast<size_t>(n);
  }
}

std::optional<std::string> read_text_file(const std::string& path, uint64_t limit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  const InputFile file(path);
  if (file.size() > limit) {
    throw_damaged(path, "is too large: expected at most " + std::to_string(limit) +
                            " bytes, found " + std::to_string(file.size()));
  }
  std::string text(file.size(), '\0');
  file.read(0, text.data(), text.size());
  refuse_lfs_pointer(text, path);
  return text;
}

nlohmann::json parse_json_object(std::string_view text, const std::string& path) {
  using Json = nlohmann::json;
  int values = 0;
  const auto limit = [&](int depth, Json::parse_event_t, Json&) {
    interruption_point();
    if (depth > kMaxDepth || ++values > kMaxValues) {
      throw_damaged(path, "holds too much: expected at most " + std::to_string(kMaxDepth) +
                              " levels and " + std::to_string(kMaxValues) + " values of JSON");
    }
    return true;
  };
  try {
    Json json = Json::parse(text, limit);
    if (json.is_object()) return json;
    throw_damaged(path, std::string("must hold a JSON object, found ") + json.type_name());
  } catch (const Json::exception& error) {
    throw_damaged(path, "is not valid JSON: " + in_quotes(parse_reason(error.what()), 200));
  }
}

}  // namespace vidi
