#include "tests/support/rig.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>

namespace vidi::test {
namespace {

std::string description(const RigOptions& o) {
  return "vidifilter name=v model-path=model " + o.windows + " " + o.properties + " v.src ! " +
         o.out + (o.audio ? " v.audio_src ! fakesink sync=false async=false " : " ") + o.tail;
}

gboolean answer_latency(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
  gst_query_set_latency(query, gst_pad_get_element_private(pad) != nullptr, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

}  // namespace

Feeder::Feeder(GstElement* element, const char* pad, const std::string& caps, bool live)
    : pad_(gst_pad_new(nullptr, GST_PAD_SRC)), caps_(caps) {
  gst_object_ref_sink(pad_);
  gst_pad_set_element_private(pad_, live ? this : nullptr);
  gst_pad_set_query_function(pad_, answer_latency);
  peer_ = gst_element_get_static_pad(element, pad);
  if (!peer_) peer_ = gst_element_request_pad_simple(element, pad);
  if (peer_) {
    EXPECT_EQ(gst_pad_link(pad_, peer_), GST_PAD_LINK_OK);
  } else {
    ADD_FAILURE() << "no pad " << pad;
  }
  gst_pad_set_active(pad_, TRUE);
}

Feeder::~Feeder() {
  gst_pad_set_active(pad_, FALSE);
  if (peer_) {
    gst_pad_unlink(pad_, peer_);
    gst_object_unref(peer_);
  }
  gst_object_unref(pad_);
}

void Feeder::start(const GstSegment* segment) {
  GstSegment from_zero;
  gst_segment_init(&from_zero, GST_FORMAT_TIME);
  send(gst_event_new_stream_start("the-stream"));
  GstCaps* caps = gst_caps_from_string(caps_.c_str());
  send(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  send(gst_event_new_segment(segment ? segment : &from_zero));
}

Rig::Rig(const RigOptions& o)
    : pipeline(description(o)), video(pipeline.v(), "sink", kPicture, o.live) {
  if (o.audio) {
    audio = std::make_unique<Feeder>(pipeline.v(), "audio_sink", o.audio_caps, o.live);
  }
}

void Rig::play(bool wait_until_ready) {
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  video.start();
  if (audio) audio->start();
  if (!wait_until_ready) return;
  ASSERT_TRUE(pipeline.wait_structure(
      "vidi/model", [](const GstStructure* s) { return text(s, "state") == "ready"; }));
}

GstFlowReturn Rig::frames(int first, int last) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (int k = first; k <= last && flow == GST_FLOW_OK; ++k) {
    flow = video.push(rgb_frame(colour_of(k), 32, 32, k * GST_SECOND, GST_SECOND));
  }
  return flow;
}

void Rig::sound(double from_s, double to_s) {
  const int64_t end = std::llround(to_s * 16000);
  for (int64_t at = std::llround(from_s * 16000); at < end; at += 1600) {
    const int64_t n = std::min<int64_t>(1600, end - at);
    audio->push(sound_buffer(at, n, gst_util_uint64_scale_round(at, GST_SECOND, 16000)));
  }
}

void Rig::end() {
  within_limit(pipeline, [this] {
    if (audio) audio->eos();
    video.eos();
  });
  pipeline.wait_eos();
}

guint64 Rig::stat(const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(pipeline.v(), "stats", &stats, nullptr);
  const guint64 value = number(stats, field);
  gst_structure_free(stats);
  return value;
}

void Rig::set(const char* property, const std::string& value) {
  gst_util_set_object_arg(G_OBJECT(pipeline.v()), property, value.c_str());
}

std::string Rig::ask(const char* query, guint64 start, guint64 stop) {
  gchar* id = nullptr;
  g_signal_emit_by_name(pipeline.v(), "ask", query, start, stop, &id);
  const std::string found = id ? id : "";
  g_free(id);
  return found;
}

uint32_t colour_of(int k) { return static_cast<uint32_t>(k + 1) * 0x010203 & 0xffffff; }

int16_t sample_at(int64_t position) { return static_cast<int16_t>(1 + position * 7919 % 32749); }

GstBuffer* sound_buffer(int64_t position, int64_t n_samples, GstClockTime pts) {
  std::vector<int16_t> samples;
  for (int64_t i = 0; i < n_samples; ++i) samples.push_back(sample_at(position + i));
  GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size() * sizeof(int16_t));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale_round(n_samples, GST_SECOND, 16000);
  return buffer;
}

void expect_sound(const std::vector<float>& samples, int64_t position, int64_t n_samples) {
  ASSERT_EQ(static_cast<int64_t>(samples.size()), n_samples);
  for (int64_t i = 0; i < n_samples; ++i) {
    ASSERT_NEAR(samples[i], sample_at(position + i) / 32768.0f, 1e-6) << "sample " << i;
  }
}

SeenWindows collect_windows() {
  struct Seen {
    std::mutex mutex;
    std::vector<scripted::SeenWindow> windows;
  };
  auto seen = std::make_shared<Seen>();
  scripted::answer_with([seen](const Query&, const scripted::SeenWindow& window) {
    std::lock_guard lock(seen->mutex);
    seen->windows.push_back(window);
    return std::string("none");
  });
  return [seen] {
    std::lock_guard lock(seen->mutex);
    return seen->windows;
  };
}

void within_limit(Pipeline& pipeline, const std::function<void()>& body) {
  auto done = std::async(std::launch::async, body);
  if (done.wait_for(std::chrono::nanoseconds(kLimit)) == std::future_status::ready) return;
  ADD_FAILURE() << "this should not take so long";
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

PadLog::PadLog(GstPad* pad) : pad_(GST_PAD(gst_object_ref(pad))) {
  const auto mask =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  probe_ = gst_pad_add_probe(pad, mask, on_data, this, nullptr);
}

PadLog::~PadLog() {
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
  for (GstEvent* event : events_) gst_event_unref(event);
}

GstPadProbeReturn PadLog::on_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& self = *static_cast<PadLog*>(data);
  std::lock_guard lock(self.mutex_);
  self.changed_.notify_all();
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    self.entries_.push_back("buffer");
    return GST_PAD_PROBE_OK;
  }
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  const bool custom = GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM;
  self.entries_.push_back(custom ? gst_structure_get_name(gst_event_get_structure(event))
                                 : GST_EVENT_TYPE_NAME(event));
  self.events_.push_back(gst_event_ref(event));
  return GST_PAD_PROBE_OK;
}

std::vector<std::string> PadLog::entries() const {
  std::lock_guard lock(mutex_);
  return entries_;
}

int PadLog::count(const std::string& entry) const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(std::count(entries_.begin(), entries_.end(), entry));
}

bool PadLog::wait_for(const std::string& entry, int n) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(kLimit), [&] {
    return std::count(entries_.begin(), entries_.end(), entry) >= n;
  });
}

std::vector<const GstStructure*> PadLog::structures(const std::string& name) const {
  std::lock_guard lock(mutex_);
  std::vector<const GstStructure*> found;
  for (GstEvent* event : events_) {
    if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM) continue;
    const GstStructure* s = gst_event_get_structure(event);
    if (gst_structure_has_name(s, name.c_str())) found.push_back(s);
  }
  return found;
}

GstEvent* PadLog::last(GstEventType type) const {
  std::lock_guard lock(mutex_);
  for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
    if (GST_EVENT_TYPE(*event) == type) return *event;
  }
  return nullptr;
}

std::unique_ptr<PadLog> log_of(GstElement* element, const char* pad) {
  GstPad* found = gst_element_get_static_pad(element, pad);
  if (!found) return nullptr;
  auto log = std::make_unique<PadLog>(found);
  gst_object_unref(found);
  return log;
}

}  // namespace vidi::test
