#include "gst/results/delivery.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "gst/media/buffer_times.h"

namespace vidi {
namespace {

// A cue of a live stream comes after its moment; it is shown for as long as that took, within
// reason.
constexpr GstClockTime kShortestLiveCue = 2 * GST_SECOND, kLongestLiveCue = 5 * GST_SECOND;

// Of a stream without a next buffer (questions after the end), or without an end.
constexpr size_t kMostEvents = 4096, kMostChapters = 10'000;

GstClockTime delay_of(const AnalysisWindow& window) {
  const auto delay = std::chrono::steady_clock::now() - window.closed_at;
  return std::max<int64_t>(0, std::chrono::duration_cast<Time>(delay).count());
}

GstBuffer* text_buffer(const std::string& text, GstClockTime pts, GstClockTime duration) {
  GstBuffer* buffer = gst_buffer_new_memdup(text.data(), text.size());
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

}  // namespace

void Delivery::start(const std::string& session_id) {
  std::lock_guard lock(mutex_);
  session_id_ = session_id;
  n_left_out_ = 0;
  clear_events();
  chapters_.clear();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  position_ = GST_CLOCK_TIME_NONE;
}

void Delivery::flush(uint64_t epoch) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  clear_events();
  chapters_.clear();
}

// Called with the lock. A window that was dropped is not cancelled, but it has its epoch.
bool Delivery::is_stale(const AnalysisWindow* window) const {
  return window && (window->cancel->cancelled() || window->epoch != epoch_);
}

void Delivery::clear_events() {
  for (GstEvent* event : events_) gst_event_unref(event);
  events_.clear();
  has_events_ = false;
}

void Delivery::set_text_pad(std::shared_ptr<SparsePad> pad) {
  std::lock_guard lock(mutex_);
  text_.swap(pad);
  has_side_pads_ = text_ || json_;
}

void Delivery::set_json_pad(std::shared_ptr<SparsePad> pad) {
  std::lock_guard lock(mutex_);
  json_.swap(pad);
  has_side_pads_ = text_ || json_;
}

std::vector<std::shared_ptr<SparsePad>> Delivery::side_pads() const {
  if (!has_side_pads_) return {};
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<SparsePad>> pads;
  if (text_) pads.push_back(text_);
  if (json_) pads.push_back(json_);
  return pads;
}

void Delivery::set_segment(const GstSegment& segment, guint32 seqnum) {
  std::lock_guard lock(mutex_);
  gst_segment_copy_into(&segment, &segment_);
  seqnum_ = seqnum;
}

void Delivery::set_position(GstClockTime pts) {
  std::lock_guard lock(mutex_);
  position_ = side_time(segment_, pts);
}

void Delivery::send(GstStructure* structure, const AnalysisWindow* window) {
  {
    std::lock_guard lock(mutex_);
    if (is_stale(window)) {
      gst_structure_free(structure);
      return;
    }
    GstEvent* event =
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_copy(structure));
    if (seqnum_ != GST_SEQNUM_INVALID) gst_event_set_seqnum(event, seqnum_);
    events_.push_back(event);
    has_events_ = true;
    if (events_.size() > kMostEvents) {
      gst_event_unref(events_.front());
      events_.pop_front();
      ++n_left_out_;
    }
    if (json_) json_->push(text_buffer(json_line(structure), position_, GST_CLOCK_TIME_NONE));
  }
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

void Delivery::send(const Hit& hit) {
  const AnalysisWindow& window = *hit.window;
  if (hit.final) {
    std::lock_guard lock(mutex_);
    if (is_stale(&window)) return;
    if (auto chapter = chapter_of(hit)) chapters_.push_back(std::move(*chapter));
    if (chapters_.size() > kMostChapters) chapters_.pop_front(), ++n_left_out_;
    if (text_) send_cue(hit, text_);
  }
  send(result_structure(hit, delay_of(window)), &window);
}

// Called with the lock.
void Delivery::send_cue(const Hit& hit, const std::shared_ptr<SparsePad>& pad) {
  const GstClockTime length = (hit.stop - hit.start).count();
  if (origin_of(*hit.window).live && GST_CLOCK_TIME_IS_VALID(position_)) {
    pad->push(text_buffer(title_of(hit), position_,
                          std::clamp(length, kShortestLiveCue, kLongestLiveCue)));
  } else {
    pad->push(text_buffer(title_of(hit), cue_start(hit), length));
  }
}

// The hit's start on the text pad, which is in the segment of now: its frames may have had another.
GstClockTime Delivery::cue_start(const Hit& hit) const {
  const GstSegment& before = origin_of(*hit.window).segment;
  const GstClockTime start = std::max<int64_t>(0, hit.start.count());
  if (is_same_timeline(before, segment_)) return side_time(segment_, start);
  const GstSegment side = side_segment(segment_);
  const GstClockTime running = gst_segment_to_running_time(&before, GST_FORMAT_TIME, start);
  const GstClockTime now = gst_segment_position_from_running_time(&side, GST_FORMAT_TIME, running);
  return GST_CLOCK_TIME_IS_VALID(now) ? now : side.start;
}

std::vector<GstEvent*> Delivery::take_events() {
  if (!has_events_) return {};
  std::lock_guard lock(mutex_);
  const std::vector<GstEvent*> events(events_.begin(), events_.end());
  events_.clear();
  has_events_ = false;
  return events;
}

uint64_t Delivery::n_left_out() const {
  uint64_t n = 0;
  for (const auto& pad : side_pads()) n += pad->n_left_out();
  std::lock_guard lock(mutex_);
  return n + n_left_out_;
}

GstEvent* Delivery::take_toc(GstClockTime duration) {
  std::vector<Chapter> chapters;
  {
    std::lock_guard lock(mutex_);
    chapters.assign(std::make_move_iterator(chapters_.begin()),
                    std::make_move_iterator(chapters_.end()));
    chapters_.clear();
  }
  GstToc* toc = make_toc(std::move(chapters), duration);
  if (!toc) return nullptr;
  GstEvent* event = gst_event_new_toc(toc, FALSE);
  gst_toc_unref(toc);
  return event;
}

}  // namespace vidi
