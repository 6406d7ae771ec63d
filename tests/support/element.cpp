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

bool is_installed(const std::string& factory) {
  GstElementFactory* found = gst_element_factory_find(factory.c_str());
  if (found) gst_object_unref(found);
  return found != nullptr;
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
  if (pipeline_ && !GST_IS_BIN(pipeline_)) {
    GstElement* alone = std::exchange(pipeline_, gst_pipeline_new(nullptr));
    gst_bin_add(GST_BIN(pipeline_), alone);
  }
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

}  // namespace vidi::test
