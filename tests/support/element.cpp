#include "tests/support/element.h"

#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

namespace vidi::test {

void prepare() {
  static const bool ready = [] {
    setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 1);
    setenv("VIDI_ENGINE", VIDI_SCRIPTED_ENGINE, 1);
    gst_init(nullptr, nullptr);
    return true;
  }();
  (void)ready;
  scripted::reset();
}

Messages::~Messages() {
  for (GstMessage* message : read_) gst_message_unref(message);
  if (bus_) {
    gst_bus_set_flushing(bus_, TRUE);
    gst_object_unref(bus_);
  }
}

Pipeline::Pipeline(const std::string& description) {
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(description.c_str(), &error);
  if (error) ADD_FAILURE() << description << ": " << error->message;
  g_clear_error(&error);
  if (pipeline_) bus_ = gst_element_get_bus(pipeline_);
}

Pipeline::~Pipeline() {
  if (!pipeline_) return;
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

GstElement* Pipeline::element(const char* name) const {
  GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_), name);
  if (found) gst_object_unref(found);
  return found;
}

bool Pipeline::to(GstState state) {
  if (gst_element_set_state(pipeline_, state) == GST_STATE_CHANGE_FAILURE) return false;
  GstState reached = GST_STATE_NULL;
  const auto change = gst_element_get_state(pipeline_, &reached, nullptr, kLimit);
  return change != GST_STATE_CHANGE_FAILURE && reached == state;
}

GstMessage* Messages::wait_message(GstMessageType type,
                                   const std::function<bool(GstMessage*)>& good) {
  const gint64 end = g_get_monotonic_time() + kLimit / GST_USECOND;
  for (gint64 now; (now = g_get_monotonic_time()) < end;) {
    GstMessage* message = gst_bus_timed_pop(bus_, (end - now) * GST_USECOND);
    if (!message) break;
    read_.push_back(message);
    const bool wanted = !type || (GST_MESSAGE_TYPE(message) & type);
    if (wanted && (!good || good(message))) return message;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      ADD_FAILURE() << "unexpected error: " << complaint_of(message).text;
      return nullptr;
    }
  }
  ADD_FAILURE() << "the awaited message did not come";
  return nullptr;
}

const GstStructure* Messages::wait_structure(const std::string& name,
                                             const std::function<bool(const GstStructure*)>& good) {
  GstMessage* message = wait_message(GST_MESSAGE_ELEMENT, [&](GstMessage* m) {
    const GstStructure* s = gst_message_get_structure(m);
    return gst_structure_has_name(s, name.c_str()) && (!good || good(s));
  });
  return message ? gst_message_get_structure(message) : nullptr;
}

void Messages::read_waiting() {
  while (GstMessage* message = gst_bus_pop(bus_)) read_.push_back(message);
}

std::vector<GstMessage*> Messages::messages(GstMessageType type) {
  read_waiting();
  std::vector<GstMessage*> found;
  for (GstMessage* m : read_) {
    if (GST_MESSAGE_TYPE(m) & type) found.push_back(m);
  }
  return found;
}

std::vector<const GstStructure*> Messages::structures(const std::string& name) {
  std::vector<const GstStructure*> found;
  for (GstMessage* m : messages(GST_MESSAGE_ELEMENT)) {
    const GstStructure* s = gst_message_get_structure(m);
    if (gst_structure_has_name(s, name.c_str())) found.push_back(s);
  }
  return found;
}

std::string Messages::error_text() {
  for (GstMessage* m : messages(GST_MESSAGE_ERROR)) {
    GError* error = nullptr;
    gst_message_parse_error(m, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    return text;
  }
  return "";
}

Background::Background(std::function<void()> call)
    : end_(std::async(std::launch::async, std::move(call))) {}

bool Background::running() const {
  return end_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

bool Background::ended() {
  if (end_.wait_for(std::chrono::nanoseconds(kLimit)) == std::future_status::ready) return true;
  ADD_FAILURE() << "a call that should have come back did not";
  scripted::reset();
  return false;
}

bool eventually(const std::function<bool()>& holds) {
  const gint64 end = g_get_monotonic_time() + kLimit / GST_USECOND;
  while (g_get_monotonic_time() < end) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

Complaint complaint_of(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, nullptr);
  } else {
    gst_message_parse_warning(message, &error, nullptr);
  }
  const Complaint complaint{error->domain, error->code, error->message};
  g_error_free(error);
  return complaint;
}

guint64 number(const GstStructure* s, const char* field) {
  guint64 large = 0;
  guint small = 0;
  if (gst_structure_get_uint64(s, field, &large)) return large;
  if (gst_structure_get_uint(s, field, &small)) return small;
  ADD_FAILURE() << "no number " << field;
  return 0;
}

std::string text(const GstStructure* s, const char* field) {
  const gchar* value = gst_structure_get_string(s, field);
  if (!value) ADD_FAILURE() << "no text " << field;
  return value ? value : "";
}

bool flag(const GstStructure* s, const char* field) {
  gboolean value = FALSE;
  if (!gst_structure_get_boolean(s, field, &value)) ADD_FAILURE() << "no flag " << field;
  return value;
}

double real(const GstStructure* s, const char* field) {
  double value = 0;
  if (!gst_structure_get_double(s, field, &value)) ADD_FAILURE() << "no number " << field;
  return value;
}

GstBuffer* rgb_frame(uint32_t colour, int width, int height, GstClockTime pts,
                     GstClockTime duration) {
  const int stride = GST_ROUND_UP_4(width * 3);
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, static_cast<gsize>(stride) * height, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      guint8* pixel = map.data + y * stride + x * 3;
      pixel[0] = colour >> 16, pixel[1] = colour >> 8, pixel[2] = colour;
    }
  }
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

GstBuffer* mono_audio(int16_t value, GstClockTime pts, GstClockTime duration) {
  const gsize n = gst_util_uint64_scale_round(duration, 16000, GST_SECOND);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, n * sizeof(int16_t), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < n; ++i) reinterpret_cast<int16_t*>(map.data)[i] = value;
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

}  // namespace vidi::test
