#include "tests/support/pad_log.h"

#include <algorithm>
#include <chrono>

#include "tests/support/element.h"

namespace vidi::test {
namespace {

std::string name_of_item(GstMiniObject* item) {
  return GST_IS_EVENT(item) ? name_of(GST_EVENT_CAST(item)) : "buffer";
}

}  // namespace

std::string name_of(GstEvent* event) {
  const GstStructure* s = gst_event_get_structure(event);
  const bool custom = GST_EVENT_TYPE(event) >= GST_EVENT_CUSTOM_UPSTREAM;
  return custom && s ? gst_structure_get_name(s) : GST_EVENT_TYPE_NAME(event);
}

PadLog::PadLog(GstPad* pad) : pad_(GST_PAD(gst_object_ref(pad))) {
  const auto mask =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH);
  probe_ = gst_pad_add_probe(pad, mask, on_data, this, nullptr);
}

PadLog::~PadLog() {
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
  for (GstMiniObject* item : items_) gst_mini_object_unref(item);
}

GstPadProbeReturn PadLog::on_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& self = *static_cast<PadLog*>(data);
  std::lock_guard lock(self.mutex_);
  self.items_.push_back(gst_mini_object_ref(GST_MINI_OBJECT_CAST(info->data)));
  self.changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

Strings PadLog::story() const {
  std::lock_guard lock(mutex_);
  Strings story;
  for (GstMiniObject* item : items_) story.push_back(name_of_item(item));
  return story;
}

Strings PadLog::story_of_data() const {
  Strings data = story();
  std::erase_if(data, [](const std::string& name) {
    return name == "stream-start" || name == "caps" || name == "segment" ||
           name.starts_with("vidi/");
  });
  return data;
}

int PadLog::count(const std::string& name) const {
  const Strings all = story();
  return static_cast<int>(std::count(all.begin(), all.end(), name));
}

bool PadLog::wait_for(const std::string& name, int n) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(kLimit), [&] {
    return std::count_if(items_.begin(), items_.end(),
                         [&](GstMiniObject* item) { return name_of_item(item) == name; }) >= n;
  });
}

std::vector<GstBuffer*> PadLog::buffers() const {
  std::lock_guard lock(mutex_);
  std::vector<GstBuffer*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_BUFFER(item)) found.push_back(GST_BUFFER_CAST(item));
  }
  return found;
}

std::string PadLog::bytes() const {
  std::string all;
  for (GstBuffer* buffer : buffers()) {
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    all.append(reinterpret_cast<const char*>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
  }
  return all;
}

std::vector<GstEvent*> PadLog::events(const std::string& name) const {
  std::lock_guard lock(mutex_);
  std::vector<GstEvent*> found;
  for (GstMiniObject* item : items_) {
    if (GST_IS_EVENT(item) && name_of_item(item) == name) found.push_back(GST_EVENT_CAST(item));
  }
  return found;
}

std::vector<const GstStructure*> PadLog::structures(const std::string& name) const {
  std::vector<const GstStructure*> found;
  for (GstEvent* event : events(name)) found.push_back(gst_event_get_structure(event));
  return found;
}

std::unique_ptr<PadLog> log_of(GstElement* element, const char* pad) {
  GstPad* found = gst_element_get_static_pad(element, pad);
  if (!found) return nullptr;
  auto log = std::make_unique<PadLog>(found);
  gst_object_unref(found);
  return log;
}

}  // namespace vidi::test
