// A library that is no engine: built without a door, or (with ODD_VERSION) with one of another
// version.
#ifdef ODD_VERSION
#include "model/engine_api.h"

extern "C" __attribute__((visibility("default"))) const vidi::Door* vidi_door() {
  static const vidi::Door door{ODD_VERSION, nullptr, nullptr, nullptr, nullptr};
  return &door;
}
#else
extern "C" __attribute__((visibility("default"))) int nothing_of_interest() { return 0; }
#endif
