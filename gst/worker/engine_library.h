// Opens the engine library, so that the plugin itself needs neither libtorch nor CUDA. Thread-safe.
#pragma once

#include "model/engine_api.h"
#include "model/result.h"

namespace vidi {

// The API of libvidi.so, opened with dlopen on the first call and never closed (libtorch cannot
// be). $VIDI_ENGINE names the library itself and is then the only place; else it is looked for
// beside the plugin, in ../model of the plugin's folder (the build tree), in ../vidi (installed,
// wherever that was moved to) and where it is installed. kNotFound names every place tried;
// kUnsupported when plugin and engine are not of one build.
Result<const EngineApi*> engine_api();

}  // namespace vidi
