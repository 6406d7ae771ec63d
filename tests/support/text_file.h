// A file of a test, gone with it.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vidi::test {

class TextFile {
 public:
  explicit TextFile(const std::string& text) {
    path_ = std::filesystem::temp_directory_path() / "vidi-text-XXXXXX";
    if (const int file = mkstemp(path_.data()); file >= 0) close(file);
    write(text);
  }
  ~TextFile() { std::filesystem::remove(path_); }
  TextFile(const TextFile&) = delete;

  void write(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vidi::test
