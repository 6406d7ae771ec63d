// The settings of an element that may be playing. What works by them asks for a copy before each
// piece of work: now(). Any thread.
//
// Two locks, in this order: one is held from a change until all have heard of it, so that windows
// have the settings that were set last; the other guards the members, and is held for a copy only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gst/filter/settings.h"

namespace vidi {

class LiveSettings {
 public:
  // `tell` hears of every change of a property, on the thread that made it.
  LiveSettings(GstElement* element, std::function<void(const Settings&)> tell);

  std::shared_ptr<const Settings> now() const;
  // False for an id that is not a setting's, and for a value that is refused: then with `error`.
  bool set(guint id, const GValue* value, std::string* error);
  // gst-launch sets properties before anybody listens: the value that was refused then. "": none.
  std::string refused() const;
  void set_checkpoint_rate(const FrameRate& rate);  // nobody needs to hear of it

 private:
  GstElement* const element_;
  const std::function<void(const Settings&)> tell_;
  std::mutex change_mutex_;  // held from a change until all have heard of it
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> settings_ = std::make_shared<Settings>();
  std::map<guint, std::string> refused_;  // in NULL, by property
};

}  // namespace vidi
