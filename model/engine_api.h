// What libvidi.so exports: one C symbol that hands out the API. The element finds it with dlsym.
// Torch-free.
#pragma once

#include "model/session.h"
#include "model/towers/device_picture.h"

namespace vidi {

// Changes whenever a struct or virtual function of the API changes: plugin and engine are built
// from one tree.
inline constexpr int kEngineApiVersion = 15;

struct EngineApi {
  int version;
  Result<std::unique_ptr<Session>> (*open)(const OpenOptions&, const Cancel&) noexcept;
  // Side of the square pictures that the checkpoint's vision tower takes. Reads configuration only,
  // so that frames can be kept at the right size before the model is loaded.
  Result<int> (*picture_side)(const std::string& folder) noexcept;
  // Pictures a second that the checkpoint was trained with, 1 when it states none; in 1/3600..60.
  // Reads config.json only, so that the first frames are sampled right while the model is loading.
  Result<double> (*frame_rate)(const std::string& folder) noexcept;
  // shrink_picture(): a decoded picture is made small where it lies.
  Result<bool> (*shrink)(const DevicePicture&, int side, uint8_t* rgb) noexcept;
  // That there are, whether they work or not.
  int (*n_cuda_devices)() noexcept;
};

}  // namespace vidi

extern "C" const vidi::EngineApi* vidi_engine_api();
