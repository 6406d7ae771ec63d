#include "examples/batch/batch_desk.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "examples/batch/batch_key.h"
#include "examples/batch/settings_file.h"
#include "examples/common/text.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostCrashes = 2;
// Without a word: a kill, a power cut, or the kernel for want of memory. Mostly not the file's
// fault.
constexpr int kMostVanished = 5;

std::string new_id() {
  gchar* text = g_uuid_string_random();
  const std::string id = text;
  g_free(text);
  return id;
}

std::string seconds_of(double seconds) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.6g", seconds);
}

}  // namespace

BatchDesk::BatchDesk(const BatchWishes& wishes, const BatchQuestions& questions, FileAsker& asker,
                     const BatchVoice& voice, const std::atomic<bool>& interrupted)
    : wishes_(wishes),
      questions_(questions),
      asker_(asker),
      voice_(voice),
      interrupted_(interrupted),
      run_id_(new_id()),
      forms_(questions.forms) {}

BatchDesk::Outcome BatchDesk::take(BatchTask& task, BatchJob& job) {
  if (task.key.empty() && !identify(task, job)) return Outcome::kEnded;
  if (folder_.is_done(task.key)) return print_end(task, "", false), Outcome::kEnded;
  if (has_failed_before(task)) return Outcome::kEnded;
  return attempt(task, job);
}

// ---- Its name ----

// False when that is the line's end: it names nothing, or another shard's.
bool BatchDesk::identify(BatchTask& task, BatchJob& job) {
  task.name = printable(task.line.file);
  std::string error = task.line.error;
  if (error.empty()) task.uri = absolute_uri(task.line.file, &error);
  task.queries = task.line.queries.value_or(questions_.queries);
  if (error.empty() && task.queries.empty() && questions_.needs_queries)
    error = "expected questions, in the line or on the command line";
  if (!error.empty()) {
    if (task.line.text.empty()) task.line.text = task.line.file;
    task.name = "line " + std::to_string(task.line.number) + ": " + printable(task.line.text);
    return print_end(task, error, true), false;
  }
  if (!wishes_.shard.holds(task.uri)) {
    std::lock_guard lock(mutex_);
    return summary_.add_of_other_shard(), false;
  }
  job.begin_file(wishes_.timeout_s);
  task.stamp = stamp_of(task.uri, job.stop);
  job.end_file();
  if (job.timed_out())
    task.stamp = {"", "it did not answer within " + seconds_of(wishes_.timeout_s) + " s"};
  if (error = settle_forms(); !error.empty()) break_off(error);
  task.key = key_of({task.uri, task.stamp.text, task.queries, questions_.settings, forms_,
                     questions_.model_stamp});
  return !is_over();
}

// What the folder's answers were made with, or what this first run's `auto` comes to.
std::string BatchDesk::settle_forms() {
  std::lock_guard lock(forms_mutex_);
  if (forms_are_settled_ || is_over()) return "";
  std::string error;
  std::optional<Forms> kept = read_settings(folder_.path(), &error);
  if (error.empty() && !kept) {
    error = asker_.load(&forms_, interrupted_);
    Forms taken;
    if (error.empty() && !is_over()) error = write_settings(folder_.path(), forms_, &taken);
    if (error.empty() && !is_over() && taken != forms_)
      error = "another run has begun " + folder_.path() + " in another form (its " + kSettingsName +
              "), start again to take that";
  } else if (error.empty()) {
    error = contradiction(folder_.path(), *kept, questions_.forms);
    forms_ = *kept;
  }
  forms_are_settled_ = error.empty();
  return error;
}

// ---- Is there anything to do? ----

bool BatchDesk::has_failed_before(const BatchTask& task) {
  bool is_again = false;
  {
    std::lock_guard lock(mutex_);
    is_again = failed_now_.contains(task.key);
  }
  if (wishes_.retries_failed && !is_again) return false;
  const auto error = folder_.failure_of(task.key);
  if (error) print_end(task, *error, false);
  return error.has_value();
}

std::string BatchDesk::why_hopeless(const BatchTask& task, const BegunMarker& marker) const {
  if (marker.n_crashed() >= kMostCrashes)
    return "crashed: the process ended in the middle of it " + std::to_string(marker.n_crashed()) +
           " times";
  if (marker.n_vanished() >= kMostVanished)
    return "crashed: the process was gone in the middle of it " +
           std::to_string(marker.n_vanished()) + " times";
  return task.stamp.error;
}

BatchDesk::Outcome BatchDesk::attempt(const BatchTask& task, BatchJob& job) {
  BegunMarker marker;
  const int error = marker.take(folder_.path(), task.key);
  if (error == EWOULDBLOCK) return Outcome::kLater;
  if (error) {
    break_off_unwritable(error);
  } else if (folder_.is_done(task.key)) {  // meanwhile
    marker.end();
    print_end(task, "", false);
  } else if (const std::string why = why_hopeless(task, marker); !why.empty()) {
    fail(task, marker, {}, why);
  } else {
    ask(task, job, marker);
  }
  return Outcome::kEnded;
}

// ---- The question ----

std::string BatchDesk::load() {
  std::lock_guard lock(forms_mutex_);
  Forms forms = forms_;
  return is_over() ? "" : asker_.load(&forms, interrupted_);
}

