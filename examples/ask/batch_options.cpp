#include "examples/ask/batch_options.h"

#include "examples/ask/arguments.h"

namespace {

constexpr int kMostJobs = 64;
constexpr double kWeek = 7 * 86400;

std::string text_of(const gchar* text) { return text ? text : ""; }

}  // namespace

BatchOptions::~BatchOptions() {
  for (gchar* text : {list_, out_, shard_, timeout_}) g_free(text);
}

std::vector<GOptionEntry> BatchOptions::entries() {
  return {{"batch", 0, 0, G_OPTION_ARG_FILENAME, &list_,
           "Ask about every file of a list, - for stdin: a path, a URI or {\"uri\": ..., "
           "\"queries\": [...]} a line. What is done is not asked again",
           "LIST"},
          {"out", 0, 0, G_OPTION_ARG_FILENAME, &out_,
           "With --batch: the folder of the answers, a file each", "DIR"},
          {"shard", 0, 0, G_OPTION_ARG_STRING, &shard_,
           "With --batch: one of n parts of the list, from 0/n on", "I/N"},
          {"jobs", 0, 0, G_OPTION_ARG_INT, &jobs_,
           "With --batch: files at once in front of the model (default 2)", "N"},
          {"timeout", 0, 0, G_OPTION_ARG_STRING, &timeout_,
           "With --batch: a file that takes longer has failed (default: 0, none)", "SECONDS"},
          {"retry-failed", 0, 0, G_OPTION_ARG_NONE, &retries_failed_,
           "With --batch: ask again about files that failed before", nullptr},
          {"strict", 0, 0, G_OPTION_ARG_NONE, &strict_,
           "With --batch: exit status 3 where a file failed", nullptr}};
}

std::string BatchOptions::read(BatchWishes* wishes) const {
  if (!list_) {
    const bool is_any =
        out_ || shard_ || timeout_ || retries_failed_ || strict_ || jobs_ != wishes->jobs;
    return is_any ? "--out, --shard, --jobs, --timeout, --retry-failed and --strict are about a "
                    "batch, expected --batch LIST"
                  : "";
  }
  wishes->list = list_, wishes->out = text_of(out_), wishes->jobs = jobs_;
  wishes->retries_failed = retries_failed_, wishes->strict = strict_;
  if (wishes->list.empty()) return "--batch: expected a list, or - for stdin";
  if (wishes->out.empty()) return "--batch: expected the folder of the answers, --out DIR";
  if (jobs_ < 1 || jobs_ > kMostJobs)
    return "--jobs: expected 1 to " + std::to_string(kMostJobs) + ", found " +
           std::to_string(jobs_);
  const auto shard = shard_ ? parse_shard(shard_) : Shard();
  if (!shard)
    return "--shard: expected I/N with I from 0 to N - 1, such as 0/16, found " + text_of(shard_);
  wishes->shard = *shard;
  gchar* end = nullptr;
  wishes->timeout_s = timeout_ ? g_ascii_strtod(timeout_, &end) : 0;
  const bool is_time = !timeout_ || (end != timeout_ && !*end);
  if (!is_time || !(wishes->timeout_s >= 0 && wishes->timeout_s <= kWeek))
    return "--timeout: expected 0 to 604800 seconds, found " + text_of(timeout_);
  return "";
}

std::string complaint_of_batch(const Arguments& a) {
  if (!a.html.empty() || !a.exports.files.empty() || !a.exports.clips.folder.empty())
    return "--batch writes rows into --out, expected no --vtt, --srt, --export, --clips and --html";
  if (a.ask_more)
    return "--batch: expected all questions in the list or on the command line, not --ask-more";
  if (a.compares) return "--batch: --compare-precision is about one file";
  return "";
}
