// When a connection ends, and how.
#include <algorithm>
#include <utility>

#include "examples/watch/connection.h"

namespace {

constexpr gint64 kLongestStand = 60 * G_USEC_PER_SEC;  // beyond --timeout
constexpr double kLongestUnwatchedS = 30;              // or two windows
// What came is analysed to its end for so long.
constexpr gint64 kLongestStop = 3 * G_USEC_PER_SEC / 2, kLongestEnd = 60 * G_USEC_PER_SEC;
constexpr char kNoParameters[] = "the pictures came without what their decoder needs";

// A sink that is added while the pipeline changes its state may be left in PAUSED, where it takes
// nothing (1.22): the pipeline has told its children already, and the sink has asked it before.
void wake(GstElement* pipeline) {
  if (GST_STATE(pipeline) != GST_STATE_PLAYING ||
      GST_STATE_PENDING(pipeline) != GST_STATE_VOID_PENDING)
    return;
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "fakesink");
  const auto each = [](const GValue* sink, gpointer) {
    auto* element = GST_ELEMENT(g_value_get_object(sink));
    if (GST_STATE(element) != GST_STATE_PLAYING) gst_element_sync_state_with_parent(element);
  };
  while (gst_iterator_foreach(sinks, each, nullptr) == GST_ITERATOR_RESYNC)
    gst_iterator_resync(sinks);
  gst_iterator_free(sinks);
}

// Nothing that still flows waits for room any more: who stops the source waits for it.
void open_queues(GstElement* pipeline) {
  GstIterator* queues = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "queue");
  const auto each = [](const GValue* queue, gpointer) {
    g_object_set(g_value_get_object(queue), "max-size-buffers", 0, "max-size-bytes", 0,
                 "max-size-time", guint64{0}, nullptr);
  };
  while (gst_iterator_foreach(queues, each, nullptr) == GST_ITERATOR_RESYNC)
    gst_iterator_resync(queues);
  gst_iterator_free(queues);
}

}  // namespace

gboolean Connection::on_tick(gpointer data) {
  auto* self = static_cast<Connection*>(data);
  const gint64 now = g_get_monotonic_time();
  wake(self->pipeline_);
  if (self->ending_) {
    if (now >= self->end_by_us_) self->finish();
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.has_changed()) {
    self->end(Why::kChanged, kChanged);
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.lacks_parameters()) {
    self->end(Why::kUnwatched, kNoParameters);
    return G_SOURCE_CONTINUE;
  }
  if (self->source_.has_ended()) {
    self->end(Why::kEnd, "the source ended");
    return G_SOURCE_CONTINUE;
  }
  if (!self->has_pictures_to_come(now)) return G_SOURCE_CONTINUE;
  if (!self->is_watched(now)) return G_SOURCE_CONTINUE;
  self->hand_on_streams(now);
  return G_SOURCE_CONTINUE;
}

// False when the connection is given up for the lack of them. A slide that stands while somebody
// speaks is no loss; a camera whose picture alone is gone comes back when it is connected anew.
bool Connection::has_pictures_to_come(gint64 now) {
  const gint64 timeout = static_cast<gint64>(arguments_.timeout_s * G_USEC_PER_SEC);
  const gint64 without = now - std::max(source_.last_video_us(), began_us_);
  const bool sound_goes_on = has_pictures() && now - source_.last_sound_us() <= timeout;
  char text[64];
  g_snprintf(text, sizeof text, "no picture for %g s",
             static_cast<double>(without / G_USEC_PER_SEC));
  if (without > (sound_goes_on ? timeout + kLongestStand : timeout)) {
    end(Why::kLost, text);
    return false;
  }
  if (const bool stood = std::exchange(stands_, without > timeout); stands_ && !stood)
    host_.on_note(std::string(text) + ", the last one stands while the sound goes on");
  return true;
}

// False when the connection is given up because no window comes although pictures do, whatever it
// is that holds them up.
bool Connection::is_watched(gint64 now) {
  guint64 n_windows = 0, n_empty = 0;
  GstStructure* stats = nullptr;
  g_object_get(filter_, "stats", &stats, nullptr);
  gst_structure_get(stats, "windows-submitted", G_TYPE_UINT64, &n_windows,
                    "windows-dropped-too-few-frames", G_TYPE_UINT64, &n_empty, nullptr);
  n_windows -= n_empty;
  gst_structure_free(stats);
  if (!has_pictures() || window_us_ == 0 || n_windows != n_windows_) window_us_ = now;
  n_windows_ = n_windows;
  const gint64 without = now - window_us_;
  const double longest_s = std::max(2 * arguments_.window_s, kLongestUnwatchedS);
  if (static_cast<double>(without) <= longest_s * G_USEC_PER_SEC) return true;
  char text[64];
  g_snprintf(text, sizeof text, "nothing was watched for %g s although pictures came", longest_s);
  end(Why::kUnwatched, text);
  return false;
}

// Also while it ends for another reason, which takes longer.
void Connection::stop() {
  end(Why::kStopped, "");
  why_ = why_ == Why::kBroken ? why_ : Why::kStopped;
  end_by_us_ = std::min(end_by_us_, g_get_monotonic_time() + kLongestStop);
}

void Connection::end(Why why, const std::string& text) {
  if (ending_) return;
  ending_ = true;
  why_ = why, why_text_ = text;
  // A stream that makes room for another one ends as well.
  if (why == Why::kEnd && source_.has_changed()) why_ = Why::kChanged, why_text_ = kChanged;
  end_by_us_ = g_get_monotonic_time() + (why == Why::kStopped ? kLongestStop : kLongestEnd);
  open_queues(pipeline_);
  if (why == Why::kBroken || why == Why::kUnwatched || !has_pictures()) return finish();
  ending_source_ = std::thread([this] { source_.end(); });
}

// Not from inside a message: the connection is likely to be destroyed.
void Connection::finish() {
  if (!ended_) ended_ = g_idle_add(on_ended, this);
}

gboolean Connection::on_ended(gpointer data) {
  auto* self = static_cast<Connection*>(data);
  self->ended_ = 0;
  for (const std::string& again : self->warnings_.take_repeated()) self->host_.on_note(again);
  if (self->recorder_) self->recorder_->detach();
  if (self->publisher_) self->publisher_->detach();
  const auto on_end = self->host_.on_end;  // copies: `self` may be destroyed in it
  const std::string text = self->why_text_;
  on_end(self->why_, text);
  return G_SOURCE_REMOVE;
}
