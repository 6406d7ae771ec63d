// How tests open a session of several devices.
#pragma once

#include <string>

#include "model/options.h"

namespace vidi {

// A list with a comma: windows are split over it.
inline OpenOptions options_of(const std::string& folder, const std::string& devices) {
  OpenOptions options;
  options.folder = folder, options.device = devices;
  options.split_windows = devices.find(',') != std::string::npos;
  return options;
}

}  // namespace vidi
