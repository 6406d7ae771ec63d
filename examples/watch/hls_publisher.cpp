#include "examples/watch/hls_publisher.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "examples/watch/disposal.h"

namespace {

constexpr guint kTimerMs = 100;
constexpr gint64 kUntilClock = 6 * G_USEC_PER_SEC;  // RTCP reports come every five seconds
constexpr gint64 kUntilRetry = 5 * G_USEC_PER_SEC;
constexpr gint64 kUntilRewritten = G_USEC_PER_SEC;
constexpr gint64 kLongestEnd = G_USEC_PER_SEC;
constexpr gint64 kStands = 10 * G_USEC_PER_SEC;  // a stream without data for so long
constexpr gint64 kStep = 500'000;                // of the wall clock, that is no drift
constexpr size_t kMostBegins = 20'000, kMostUndated = 1000;

gint64 us(double seconds) { return static_cast<gint64>(seconds * G_USEC_PER_SEC); }

}  // namespace

HlsPublisher::HlsPublisher(const Settings& settings, Host host)
    : settings_(settings),
      host_(std::move(host)),
      run_(HlsFolder::kSegments + std::to_string(g_get_real_time() / 1000) + "-"),
      folder_(settings.folder) {}

HlsPublisher::~HlsPublisher() {
  if (timer_) g_source_remove(timer_);
  for (const auto& tap : taps_) tap->stop(false);
  writer_.reset();
  finishing_.clear();
  if (playlist_ && !ended_) end_playlist();
}

std::string HlsPublisher::prepare() {
  const std::string wrong = folder_.open();
  if (!wrong.empty()) return wrong;
  playlist_ = std::make_unique<HlsPlaylist>(settings_.segment_s, folder_.first());
  timer_ = g_timeout_add(kTimerMs, on_timer, this);
  return "";
}

// ---- The streams are written ----

void HlsPublisher::attach(GstElement* watching) {
  watching_ = watching;
  attached_us_ = 0;
  ++n_connections_;
  begins_.clear(), undated_.clear();
}

void HlsPublisher::tick(const StreamTaps& taps) {
  const gint64 now = g_get_monotonic_time();
  if (!watching_ || taps.empty() || now < retry_us_) return;
  if (has_to_begin_anew(taps, now) && !waits_for_clock(taps, now)) begin(taps);
}

bool HlsPublisher::has_to_begin_anew(const StreamTaps& taps, gint64 now) const {
  if (!writer_) return true;
  const auto is_new = [&](const auto& tap) {
    return std::find(taps_.begin(), taps_.end(), tap) == taps_.end() &&
           now - tap->last_us() < kStands;
  };
  const auto has_changed = [](const auto& tap) { return tap->has_changed(); };
  return std::any_of(taps.begin(), taps.end(), is_new) ||
         std::any_of(taps.begin(), taps.end(), has_changed);
}

// Dates do not change afterwards: they begin with the clock that they will keep.
bool HlsPublisher::waits_for_clock(const StreamTaps& taps, gint64 now) {
  if (attached_us_ == 0) attached_us_ = now;
  const auto knows = [](const auto& tap) { return tap->video() && tap->clock_offset_ns(); };
  return settings_.tells_clock && now - attached_us_ < kUntilClock &&
         std::none_of(taps.begin(), taps.end(), knows);
}

void HlsPublisher::begin(const StreamTaps& all) {
  finish_writer();
  const gint64 now = g_get_monotonic_time();
  const GstClockTime running = gst_element_get_current_running_time(watching_);
  if (!GST_CLOCK_TIME_IS_VALID(running)) return;
  HlsWriter::Place place{.stem = settings_.folder + "/" + run_ + std::to_string(n_writers_++) + "-",
                         .length = static_cast<GstClockTime>(settings_.segment_s * GST_SECOND),
                         .offset_ns = g_get_real_time() * 1000 - static_cast<gint64>(running)};
  for (const auto& tap : all) {
    if (now - tap->last_us() < kStands) taps_.push_back(tap);
    if (tap->video()) place.offset_ns = tap->clock_offset_ns().value_or(place.offset_ns);
  }
  auto* self = new HlsWriter*(nullptr);
  writer_ = std::make_unique<HlsWriter>(place, writer_host(self, n_connections_));
  *self = writer_.get();
  const std::string left_out = writer_->start(taps_, watching_);
  if (!left_out.empty()) note_once(left_out);
  if (writer_->writes_pictures()) return;
  finish_writer();
  retry_us_ = now + kUntilRetry;
}

// `writer` becomes the host's.
HlsWriter::Host HlsPublisher::writer_host(HlsWriter** writer, int connection) {
  const auto self = std::shared_ptr<HlsWriter*>(writer);
  const auto last = std::make_shared<gint64>(-1);
  return {[this, connection](const HlsWriter::Begin& begin) {
            if (connection != n_connections_) return;
            begins_.push_back(begin);
            if (begins_.size() > kMostBegins) begins_.pop_front();
            for (const Sighting& hit : std::exchange(undated_, {})) put(hit);
          },
          [this, last](const HlsSegment& segment, guint64 number) {
            const gint64 before = std::exchange(*last, static_cast<gint64>(number));
            take_segment(segment, before >= 0 && before + 1 == *last);
          },
          [this](const std::string& why) { lose(why); },
          [this, self](const std::string& error) { writer_ended(*self, error); }};
}

// `goes_on`: with the stream of the segment before it.
void HlsPublisher::take_segment(HlsSegment segment, bool goes_on) {
  const bool is_first = last_stop_us_ == 0;
  segment.discontinuity =
      !is_first && (!goes_on || std::llabs(segment.start_us - last_stop_us_) > kStep);
  last_stop_us_ = segment.start_us + segment.duration_us;
  waiting_.push_back({segment, g_get_monotonic_time() + us(settings_.delay_s)});
  folder_.remove_old();
  recovers_ = failed_;
  publish(false);
}

