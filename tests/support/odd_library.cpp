// A library that is no engine: built without an API, or (with ODD_VERSION) with one of another
// version.
#ifdef ODD_VERSION
#include "model/engine_api.h"

extern "C" __attribute__((visibility("default"))) const vidi::EngineApi* vidi_engine_api() {
  static const vidi::EngineApi api{ODD_VERSION, nullptr, nullptr, nullptr, nullptr, nullptr};
  return &api;
}
#else
extern "C" __attribute__((visibility("default"))) int nothing_of_interest() { return 0; }
#endif
