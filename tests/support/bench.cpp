#include "tests/support/bench.h"

#include <algorithm>

namespace vidi::test {
namespace {

const Properties kDefaults = {{"model-path", "/a/checkpoint"},
                              {"query", "dog"},
                              {"window-duration", "2000000000"},
                              {"window-stride", "2000000000"}};

// With a template: without one a pad would accept no other caps than its current ones.
GstPad* linked_pad(GstPad* other) {
  const bool from = GST_PAD_IS_SRC(other);
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("in", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate src =
      GST_STATIC_PAD_TEMPLATE("out", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstPad* pad = gst_pad_new_from_static_template(from ? &sink : &src, nullptr);
  gst_object_ref_sink(pad);
  const GstPadLinkReturn linked = from ? gst_pad_link(other, pad) : gst_pad_link(pad, other);
  EXPECT_EQ(linked, GST_PAD_LINK_OK);
  return pad;
}

void unlink_and_free(GstPad* pad) {
  gst_pad_set_active(pad, FALSE);
  if (GstPad* peer = gst_pad_get_peer(pad)) {
    GST_PAD_IS_SRC(pad) ? gst_pad_unlink(pad, peer) : gst_pad_unlink(peer, pad);
    gst_object_unref(peer);
  }
  gst_object_unref(pad);
}

template <class T>
T& owner(GstPad* pad) {
  return *static_cast<T*>(gst_pad_get_element_private(pad));
}

std::string name_of_item(GstMiniObject* item) {
  return GST_IS_EVENT(item) ? name_of(GST_EVENT_CAST(item)) : "frame";
}

}  // namespace

std::string name_of(GstEvent* event) {
  const GstStructure* s = gst_event_get_structure(event);
  const bool custom = GST_EVENT_TYPE(event) >= GST_EVENT_CUSTOM_UPSTREAM;
  return custom && s ? gst_structure_get_name(s) : GST_EVENT_TYPE_NAME(event);
}

// ---- Recorder ----

Recorder::Recorder(GstPad* from) : pad_(linked_pad(from)) {
  gst_pad_set_element_private(pad_, this);
  gst_pad_set_chain_function(pad_, on_buffer);
  gst_pad_set_event_function(pad_, on_event);
  gst_pad_set_query_function(pad_, on_query);
  gst_pad_set_active(pad_, TRUE);
}

Recorder::~Recorder() {
  unlink_and_free(pad_);
  for (GstMiniObject* item : items_) gst_mini_object_unref(item);
}

void Recorder::take(GstMiniObject* item) {
  std::lock_guard lock(mutex_);
  items_.push_back(item);
  changed_.notify_all();
}

GstFlowReturn Recorder::on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
  owner<Recorder>(pad).take(GST_MINI_OBJECT_CAST(buffer));
  return GST_FLOW_OK;
}

gboolean Recorder::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  owner<Recorder>(pad).take(GST_MINI_OBJECT_CAST(event));
  return TRUE;
}

gboolean Recorder::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const QueryAnswer& answer = owner<Recorder>(pad).answer_;
  return (answer && answer(query)) || gst_pad_query_default(pad, parent, query);
}

Strings Recorder::story() const {
  std::lock_guard lock(mutex_);
  Strings story;
  for (GstMiniObject* item : items_) story.push_back(name_of_item(item));
  return story;
}

Strings Recorder::story_of_data() const {
  Strings data = story();
  std::erase_if(data, [](const std::string& name) {
    return name == "stream-start" || name == "caps" || name == "segment" ||
           name.starts_with("vidi/");
  });
  return data;
}

std::vector<GstBuffer*> Recorder::buffers() const {
  std::lock_guard lock(mutex_);
  std::vector<GstBuffer*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_BUFFER(item)) found.push_back(GST_BUFFER_CAST(item));
  }
  return found;
}

std::vector<GstEvent*> Recorder::events(const std::string& name) const {
  std::lock_guard lock(mutex_);
  std::vector<GstEvent*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_EVENT(item) && name_of_item(item) == name) found.push_back(GST_EVENT_CAST(item));
  }
  return found;
}

int Recorder::count(const std::string& name) const {
  const Strings all = story();
  return static_cast<int>(std::count(all.begin(), all.end(), name));
}

bool Recorder::wait_for(const std::string& name, int n) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(kLimit), [&] {
    return std::count_if(items_.begin(), items_.end(),
                         [&](GstMiniObject* item) { return name_of_item(item) == name; }) >= n;
  });
}