void HlsPublisher::finish_writer() {
  for (const auto& tap : taps_) tap->stop(true);
  taps_.clear();
  if (!writer_) return;
  if (writer_->writes_pictures()) {
    writer_->finish();
    finishing_.push_back(std::move(writer_));
  }
  writer_.reset();
}

void HlsPublisher::writer_ended(HlsWriter* writer, const std::string& error) {
  std::erase_if(finishing_, [&](const auto& other) { return other.get() == writer; });
  if (writer_.get() != writer) return;
  for (const auto& tap : std::exchange(taps_, {})) tap->stop(false);
  writer_.reset();
  retry_us_ = g_get_monotonic_time() + kUntilRetry;
  lose(error);
}

void HlsPublisher::detach() {
  finish_writer();
  watching_ = nullptr;
  playlist_->close_all();
  changed_ = true;
}

// ---- Hits ----

// By the last segment that began before it; it may be the one that is being written.
gint64 HlsPublisher::date_us(GstClockTime running) const {
  const auto after = std::upper_bound(
      begins_.begin(), begins_.end(), running,
      [](GstClockTime time, const HlsWriter::Begin& begin) { return time < begin.running; });
  const HlsWriter::Begin& begin = after == begins_.begin() ? *after : *(after - 1);
  return begin.utc_us + (static_cast<gint64>(running) - static_cast<gint64>(begin.running)) / 1000;
}

void HlsPublisher::tag(const Sighting& hit) {
  if (!begins_.empty()) {
    put(hit);
  } else if (undated_.size() < kMostUndated) {
    undated_.push_back(hit);
  }
}

void HlsPublisher::put(const Sighting& hit) {
  const HlsDateRange range{
      .id = hit.session + "-" + std::to_string(hit.result_id),
      .title = title_of(hit),
      .question = hit.query,
      .start_us = date_us(hit.start),
      .stop_us = date_us(hit.start) + static_cast<gint64>(hit.stop - hit.start) / 1000,
      .confidence = hit.confidence,
      .closed = hit.final};
  changed_ = true;
  if (playlist_->put(range)) return;
  gchar* line = g_strdup_printf(
      "a hit is not in the playlist, its segments have left it: a longer --hls-keep than %g s, or "
      "shorter windows",
      settings_.keep_s);
  note_once(line);
  g_free(line);
}

// ---- The playlist ----

gboolean HlsPublisher::on_timer(gpointer data) {
  auto* self = static_cast<HlsPublisher*>(data);
  self->check_folder();
  if (self->ending_) {
    self->finish();
  } else {
    self->publish(false);
  }
  return G_SOURCE_CONTINUE;
}

void HlsPublisher::check_folder() {
  const std::string error = folder_.take_error();
  if (!error.empty()) {
    lose(error);
    rewrite_us_ = g_get_monotonic_time() + kUntilRewritten;
  } else if (rewrite_us_ != 0 && g_get_monotonic_time() >= rewrite_us_) {
    rewrite_us_ = 0;
    changed_ = true;
  } else if (recovers_ && rewrite_us_ == 0 && !changed_ && folder_.is_idle()) {
    recovers_ = failed_ = false;
    host_.on_trouble("the stream is published again in " + settings_.folder);
  }
}

// A segment that has left stays for as long as a player may have a playlist that names it.
void HlsPublisher::publish(bool all) {
  const gint64 now = g_get_monotonic_time();
  while (!waiting_.empty() && (all || waiting_.front().due_us <= now)) {
    playlist_->add(waiting_.front().segment);
    waiting_.pop_front();
    changed_ = true;
  }
  const gint64 stays = playlist_->length_us();
  for (const HlsSegment& segment : playlist_->trim(us(settings_.keep_s)))
    leaving_.push_back({segment.file, now + stays});
  std::vector<std::string> gone;
  for (; !leaving_.empty() && leaving_.front().due_us <= now; leaving_.pop_front())
    gone.push_back(leaving_.front().file);
  if (!gone.empty()) folder_.remove(gone);
  write();
}

void HlsPublisher::write() {
  if (playlist_->empty() || !std::exchange(changed_, false)) return;
  folder_.write(playlist_->text(ended_));
}

void HlsPublisher::end_playlist() {
  ended_ = changed_ = true;
  playlist_->close_all();
  publish(true);
  std::vector<std::string> gone;
  for (const Leaving& left : std::exchange(leaving_, {})) gone.push_back(left.file);
  folder_.remove(gone);
}

void HlsPublisher::finish() {
  const gint64 now = g_get_monotonic_time();
  if (!std::exchange(ending_, true)) end_by_us_ = now + kLongestEnd;
  if (done_) return;
  const bool late = now >= end_by_us_;
  if (!ended_ && (finishing_.empty() || late)) end_playlist();
  if (!ended_ || (!folder_.is_idle() && !late)) return;
  done_ = true;
  g_source_remove(std::exchange(timer_, 0));
  host_.on_done();
}

// ---- Trouble ----

// Said once, until it is over.
void HlsPublisher::lose(const std::string& why) {
  folder_.make_again();
  folder_.remove_old();
  recovers_ = false;
  if (std::exchange(failed_, true)) return;
  host_.on_trouble("the stream cannot be published in " + settings_.folder + ": " + why +
                   "; the watching goes on, and publishing when it is possible again");
}

void HlsPublisher::note_once(const std::string& line) {
  if (said_.insert(line).second) host_.on_note(line);
}
