#include "gst/filter/query_file.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace vidi {
namespace {

constexpr size_t kLongest = 1 << 20;  // bytes; a film by mistake is not read to its end
constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

std::string stripped(const std::string& line) {
  constexpr char kBlanks[] = " \t\r\v\f";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

// Lines end as on Unix, Windows or an old Mac.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    lines.push_back(stripped(text.substr(at, end - at)));
    at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return lines;
}

Error bad_file(const std::string& path, const std::string& found) {
  return {ErrorCode::kBadInput,
          "The property queries-file must name a text file with a question a line, but " + path +
              " " + found + "."};
}

// A pipe without a writer would hold up whoever sets the property.
Result<std::string> contents(const std::string& path) {
  const auto close = [](FILE* file) { std::fclose(file); };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return bad_file(path, std::string("cannot be opened: ") + g_strerror(errno));
  const std::unique_ptr<FILE, decltype(close)> file(fdopen(descriptor, "rb"), close);
  struct stat about {};
  if (!file || fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode))
    return bad_file(path, "is no file on a disk");
  std::string text;
  std::array<char, 4096> some;
  while (const size_t n = std::fread(some.data(), 1, some.size(), file.get())) {
    text.append(some.data(), n);
    if (text.size() > kLongest) return bad_file(path, "is longer than 1 MiB");
  }
  if (std::ferror(file.get()))
    return bad_file(path, std::string("cannot be read: ") + g_strerror(errno));
  return text;
}

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text);
  std::erase(lines, "");
  return lines;
}

Result<std::vector<std::string>> read_query_file(const std::string& path) {
  Result<std::string> read = contents(path);
  if (!read) return read.error();
  std::string text = std::move(*read);
  if (text.starts_with(kByteOrderMark)) text.erase(0, sizeof kByteOrderMark - 1);
  std::vector<std::string> queries;
  size_t n = 0;
  for (std::string& line : split(text)) {
    ++n;
    if (!g_utf8_validate(line.data(), static_cast<gssize>(line.size()), nullptr))
      return bad_file(path, "holds other bytes than UTF-8 in line " + std::to_string(n));
    if (!line.empty() && line[0] != '#') queries.push_back(std::move(line));
  }
  if (queries.empty()) return bad_file(path, "holds no question");
  return queries;
}

}  // namespace vidi
