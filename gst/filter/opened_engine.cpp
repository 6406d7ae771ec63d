#include "gst/filter/opened_engine.h"

#include "gst/worker/device_list.h"
#include "gst/worker/engine_library.h"

namespace vidi {
namespace {

constexpr int kUsualPictureSide = 384;  // of the published models

}  // namespace

Result<bool> OpenedEngine::open() {
  const auto api = engine_api();
  if (!api) return api.error();
  api_ = *api;
  return true;
}

// The first frames are sampled while the model is still loading, so this does not wait for it.
FrameRate OpenedEngine::frame_rate() const {
  FrameRate rate{1, 1};
  const auto stated = api_->frame_rate(settings_.now()->model_place().folder);
  // Else the load fails with the reason.
  if (stated) gst_util_double_to_fraction(*stated, &rate.numerator, &rate.denominator);
  return rate;
}

int OpenedEngine::picture_side() const {
  const auto side = api_->picture_side(settings_.now()->model_place().folder);
  return side ? *side : kUsualPictureSide;  // the load fails with the reason
}

Result<std::vector<std::string>> OpenedEngine::devices() const {
  const auto settings = settings_.now();
  auto devices = devices_of(settings->device, api_->n_cuda_devices());
  return devices && settings->split_windows ? joined(*devices) : devices;
}

// With device=cpu the GPU is the decoder's alone.
DeviceReading OpenedEngine::device_reading() const {
  const bool may_use_device = api_ && may_be_cuda(settings_.now()->device);
  return {may_use_device ? api_->shrink : nullptr, [this] { return picture_side(); }};
}

}  // namespace vidi
