#include "examples/watch/clip_recorder.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "examples/common/elements.h"
#include "examples/watch/disposal.h"

namespace fs = std::filesystem;

namespace {

constexpr GstClockTime kMostKept = 10 * 60 * GST_SECOND;  // of the stream, if a hit never ends
constexpr gint64 kUntilRetry = 5 * G_USEC_PER_SEC;
constexpr gint64 kUntilSure = 6 * G_USEC_PER_SEC;       // of a disk that failed
constexpr gint64 kLongestUnrest = 20 * G_USEC_PER_SEC;  // of sizes that change, without a fragment
// A writer waits for all of its streams; one that stands, as sound may, is left out after so long.
constexpr gint64 kLongestSilence = 60 * G_USEC_PER_SEC, kStands = 10 * G_USEC_PER_SEC;
constexpr auto kUntilWritten = std::chrono::milliseconds(500);

// A file that is not there yet: `folder`/`stem`.mkv, `stem`-2.mkv ...
fs::path free_name(const fs::path& folder, const std::string& stem) {
  fs::path path = folder / (stem + ".mkv");
  std::error_code ignored;
  for (int n = 2; fs::exists(path, ignored); ++n)
    path = folder / (stem + "-" + std::to_string(n) + ".mkv");
  return path;
}

}  // namespace

struct ClipRecorder::Fragment {
  fs::path file;
  GstClockTime start = 0, stop = 0;
  int writer = 0;  // only what one has written can be joined
  ~Fragment() {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
};

struct ClipRecorder::Wanted {
  Sighting hit;
  GstClockTime start = 0, stop = 0;
  Fragments fragments;  // that it touches, so far

  void offer(const std::shared_ptr<Fragment>& fragment) {
    if (fragment->stop > start && fragment->start < stop) fragments.push_back(fragment);
  }
  // Where the stream changed its form in the middle, the part with most of the hit.
  void keep_one_part() {
    std::map<int, GstClockTime> shown;
    for (const auto& f : fragments) {
      const auto from = std::max(f->start, hit.start), to = std::min(f->stop, hit.stop);
      shown[f->writer] += to > from ? to - from : 0;
    }
    const auto most =
        std::max_element(shown.begin(), shown.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == shown.end()) return;
    std::erase_if(fragments, [&](const auto& f) { return f->writer != most->first; });
  }
};

struct ClipRecorder::Job {
  Wanted clip;
  std::string file;  // while it is written
  std::unique_ptr<ClipJoiner> joiner;
};

struct ClipRecorder::Connection {
  StreamTaps taps;
  std::unique_ptr<FragmentWriter> writer;
  std::vector<std::unique_ptr<FragmentWriter>> finishing;
  Fragments fragments;  // by time
  std::vector<Wanted> wanted;

