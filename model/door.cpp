#include "model/door.h"

extern "C" __attribute__((visibility("default"))) const vidi::Door* vidi_door() {
  static const vidi::Door door{vidi::kDoorVersion, &vidi::Session::open};
  return &door;
}
