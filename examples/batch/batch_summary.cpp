#include "examples/batch/batch_summary.h"

#include <glib.h>

#include <algorithm>

namespace {

constexpr size_t kMostNames = 20;
constexpr size_t kMostKinds = 50;

std::string number(size_t n, const char* one, const char* several) {
  return std::to_string(n) + " " + (n == 1 ? one : several);
}

// Sentences that differ in numbers, or in what stands in quotes, are of one kind.
std::string kind_of(const std::string& error) {
  std::string kind;
  bool quoted = false;
  for (char c : error) {
    if (c == '"') quoted = !quoted;
    if (!quoted && !g_ascii_isdigit(c)) kind += c;
  }
  return kind;
}

}  // namespace

void BatchSummary::add_failed(const std::string& name, const std::string& error, bool before) {
  ++n_failed_;
  if (before) ++n_failed_before_;
  std::string key = kind_of(error);
  if (!kinds_.contains(key) && kinds_.size() >= kMostKinds) key = "other";
  Kind& kind = kinds_[key];
  if (kind.n++ == 0) kind.error = key == "other" ? "other reasons" : error;
  if (kind.names.size() < kMostNames) kind.names.push_back(name);
}

std::string BatchSummary::counts() const {
  const size_t n = n_done_ + n_before_ + n_failed_;
  return number(n, "file", "files") +
         (n_failed_ > 0 ? ", " + std::to_string(n_failed_) + " failed" : "");
}

std::string BatchSummary::text() const {
  std::string text = number(n_done_ + n_before_ + n_failed_, "file", "files") + ": " +
                     std::to_string(n_done_) + " asked, " + std::to_string(n_before_) +
                     " done before, " + std::to_string(n_failed_) + " failed";
  if (n_failed_before_ > 0)
    text += " (" + std::to_string(n_failed_before_) + " before: --retry-failed asks them again)";
  if (n_elsewhere_ > 0) text += "; " + std::to_string(n_elsewhere_) + " are of other shards";
  text += "\n";
  std::vector<const Kind*> kinds;
  for (const auto& [ignored, kind] : kinds_) kinds.push_back(&kind);
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const Kind* a, const Kind* b) { return a->n > b->n; });
  for (const Kind* kind : kinds) {
    text += "  " + std::to_string(kind->n) + " failed: " + kind->error + "\n";
    for (const std::string& name : kind->names) text += "    " + name + "\n";
    if (kind->n > kind->names.size())
      text += "    and " + std::to_string(kind->n - kind->names.size()) + " more\n";
  }
  return text;
}