// Only who is inside the gate can be blamed for the process's end: until then the file is not
// begun, and it has ended before another one may come in.
void BatchDesk::ask(const BatchTask& task, BatchJob& job, BegunMarker& marker) {
  gate_.enter(marker.is_suspect());
  if (const int error = marker.begin())
    break_off_unwritable(error);
  else
    ask_inside(task, job, marker);
  gate_.leave();
}

void BatchDesk::ask_inside(const BatchTask& task, BatchJob& job, BegunMarker& marker) {
  BatchRows rows(head_of(task));
  FileEnd end;
  if (const std::string error = load(); !error.empty())
    end = {FileEnd::Status::kBroken, error, {}, {}};
  if (end.error.empty() && !is_over()) {
    const auto begin = Clock::now();
    job.begin_file(wishes_.timeout_s, &marker);
    end = asker_.ask({task.uri, task.name, task.queries}, job.stop, &rows);
    job.end_file();
    end.facts.wall_s = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  conclude(task, job, marker, end, rows);
}

void BatchDesk::conclude(const BatchTask& task, const BatchJob& job, BegunMarker& marker,
                         FileEnd& end, const BatchRows& rows) {
  const bool is_stopped = end.status == FileEnd::Status::kStopped || job.stop;
  if (end.status == FileEnd::Status::kOk) {
    if (stamp_of(task.uri, job.stop).text == task.stamp.text) return keep(task, marker, end, rows);
    if (!job.stop) return fail(task, marker, end.facts, "it was changed while it was watched");
  }
  if (end.status == FileEnd::Status::kBroken) {
    marker.withdraw();
    break_off(end.error);
  } else if (job.timed_out()) {
    fail(task, marker, end.facts,
         "it took longer than " + seconds_of(wishes_.timeout_s) + " s (--timeout)");
  } else if (is_stopped) {
    marker.withdraw();
  } else {
    fail(task, marker, end.facts, end.error);
  }
}

// ---- What is kept ----

RowHead BatchDesk::head_of(const BatchTask& task) const {
  return {task.uri, task.key, run_id_, questions_.model_name};
}

void BatchDesk::keep(const BatchTask& task, BegunMarker& marker, const FileEnd& end,
                     const BatchRows& rows) {
  const std::string error = folder_.keep(task.key, rows.text() + rows.file_row(end.facts));
  if (!error.empty()) return marker.withdraw(), break_off(error);
  marker.end();
  print_end(task, "", true, &end, &rows);
}

void BatchDesk::fail(const BatchTask& task, BegunMarker& marker, FileFacts facts,
                     const std::string& error) {
  facts.error = error;
  const std::string unkept =
      folder_.keep_failure(task.key, BatchRows(head_of(task)).file_row(facts));
  if (!unkept.empty()) return marker.withdraw(), break_off(unkept);
  {
    std::lock_guard lock(mutex_);
    failed_now_.insert(task.key);
  }
  marker.end();
  print_end(task, error, true);
}

// ---- What is said ----

// An `error` is that of a file that failed. Not new: it was so before this run.
void BatchDesk::print_end(const BatchTask& task, const std::string& error, bool is_new,
                          const FileEnd* end, const BatchRows* rows) {
  nlohmann::ordered_json line{{"type", "file"}, {"line", task.line.number}};
  line["uri"] = task.uri.empty() ? printable(task.line.text) : without_credentials(task.uri);
  if (!task.key.empty()) line["key"] = task.key;
  line["status"] = error.empty() ? "ok" : "failed";
  if (!error.empty()) line["error"] = error;
  line["new"] = is_new;
  if (rows) line["hits"] = rows->n_hits(), line["windows"] = rows->n_windows();
  if (end) line["wall_s"] = end->facts.wall_s;
  if (end && !end->notes.empty()) line["notes"] = end->notes;
  std::lock_guard lock(mutex_);
  if (!error.empty()) {
    summary_.add_failed(task.name, error, !is_new);
  } else if (is_new) {
    summary_.add_done();
  } else {
    summary_.add_done_before();
  }
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  if (!voice_.print(line.dump(-1, ' ', false, replace) + "\n")) broken_ = true;
}

void BatchDesk::break_off(const std::string& error) {
  std::lock_guard lock(mutex_);
  if (error_.empty()) error_ = error;
  broken_ = true;
}

void BatchDesk::break_off_unwritable(int error) {
  break_off(folder_.path() + " cannot be written: " + std::strerror(error));
}

std::string BatchDesk::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

BatchSummary BatchDesk::summary() const {
  std::lock_guard lock(mutex_);
  return summary_;
}

void BatchDesk::say(const std::string& sentence) {
  std::lock_guard lock(mutex_);
  voice_.say(sentence);
}

void BatchDesk::show(std::optional<size_t> n_all) {
  std::lock_guard lock(mutex_);
  const double n_ended = static_cast<double>(summary_.n_ended());
  const double fraction = n_all && *n_all > 0 ? n_ended / static_cast<double>(*n_all) : -1;
  voice_.show(fraction, summary_.counts());
}

// Whoever reads has ended: what is being asked is nobody's, and its model takes memory that the
// next one needs.
void BatchDesk::check_reader() {
  std::lock_guard lock(mutex_);
  if (!broken_ && !voice_.is_read()) unread_ = broken_ = true;
}
