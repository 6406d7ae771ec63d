#include "model/session/checkpoint_facts.h"

#include "model/checkpoint/open_checkpoint.h"
#include "model/to_result.h"

namespace vidi {

Result<int> picture_side(const std::string& folder) noexcept {
  return to_result<int>([&] { return open_checkpoint(folder).config.vision.image_size; });
}

Result<double> frame_rate(const std::string& folder) noexcept {
  return to_result<double>([&] { return read_frame_rate(folder); });
}

}  // namespace vidi
