#include "examples/batch/batch_list.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"

namespace {

using Json = nlohmann::json;

constexpr size_t kLongestLine = 1 << 20;
constexpr size_t kPiece = 1 << 16;
constexpr size_t kShown = 200;  // of a line that is refused
constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

bool is_passed_over(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos || text[first] == '#';
}

std::string why_no_query(const Json& query) {
  if (!query.is_string()) return "expected texts as queries, found " + query.dump();
  return is_blank(query.get<std::string>()) ? "a question is empty" : "";
}

// The same question twice is one question.
void take_queries(const Json& object, ListLine* line) {
  const auto found = object.find("queries");
  if (found == object.end()) return;
  if (!found->is_array() || found->empty()) {
    line->error = "expected queries as a list of one or more";
    return;
  }
  line->queries.emplace();
  for (const Json& query : *found) {
    if (line->error = why_no_query(query); !line->error.empty()) return;
    const auto text = query.get<std::string>();
    if (std::find(line->queries->begin(), line->queries->end(), text) == line->queries->end())
      line->queries->push_back(text);
  }
}

void take_object(const std::string& text, ListLine* line) {
  const Json object = Json::parse(text, nullptr, false);
  const auto uri = object.is_object() ? object.find("uri") : object.end();
  if (!object.is_object() || uri == object.end() || !uri->is_string()) {
    line->error =
        "expected a path, a URI or {\"uri\": ..., \"queries\": [...]}, found something else that "
        "begins with {";
    return;
  }
  line->file = uri->get<std::string>();
  take_queries(object, line);
}

}  // namespace

ListLine parse_line(const std::string& text, size_t number) {
  ListLine line;
  line.number = number;
  if (text.size() > kLongestLine) {
    line.error = "expected a line of at most 1 MiB";
  } else if (text.find_first_not_of(" \t") != std::string::npos &&
             text[text.find_first_not_of(" \t")] == '{') {
    take_object(text, &line);
  } else {
    line.file = text;
  }
  if (line.error.empty() && line.file.find('\0') != std::string::npos)
    line.error = "expected a path or a URI, found one with a zero byte";
  if (line.error.empty() && (line.file.empty() || line.file == "-"))
    line.error = "expected a path or a URI, found \"" + line.file + "\"";
  if (!line.error.empty()) line.text = text.substr(0, kShown);
  return line;
}

BatchList::~BatchList() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

std::string BatchList::open(const std::string& name) {
  name_ = name == "-" ? "stdin" : name;
  descriptor_ =
      name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);  // waits for a FIFO
  if (descriptor_ < 0) return name_ + " cannot be read: " + std::strerror(errno);
  struct stat facts {};
  if (fstat(descriptor_, &facts) == 0 && S_ISDIR(facts.st_mode))
    return name_ + ": it is a folder, expected a list with a file a line";
  if (name == "-" && isatty(STDIN_FILENO))
    return "stdin is a terminal, expected a list with a file a line";
  if (S_ISREG(facts.st_mode) && lseek(descriptor_, 0, SEEK_CUR) == 0) count();
  return "";
}

// Reads it once, and goes back.
void BatchList::count() {
  size_t n = 0;
  std::string text;
  while (!ended_ && fill(std::chrono::milliseconds(0)) != Got::kTorn) {
    while (take_line(&text)) n += is_passed_over(text) ? 0 : 1;
  }
  const bool is_back = lseek(descriptor_, 0, SEEK_SET) == 0;
  if (is_back && error_.empty()) total_ = n;
  buffer_.clear(), error_.clear();
  done_ = number_ = 0;
  ended_ = is_too_long_ = false;
}

// The next whole line, or what is left at the end. Of one that is too long the rest is thrown away.
bool BatchList::take_line(std::string* text) {
  const size_t end = buffer_.find('\n', done_);
  const bool is_whole = end != std::string::npos;
  const size_t n = (is_whole ? end : buffer_.size()) - done_;
  if (!is_whole && n > kLongestLine) {
    if (!is_too_long_) buffer_.resize(done_ + kLongestLine + 1);  // enough to be refused
    if (is_too_long_) buffer_.resize(done_);
    is_too_long_ = true;
  }
  if (!is_whole && (!ended_ || n == 0)) return false;
  *text = buffer_.substr(done_, is_whole ? n : std::string::npos);
  done_ = is_whole ? end + 1 : buffer_.size();
  is_too_long_ = false;
  if (number_++ == 0 && text->starts_with(kByteOrderMark)) text->erase(0, 3);
  if (text->ends_with('\r')) text->pop_back();
  return true;
}

BatchList::Got BatchList::fill(std::chrono::milliseconds patience) {
  pollfd waits{descriptor_, POLLIN, 0};
  const int n_ready = poll(&waits, 1, static_cast<int>(patience.count()));
  if (n_ready == 0 || (n_ready < 0 && errno == EINTR)) return Got::kNothingYet;
  buffer_.erase(0, done_);
  done_ = 0;
  const size_t before = buffer_.size();
  buffer_.resize(before + kPiece);
  const ssize_t n = read(descriptor_, buffer_.data() + before, kPiece);
  const int error = errno;
  buffer_.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  if (n > 0) return Got::kLine;
  if (n < 0 && (error == EINTR || error == EAGAIN)) return Got::kNothingYet;
  ended_ = true;
  if (n < 0) error_ = name_ + " cannot be read to its end: " + std::strerror(error);
  return n < 0 ? Got::kTorn : Got::kEnd;
}

BatchList::Got BatchList::next(std::chrono::milliseconds patience, ListLine* line) {
  for (;;) {
    std::string text;
    while (take_line(&text)) {
      if (is_passed_over(text)) continue;
      *line = parse_line(text, number_);
      return Got::kLine;
    }
    if (ended_) return error_.empty() ? Got::kEnd : Got::kTorn;
    if (fill(patience) == Got::kNothingYet) return Got::kNothingYet;
  }
}