std::string Recorder::bytes() const {
  std::string all;
  for (GstBuffer* buffer : buffers()) {
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    all.append(reinterpret_cast<const char*>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
  }
  return all;
}

// ---- Pusher ----

Pusher::Pusher(GstPad* to) : pad_(linked_pad(to)) {
  gst_pad_set_element_private(pad_, this);
  gst_pad_set_event_function(pad_, on_event);
  gst_pad_set_query_function(pad_, on_query);
  gst_pad_set_active(pad_, TRUE);
}

Pusher::~Pusher() { unlink_and_free(pad_); }

void Pusher::start(const std::string& caps, const GstSegment& segment) {
  EXPECT_TRUE(send(gst_event_new_stream_start("test/stream")));
  GstCaps* parsed = gst_caps_from_string(caps.c_str());
  EXPECT_TRUE(send(gst_event_new_caps(parsed))) << caps;
  gst_caps_unref(parsed);
  EXPECT_TRUE(send(gst_event_new_segment(&segment)));
}

void Pusher::start(const std::string& caps) { start(caps, time_segment()); }

gboolean Pusher::on_event(GstPad* pad, GstObject*, GstEvent* event) {
  Pusher& self = owner<Pusher>(pad);
  std::lock_guard lock(self.mutex_);
  self.events_.push_back(name_of(event));
  gst_event_unref(event);
  return TRUE;
}

gboolean Pusher::on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const QueryAnswer& answer = owner<Pusher>(pad).answer_;
  return (answer && answer(query)) || gst_pad_query_default(pad, parent, query);
}

Strings Pusher::upstream_events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

// ---- Bench ----

Bench::Bench(const Properties& properties) {
  v_ = gst_element_factory_make("vidifilter", "v");
  gst_object_ref_sink(v_);
  bus_ = gst_bus_new();
  gst_element_set_bus(v_, bus_);
  for (const auto& [name, value] : kDefaults) set(name, value);
  for (const auto& [name, value] : properties) set(name, value);
  GstPad* sink = gst_element_get_static_pad(v_, "sink");
  GstPad* src = gst_element_get_static_pad(v_, "src");
  in_ = std::make_unique<Pusher>(sink);
  out_ = std::make_unique<Recorder>(src);
  gst_object_unref(sink);
  gst_object_unref(src);
}

Bench::~Bench() {
  gst_element_set_state(v_, GST_STATE_NULL);
  gst_element_set_bus(v_, nullptr);
  in_.reset(), out_.reset(), audio_in_.reset(), audio_out_.reset(), side_.clear();
  gst_object_unref(v_);
}

void Bench::set(const std::string& property, const std::string& value) {
  gst_util_set_object_arg(G_OBJECT(v_), property.c_str(), value.c_str());
}

guint64 Bench::stat(const char* name) const {
  GstStructure* stats = nullptr;
  g_object_get(v_, "stats", &stats, nullptr);
  const guint64 value = number(stats, name);
  gst_structure_free(stats);
  return value;
}

std::string Bench::model_state() const {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(v_), "model-state", &value);
  const std::string nick =
      g_enum_get_value(static_cast<GEnumClass*>(g_type_class_peek(G_VALUE_TYPE(&value))),
                       g_value_get_enum(&value))
          ->value_nick;
  g_value_unset(&value);
  return nick;
}

bool Bench::to(GstState state) {
  return gst_element_set_state(v_, state) == GST_STATE_CHANGE_SUCCESS;
}

void Bench::add_audio() {
  GstPad* sink = gst_element_request_pad_simple(v_, "audio_sink");
  GstPad* src = gst_element_get_static_pad(v_, "audio_src");
  audio_in_ = std::make_unique<Pusher>(sink);
  audio_out_ = std::make_unique<Recorder>(src);
  gst_object_unref(src);
  gst_object_unref(sink);
}

Recorder& Bench::record(const std::string& name) {
  GstPad* pad = gst_element_request_pad_simple(v_, name.c_str());
  side_[name] = std::make_unique<Recorder>(pad);
  gst_object_unref(pad);
  return *side_[name];
}

void Bench::play(const std::string& caps) {
  EXPECT_TRUE(to(GST_STATE_PLAYING));
  in_->start(caps);
}

uint32_t colour_at(GstClockTime pts) { return static_cast<uint32_t>(GST_TIME_AS_MSECONDS(pts)); }

GstFlowReturn Bench::frame(GstClockTime pts, uint32_t colour) {
  return in_->push(rgb_frame(colour, 16, 16, pts, 100 * GST_MSECOND));
}

GstFlowReturn Bench::frames(GstClockTime from, GstClockTime to) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (GstClockTime pts = from; pts < to && flow == GST_FLOW_OK; pts += 100 * GST_MSECOND) {
    flow = frame(pts, colour_at(pts));
  }
  return flow;
}

void Bench::flush(bool reset_time) {
  in_->send(gst_event_new_flush_start());
  in_->send(gst_event_new_flush_stop(reset_time));
}

GstSegment time_segment(GstClockTime start) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  return segment;
}

Strings texts(const GstStructure* s, const char* field) {
  Strings found;
  const GValue* array = gst_structure_get_value(s, field);
  if (!array || !GST_VALUE_HOLDS_ARRAY(array)) {
    ADD_FAILURE() << "no texts " << field;
    return found;
  }
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    found.push_back(g_value_get_string(gst_value_array_get_value(array, i)));
  }
  return found;
}

}  // namespace vidi::test
