// The engine library from NULL->READY to READY->NULL, and what it says of the checkpoint before the
// model is loaded. open() and close() come from the thread that changes the state, with no
// streaming thread and no feed's thread beside; what is const comes from these as well.
#pragma once

#include <string>
#include <vector>

#include "gst/filter/live_settings.h"
#include "gst/media/picture.h"
#include "model/engine_api.h"
#include "model/result.h"

namespace vidi {

class OpenedEngine {
 public:
  explicit OpenedEngine(const LiveSettings& settings) : settings_(settings) {}

  Result<bool> open();
  void close() { api_ = nullptr; }
  bool is_open() const { return api_ != nullptr; }

  // Of an open one.
  const EngineApi& api() const { return *api_; }
  FrameRate frame_rate() const;
  int picture_side() const;
  Result<std::vector<std::string>> devices() const;  // of the list that `device` is
  // Of any.
  DeviceReading device_reading() const;

 private:
  const LiveSettings& settings_;
  const EngineApi* api_ = nullptr;
};

}  // namespace vidi
