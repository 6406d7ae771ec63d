#include "model/engine_api.h"

#include "model/device/device.h"
#include "model/session/checkpoint_facts.h"

extern "C" __attribute__((visibility("default"))) const vidi::EngineApi* vidi_engine_api() {
  static const vidi::EngineApi api{vidi::kEngineApiVersion, &vidi::Session::open,
                                   &vidi::picture_side,     &vidi::frame_rate,
                                   &vidi::shrink_picture,   &vidi::n_cuda_devices};
  return &api;
}
