#include "gst/filter/live_settings.h"

#include <utility>

namespace vidi {

LiveSettings::LiveSettings(GstElement* element, std::function<void(const Settings&)> tell)
    : element_(element), tell_(std::move(tell)) {}

std::shared_ptr<const Settings> LiveSettings::now() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

bool LiveSettings::set(guint id, const GValue* value, std::string* error) {
  std::lock_guard in_turn(change_mutex_);
  std::shared_ptr<const Settings> now;
  {
    std::lock_guard lock(mutex_);
    auto changed = std::make_shared<Settings>(*settings_);
    if (!set_setting(*changed, id, value, error)) return false;
    if (!error->empty()) {
      if (GST_STATE(element_) == GST_STATE_NULL) refused_[id] = *error;
      return false;
    }
    refused_.erase(id);
    now = settings_ = changed;
  }
  tell_(*now);
  return true;
}

std::string LiveSettings::refused() const {
  std::lock_guard lock(mutex_);
  return refused_.empty() ? "" : refused_.begin()->second;
}

void LiveSettings::set_checkpoint_rate(const FrameRate& rate) {
  std::lock_guard lock(mutex_);
  auto changed = std::make_shared<Settings>(*settings_);
  changed->checkpoint_rate = rate;
  settings_ = std::move(changed);
}

}  // namespace vidi
