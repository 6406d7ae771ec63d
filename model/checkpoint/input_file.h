// Small files and names that someone else wrote: read with a limit, parsed with a limit, quoted for
// messages. Torch-free.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace vidi {

// Text in single quotes for a message: on one line, valid UTF-8, and cut after `limit` bytes.
std::string in_quotes(std::string_view text, size_t limit = 120);
std::string path_in_quotes(const std::string& path);

// The system's words for an errno value.
std::string system_reason(int error_number);

// Throws kDamaged with "'path' <what>".
[[noreturn]] void throw_damaged(const std::string& path, const std::string& what);

// Throws kDamaged when `head` begins like the small text that stands for a file that Git LFS has
// not fetched.
void refuse_lfs_pointer(std::string_view head, const std::string& path);

// Throws EngineError (kNotFound, kUnreadable) unless `folder` is one that can be looked into.
void require_folder(const std::string& folder);

// A file opened for reading, with its size. Throws EngineError: kNotFound, kUnreadable (a folder or
// device too).
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }
  // Reads bytes [begin, begin + size), all of them or throws kUnreadable. Any number of threads.
  void read(uint64_t begin, void* out, size_t size) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// A whole text file of at most `limit` bytes, or nothing when there is none. Throws kUnreadable,
// kDamaged (too large, or a Git LFS pointer).
std::optional<std::string> read_text_file(const std::string& path, uint64_t limit);

// A JSON object. Depth and number of values are limited, so that a small file cannot ask for much
// memory. Throws kDamaged; `path` serves the message.
nlohmann::json parse_json_object(std::string_view text, const std::string& path);

}  // namespace vidi