  void finish_writer() {
    for (const auto& tap : taps) tap->stop(true);
    if (!writer) return;
    writer->finish();
    finishing.push_back(std::move(writer));
  }
};

ClipRecorder::ClipRecorder(const std::string& folder, GstClockTime before, GstClockTime after,
                           Host host)
    : folder_(folder), before_(before), after_(after), host_(std::move(host)) {}

ClipRecorder::~ClipRecorder() {
  if (connection_) {
    for (const auto& tap : connection_->taps) tap->stop(false);
  }
  jobs_.clear();
  connection_.reset();
  ending_.clear();
  wait_for_disposals(kUntilWritten);
  scratch_.leave();
}

bool ClipRecorder::is_busy() const {
  const auto has_wanted = [](const auto& connection) { return !connection->wanted.empty(); };
  return !jobs_.empty() || (connection_ && has_wanted(connection_)) ||
         std::any_of(ending_.begin(), ending_.end(), has_wanted);
}

// ---- Folders ----

std::string ClipRecorder::prepare() {
  for (const char* name : {"appsrc", "splitmuxsink", "splitmuxsrc", "matroskamux"}) {
    if (!is_installed(name)) return std::string("GStreamer has no element named ") + name;
  }
  const std::string wrong = scratch_.make(folder_);
  if (wrong.empty()) scratch_.sweep_others(folder_);
  return wrong;
}

// ---- The streams are written ----

void ClipRecorder::attach() { connection_ = std::make_unique<Connection>(); }

void ClipRecorder::tick(const StreamTaps& taps) {
  const gint64 now = g_get_monotonic_time();
  if (!connection_ || taps.empty() || now < retry_us_) return;
  if (has_to_begin_anew(taps, now)) begin(taps);
}

bool ClipRecorder::has_to_begin_anew(const StreamTaps& taps, gint64 now) const {
  if (!connection_->writer) return true;
  const auto is_new = [&](const auto& tap) {
    const auto& known = connection_->taps;
    return std::find(known.begin(), known.end(), tap) == known.end();
  };
  if (taps.size() > connection_->taps.size() &&
      std::any_of(taps.begin(), taps.end(),
                  [&](auto& tap) { return is_new(tap) && now - tap->last_us() < kStands; }))
    return true;
  if (std::any_of(taps.begin(), taps.end(), [](const auto& tap) { return tap->has_changed(); }))
    return true;
  const bool flows = std::any_of(taps.begin(), taps.end(),
                                 [&](const auto& tap) { return now - tap->last_us() < kStands; });
  return flows && now - connection_->writer->last_news_us() > kLongestSilence;
}

void ClipRecorder::begin(const StreamTaps& all) {
  Connection& connection = *connection_;
  connection.finish_writer();
  const gint64 now = g_get_monotonic_time();
  StreamTaps taps;
  for (const auto& tap : all) {
    if (now - tap->last_us() < kStands) taps.push_back(tap);
  }
  if (taps.empty()) return;
  if (failed_ && !scratch_.is_there()) {
    const std::string wrong = scratch_.make(folder_);
    if (!wrong.empty()) return fail(wrong);
  }
  connection.taps = taps;
  const int number = n_writers_++;
  const auto on_fragment = [this, &connection, number](const std::string& file, GstClockTime start,
                                                       GstClockTime stop) {
    auto fragment = std::make_shared<Fragment>();
    fragment->file = file, fragment->start = start, fragment->stop = stop;
    fragment->writer = number;
    take(connection, fragment);
  };
  auto writer = std::make_shared<FragmentWriter*>(nullptr);
  connection.writer = std::make_unique<FragmentWriter>(
      scratch_.path() + "/" + std::to_string(number) + "-",
      FragmentWriter::Host{on_fragment, [this, &connection, writer](const std::string& error) {
                             writer_ended(connection, *writer, error);
                           }});
  *writer = connection.writer.get();
  const std::string note = connection.writer->start(taps);
  if (!note.empty()) host_.on_note(note);
}

void ClipRecorder::take(Connection& connection, const std::shared_ptr<Fragment>& fragment) {
  taken_us_ = g_get_monotonic_time();
  if (connection.writer) recover(*connection.writer);
  connection.fragments.push_back(fragment);
  std::stable_sort(connection.fragments.begin(), connection.fragments.end(),
                   [](const auto& a, const auto& b) { return a->start < b->start; });
  for (Wanted& wanted : connection.wanted) wanted.offer(fragment);
  // Clips whose end has passed; those that still wait stay.
  std::vector<Wanted> all = std::exchange(connection.wanted, {});
  std::vector<Wanted> complete;
  for (Wanted& wanted : all)
    (wanted.stop <= fragment->stop ? complete : connection.wanted).push_back(std::move(wanted));
  for (Wanted& wanted : complete) join(wanted);
}

void ClipRecorder::writer_ended(Connection& connection, FragmentWriter* writer,
                                const std::string& error) {
  const bool was_current = connection.writer.get() == writer;
  std::unique_ptr<FragmentWriter> ended;
  if (was_current) ended = std::move(connection.writer);
  std::erase_if(connection.finishing, [&](auto& other) {
    const bool is_it = other.get() == writer;
    if (is_it) ended = std::move(other);
    return is_it;
  });
  // A size that changed where only the muxer sees it: the next tick begins anew. A disk that failed
  // fails then as well. One that changes again and again leaves a writer no time for a fragment.
  const bool is_restless = was_current && ended->has_odd_form() && taken_us_ != 0 &&
                           g_get_monotonic_time() - taken_us_ < kLongestUnrest;
  const bool worked = was_current && (ended->has_written() || is_restless) && !failed_;
  if (was_current) {
    for (const auto& tap : connection.taps) tap->stop(worked);
  }
  if (was_current && !worked) {
    join_all(connection);
    fail("clips cannot be saved in " + folder_ + ": " + error);
  }
  if (&connection == connection_.get() || !connection.finishing.empty()) return;
  join_all(connection);
  std::erase_if(ending_, [&](const auto& other) { return other.get() == &connection; });
}

// Said once, until it is over.
void ClipRecorder::fail(const std::string& error) {
  failed_ = true;
  retry_us_ = g_get_monotonic_time() + kUntilRetry;
  if (!std::exchange(was_said_, true))
    host_.on_trouble(error + "; the watching goes on, and recording when it is possible again");
}

void ClipRecorder::recover(const FragmentWriter& writer) {
  if (!failed_ || g_get_monotonic_time() - writer.began_us() < kUntilSure) return;
  failed_ = was_said_ = false;
  host_.on_trouble("clips are saved again in " + folder_);
}

void ClipRecorder::keep_from(GstClockTime time) {
  if (!connection_) return;
  Fragments& all = connection_->fragments;
  const GstClockTime newest = all.empty() ? 0 : all.back()->stop;
  GstClockTime oldest = time > before_ ? time - before_ : 0;
  if (newest > kMostKept) oldest = std::max(oldest, newest - kMostKept);
  std::erase_if(all, [&](const auto& fragment) { return fragment->stop < oldest; });
}

void ClipRecorder::detach() {
  if (!connection_) return;
  connection_->finish_writer();
  for (const auto& tap : connection_->taps) tap->stop(false);
  if (connection_->finishing.empty()) {
    join_all(*connection_);
    connection_.reset();
  } else {
    ending_.push_back(std::move(connection_));
  }
}

// ---- Clips ----

void ClipRecorder::save(const Sighting& hit) {
  Wanted wanted{.hit = hit,
                .start = hit.start > before_ ? hit.start - before_ : 0,
                .stop = hit.stop + after_,
                .fragments = {}};
  if (!connection_) return join(wanted);
  const Fragments& written = connection_->fragments;
  for (const auto& fragment : written) wanted.offer(fragment);
  const bool has_ended = !written.empty() && written.back()->stop >= wanted.stop;
  if (has_ended || (failed_ && !connection_->writer)) {
    join(wanted);
  } else {
    connection_->wanted.push_back(std::move(wanted));
  }
}

void ClipRecorder::join_all(Connection& connection) {
  for (Wanted& wanted : std::exchange(connection.wanted, {})) join(wanted);
}

void ClipRecorder::join(Wanted& wanted) {
  wanted.keep_one_part();
  if (wanted.fragments.empty())
    return host_.on_saved({"", "nothing was recorded at that time", wanted.hit});
  std::vector<std::string> files;
  for (const auto& fragment : wanted.fragments) files.push_back(fragment->file.string());
  auto job = std::make_unique<Job>();
  Job* const the_job = job.get();
  job->clip = std::move(wanted);
  job->file = scratch_.path() + "/clip-" + std::to_string(n_clips_++) + ".mkv";
  job->joiner = std::make_unique<ClipJoiner>(
      files, job->file, [this, the_job](const std::string& error) { finish(the_job, error); });
  jobs_.push_back(std::move(job));
  the_job->joiner->start();
}

void ClipRecorder::finish(Job* job, const std::string& error) {
  const auto place = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const auto& other) { return other.get() == job; });
  const std::unique_ptr<Job> done = std::move(*place);
  jobs_.erase(place);
  if (!error.empty()) unlink(done->file.c_str());
  host_.on_saved(error.empty() ? put_in_place(done->file, done->clip.hit)
                               : Saved{"", error, done->clip.hit});
}

ClipRecorder::Saved ClipRecorder::put_in_place(const std::string& file, const Sighting& hit) const {
  const fs::path place = free_name(folder_, file_stem(hit));
  std::error_code failed;
  fs::rename(file, place, failed);
  return failed ? Saved{"", failed.message(), hit} : Saved{place.string(), "", hit};
}
