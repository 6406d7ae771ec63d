#include "model/engine_api.h"

#include "model/session/checkpoint_facts.h"

extern "C" __attribute__((visibility("default"))) const vidi::Door* vidi_door() {
  static const vidi::Door door{vidi::kDoorVersion, &vidi::Session::open, &vidi::picture_side,
                               &vidi::frame_rate, &vidi::shrink_picture};
  return &door;
}
