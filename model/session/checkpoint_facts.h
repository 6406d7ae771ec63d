// What a checkpoint's folder tells before its model is loaded: two functions of the door, any
// thread. Torch-free.
#pragma once

#include <string>

#include "model/result.h"

namespace vidi {

// Side in pixels of the square pictures that the folder's vision tower takes; configurations and
// headers alone are read.
Result<int> picture_side(const std::string& folder) noexcept;
// Pictures a second that the folder's model was trained with; config.json alone is read.
Result<double> frame_rate(const std::string& folder) noexcept;

}  // namespace vidi
