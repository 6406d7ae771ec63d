#include "tests/support/rig.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>

namespace vidi::test {
namespace {

std::string description(const RigOptions& o) {
  return "vidifilter name=v model-path=model " + o.windows + " " + o.properties + " " +
         (o.out.empty() ? "" : "v.src ! " + o.out + " ") + o.tail;
}

}  // namespace

std::string windows_of(double duration_s, double stride_s) {
  const auto ns = [](double s) { return std::to_string(std::llround(s * 1e9)); };
  return "window-duration=" + ns(duration_s) +
         " window-stride=" + ns(stride_s > 0 ? stride_s : duration_s);
}

Rig::Rig(const RigOptions& o)
    : Pipeline(description(o)), video(v(), "sink", o.video_caps, o.live), options_(o) {
  if (o.out.empty()) out_ = std::make_unique<Outlet>(v(), "src");
  if (o.audio) add_audio();
}

Rig::~Rig() { gst_element_set_state(get(), GST_STATE_NULL); }

void Rig::add_audio() {
  audio = std::make_unique<Feeder>(v(), "audio_sink", options_.audio_caps, options_.live);
  audio_out_ = std::make_unique<Outlet>(v(), "audio_src");
}

Outlet& Rig::record(const std::string& pad) {
  side_.push_back(std::make_unique<Outlet>(v(), pad.c_str()));
  return *side_.back();
}

bool Rig::to(GstState state) {
  return gst_element_set_state(get(), state) == GST_STATE_CHANGE_SUCCESS;
}

void Rig::start() {
  ASSERT_TRUE(to(GST_STATE_PLAYING));
  video.start();
  if (audio) audio->start();
}

void Rig::play() {
  start();
  ASSERT_TRUE(wait_structure("vidi/model",
                             [](const GstStructure* s) { return text(s, "state") == "ready"; }));
}

bool Rig::wait_end() {
  std::vector<Outlet*> outlets = {out_.get(), audio_out_.get()};
  for (const auto& outlet : side_) outlets.push_back(outlet.get());
  for (Outlet* outlet : outlets) {
    if (!outlet || !gst_pad_is_linked(outlet->pad()) || outlet->wait_for("eos")) continue;
    ADD_FAILURE() << "no EOS came from " << GST_PAD_NAME(GST_PAD_PEER(outlet->pad()));
    return false;
  }
  const bool has_sinks = GST_OBJECT_FLAG_IS_SET(get(), GST_ELEMENT_FLAG_SINK);
  if (has_sinks && !wait_eos()) return false;
  EXPECT_EQ(error_text(), "");
  return error_text().empty();
}

void Rig::end() {
  within_limit([this] {
    if (audio) audio->eos();
    video.eos();
  });
  wait_end();
}

void Rig::within_limit(const std::function<void()>& body) {
  auto done = std::async(std::launch::async, body);
  if (done.wait_for(std::chrono::nanoseconds(kLimit)) == std::future_status::ready) return;
  ADD_FAILURE() << "this should not take so long";
  gst_element_set_state(get(), GST_STATE_NULL);
}

GstFlowReturn Rig::frame(GstClockTime pts, uint32_t colour) {
  return video.push(rgb_frame(colour, 16, 16, pts, 100 * GST_MSECOND));
}

GstFlowReturn Rig::frames(int first, int last) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (int k = first; k <= last && flow == GST_FLOW_OK; ++k) {
    flow = video.push(rgb_frame(colour_of(k), 16, 16, k * GST_SECOND, GST_SECOND));
  }
  return flow;
}

GstFlowReturn Rig::film(GstClockTime from, GstClockTime to) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (GstClockTime pts = from; pts < to && flow == GST_FLOW_OK; pts += 100 * GST_MSECOND) {
    flow = frame(pts, colour_at(pts));
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

void Rig::set(const std::string& property, const std::string& value) {
  gst_util_set_object_arg(G_OBJECT(v()), property.c_str(), value.c_str());
}

guint64 Rig::stat(const char* name) const {
  GstStructure* stats = nullptr;
  g_object_get(v(), "stats", &stats, nullptr);
  const guint64 value = number(stats, name);
  gst_structure_free(stats);
  return value;
}

std::string Rig::model_state() const {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(v()), "model-state", &value);
  auto* type = static_cast<GEnumClass*>(g_type_class_peek(G_VALUE_TYPE(&value)));
  const std::string nick = g_enum_get_value(type, g_value_get_enum(&value))->value_nick;
  g_value_unset(&value);
  return nick;
}

std::string Rig::ask(const char* query, guint64 start, guint64 stop) {
  gchar* id = nullptr;
  g_signal_emit_by_name(v(), "ask", query, start, stop, &id);
  const std::string found = id ? id : "";
  g_free(id);
  return found;
}

}  // namespace vidi::test
